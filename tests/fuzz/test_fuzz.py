"""A taste of each target, the same at every run; and that the runner finds what is to be found. `make fuzz` tries a
million."""

from __future__ import annotations

import importlib
import threading
from pathlib import Path

import pytest

from tests.fuzz import runner
from tests.fuzz.engine import Findings, Meter, Trial, search
from tests.fuzz.targets import MILLION, TARGETS

pytestmark = pytest.mark.big
INPUTS = {"journal": 40, "watch-told": 80, "taught": 100}
"""Of those that take longest."""


@pytest.fixture(autouse=True)
def _needs() -> None:
    for library in ("aiohttp", "prometheus_client", "soundfile", "ai_edge_litert"):
        pytest.importorskip(library)


def test_the_shares_come_to_a_million() -> None:
    assert sum(listed.share for listed in TARGETS.values()) == MILLION


@pytest.mark.parametrize("name", [name for name in TARGETS if name != "model"])
def test_some_hundreds_of_inputs_are_taken_or_told_off(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)  # a target may set its own
    listed, most = TARGETS[name], INPUTS.get(name, 200)
    own = tmp_path / "own"
    own.mkdir()
    target = getattr(importlib.import_module(listed.module), listed.kind)(own)
    meter, findings = Meter(tmp_path / "meter"), Findings(tmp_path / "findings")
    try:
        search(target, Trial(target, meter, findings), lambda: meter.tried >= most, 7, tmp_path)
        assert not {words: path.with_suffix(".txt").read_text() for words, path in findings.all().items()
                    if not words.startswith("over ")}  # of the processor and of memory: not on a loaded machine
        assert meter.tried >= most and (meter.taken or name in ("watch-told", "mqtt-packets"))
    finally:
        meter.close()
        if hasattr(target, "close"):
            target.close()


def test_models_are_installed_or_told_off(tmp_path: Path) -> None:
    found = runner.run("model", tmp_path, inputs=60, seconds=300.0, seed=3, plain=True)
    assert found.tried >= 60 and found.taken and not found.unfinished
    assert not {words for words in found.findings if not words.startswith("over ")}


def test_the_runner_finds_each_planted_fault_and_goes_on_behind_a_crash(tmp_path: Path) -> None:
    found = runner.run("faults", tmp_path, inputs=1_200, seconds=300.0, plain=True)
    assert found.tried == 1_200 and not found.unfinished and found.taken > 900
    words = " | ".join(found.findings)
    for part in ("KeyError at tests/fuzz/planted.py", "an error that lacks thing, found or wanted",
                 "over 1 s of the processor", "over 500 MB of memory", "a crash: SIGSEGV (tests/fuzz/planted.py",
                 "files that were left open"):
        assert part in words, words
    assert {path.read_bytes() for path in found.findings.values()} >= {b"error", b"unsaid", b"slow", b"large", b"crash"}


def test_an_input_that_never_comes_back_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "STUCK_SECONDS", 3.0)
    monkeypatch.setattr(runner, "MOST_CRASHES", 1)
    found = runner.run("waits", tmp_path, inputs=10, seconds=300.0, plain=True)
    assert [path.read_bytes() for path in found.findings.values()] == [b"waits"] and found.unfinished
