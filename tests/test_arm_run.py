"""What `make arm-instructions` says of its counts; the counting itself needs an emulated ARM machine."""

from __future__ import annotations

import json

import pytest

from deploy.arm_run import (
    ALLOWED,
    BASELINE,
    BEGIN,
    CASES,
    END,
    HOPS,
    PROCESSORS,
    Case,
    Count,
    complaints,
    counted,
    table,
    with_table,
)
from deploy.instructions_run import INVOKES

CASE = Case("cortex-a53", 0.24, "varied", gate=True)
SECONDS = END - BEGIN


def test_three_percent_more_than_the_baseline_is_told_with_figures() -> None:
    known = {CASE.name: 50e6}
    assert complaints({CASE.name: 51.4e6}, known) == complaints({CASE.name: 40e6}, known) == []
    (line,) = complaints({CASE.name: 52e6}, known)
    assert line == ("cortex-a53 hop 0.24 varied gate on: found 52.00 million instructions for a second of sound, 4.0% more "
                    "than 50.00; wanted 3% more at most")
    assert ALLOWED == 1.03


def test_a_case_without_a_baseline_is_told() -> None:
    (line,) = complaints({CASE.name: 1.0}, {})
    assert line == f"{CASE.name}: found no figure in arm-run.json; wanted one (--write)"


def test_the_main_thread_is_counted_between_its_marks_and_the_body_once_a_hop() -> None:
    said = ["INFO: something", "versions numpy 2.4.6",
            "instructions 1000 1500", f"instructions {1000 + 96_000} {1500 + 105_600}",
            "instructions 200000 300000", f"instructions {200_000 + 24 * INVOKES} 400000"]
    versions, counts = counted("\n".join(said), [CASE])
    one = counts[CASE.name]
    assert versions == "numpy 2.4.6"
    assert (one.run, one.others, one.body) == pytest.approx((96_000 / SECONDS, 9_600 / SECONDS, 100))
    row = table({CASE.name: one}, {CASE.name: 8_000}).splitlines()[-1]
    assert row == f"| {CASE.name} | 0.01 | 0.00 | 100.00 | 0.00 | +25.0% |"


def test_marks_that_are_missing_are_an_error_that_shows_what_was_said() -> None:
    with pytest.raises(ValueError, match=r"(?s)found 1 marks; wanted 4:.*the model is broken"):
        counted("versions numpy 2\ninstructions 1 2\nthe model is broken", [CASE])


def test_the_baseline_has_every_case() -> None:
    known = json.loads(BASELINE.read_text())
    cases = {Case(processor, hop, *case).name for processor in PROCESSORS.split() for hop in HOPS for case in CASES}
    assert set(known["instructions"]) == cases and "numpy" in known["versions"]
    assert all(count > 1e6 for count in known["instructions"].values())


def test_marks_are_at_places_that_every_hop_and_block_has() -> None:
    for step in (*HOPS, 0.1, 1.2):
        assert BEGIN / step == pytest.approx(round(BEGIN / step)) and END / step == pytest.approx(round(END / step))


def test_the_guides_table_is_written_between_its_marks_and_nothing_else() -> None:
    one = Count(run=50e6, others=1e6, body=25e6)
    rows = table({CASE.name: one})
    text = "before\n<!-- arm-run -->\nold\n<!-- /arm-run -->\nafter\n"
    assert with_table(text, rows) == (
        "before\n<!-- arm-run -->\n| processor, hop, sound, gate | `run`, M | body alone, M | ratio |\n|---|---|---|---|\n"
        f"| {CASE.name} | 50.00 | 25.00 | 2.00 |\n<!-- /arm-run -->\nafter\n")
    with pytest.raises(ValueError, match="found no section arm-run"):
        with_table("no marks", rows)
