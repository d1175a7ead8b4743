"""models/costs.py: the table of costs in models/README.md out of what `edge-audio bench` printed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from models import costs


@pytest.fixture
def work(tmp_path: Path) -> Path:
    for number, name in enumerate(("yamnet", "starter")):
        lines = [{"model": name, "hop_seconds": hop, "peak_ratio": 1.34, "startup_ratio": 2.1,
                  "over_bare": {"gate_on": 0.73},
                  "over_body": {"gate_off": 1.5 + number, "gate_on": 1.6, "quiet": 0.2, "bare": 2.2}}
                 for hop in (0.48, 0.24)]
        (tmp_path / f"bench-{name}.json").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return tmp_path


def test_each_model_and_hop_has_a_line_and_a_process_is_told_once(work: Path) -> None:
    head, rule, *lines = costs.rows(work / f"bench-{name}.json" for name in ("yamnet", "starter"))
    assert {line.count("|") for line in (head, rule, *lines)} == {9}
    assert lines == ["| YAMNet, 0.48 s | 1.50 | 1.60 | 0.20 | 2.20 | 0.73 | 1.34 | 2.10 |",
                     "| YAMNet, 0.24 s | 1.50 | 1.60 | 0.20 | 2.20 | 0.73 |  |  |",
                     "| starter, 0.48 s | 2.50 | 1.60 | 0.20 | 2.20 | 0.73 | 1.34 | 2.10 |",
                     "| starter, 0.24 s | 2.50 | 1.60 | 0.20 | 2.20 | 0.73 |  |  |"]


def test_the_table_is_written_into_its_section_only(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    guide = work / "guide.md"
    guide.write_text("<!-- bench -->\nstale\n<!-- /bench -->\nkept\n")
    monkeypatch.setattr(costs, "GUIDE", guide)
    monkeypatch.setattr(sys, "argv", ["costs.py", str(work / "bench-starter.json")])
    costs.main()
    assert "stale" in guide.read_text()
    monkeypatch.setattr(sys, "argv", ["costs.py", str(work / "bench-starter.json"), "--write"])
    costs.main()
    assert "stale" not in guide.read_text() and "| starter, 0.24 s |" in guide.read_text()
    assert guide.read_text().endswith("<!-- /bench -->\nkept\n")
    guide.write_text("no marks")
    with pytest.raises(SystemExit, match=r"guide.md: found no section bench; wanted one"):
        costs.main()


def test_a_bench_without_a_bare_loop_is_refused(work: Path) -> None:
    line = json.loads((work / "bench-starter.json").read_text().splitlines()[0])
    (work / "bench-starter.json").write_text(json.dumps(line | {"startup_ratio": None}))
    with pytest.raises(SystemExit, match=r"bench-starter.json: found no bare loop; wanted an installed yamnet"):
        list(costs.rows([work / "bench-starter.json"]))
