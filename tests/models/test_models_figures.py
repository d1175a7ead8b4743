"""models/figures.py: the tables of README.md and models/README.md out of what evaluate printed."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

MODELS = Path(__file__).resolve().parents[2] / "models"


@pytest.fixture(scope="module")
def figures() -> Any:
    """The script."""
    sys.path.insert(0, str(MODELS))
    try:
        import figures
    finally:
        sys.path.pop(0)
    return figures


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Both models alike, but for a class that one alone has a label for."""
    clap = {"clips": 3, "area_under_curve": 0.98, "recall": 0.667, "heard": 0.667, "false_alarms_per_hour": 4.4}
    whole = {"accuracy": 0.667, "accuracy_interval": [0.2, 0.9], "classified": 3, "classes": {"hand_clap": clap}}
    taught = {"clips": 9, "sources": {"a": [1, 4], "b": [5, 5]}, "heard": 0.667, "heard_low": 0.35, "heard_high": 0.88,
              "false_alarms": 4, "hours": 2.0, "false_alarms_per_hour": 2.0, "false_alarms_per_hour_upper": 4.58}
    events = {"impulsive": {"precision": 0.5, "recall": 0.25}, "lasting": {"precision": None, "recall": None}}
    target = {"events": {"recall": 0.3}, "alarms_per_hour": 5.0, "alarms_per_hour_upper": 9.2}
    scenes = {"events": events, "segments": {"f1": 0.4}, "onset_on_time": None, "targets": {"hand_clap": target}}
    for model in ("starter", "yamnet"):
        more = {"doorbell": clap, "siren": clap} if model == "yamnet" else {}
        for kind, held in (("clips", {**whole, "classes": {**whole["classes"], **more}}),  # type: ignore[dict-item]
                           ("cross", {"classes": {"siren": taught}}), ("truth", scenes),
                           ("rooms", {"kinds": {"ratio_db -6.0": scenes, "ratio_db 0.0": scenes}})):
            (tmp_path / f"{kind}-{model}.json").write_text(json.dumps(held))
        (tmp_path / f"alarms-{model}.md").write_text("| target | clips |\n|---|---|\n| siren | 25 |\n| rain | 3 |\n")
    return tmp_path


def test_tables_hold_what_was_measured(figures: Any, work: Path) -> None:
    clips = list(figures.clips(work))
    assert clips[2:4] == ["| hand_clap | 3 | 0.980 | 0.67 | 0.980 | 0.67 |", "| doorbell | 3 |  |  | 0.980 | 0.67 |"]
    assert clips[-1] == ("YAMNet: accuracy 66.7% (20.0% to 90.0%) over 3 clips of 3 classes that the model has labels for.")
    assert list(figures.hears(work))[2:] == ["| hand_clap | 3 | 67% | 4 | 67% | 4 |",
                                             "| siren | 3 | no |  | 67% | 4 |"]
    assert list(figures.cross(work))[2] == "| siren | 9 of 2 | starter | 0.67 (0.35 to 0.88) | 4 | 2.00 | 2.0 | 4.6 |"
    assert list(figures.alarms(work))[2:] == ["| siren | starter | 25 |", "| siren | YAMNet | 25 |"]
    scenes = list(figures.scenes(work))
    assert scenes[2] == "| quiet, claps, snaps and knocks | starter | 0.50 | 0.25 |  |  |  | 0.40 | 0.30 | 5 (9) |"
    assert [row.split(" | ")[0] for row in scenes[4:]] == ["| rooms, -6 dB"] * 2 + ["| rooms, 0 dB"] * 2


def test_a_page_without_the_section_is_not_written(figures: Any, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, guide = work / "README.md", work / "guide.md"
    first.write_text("<!-- hears -->\nold\n<!-- /hears -->\n")
    guide.write_text("<!-- figures -->\nold\n<!-- /figures -->\n")
    monkeypatch.setattr(figures, "FIRST_PAGE", first)
    monkeypatch.setattr(figures, "GUIDE", guide)
    monkeypatch.setattr(sys, "argv", ["figures.py", str(work), "--write"])
    with pytest.raises(SystemExit, match=r"guide.md: found no section cross-fit; wanted one"):
        figures.main()
    assert "old" in first.read_text() and "old" in guide.read_text()
    sections = "".join(f"<!-- {name} -->\nold\n<!-- /{name} -->\n" for name in ("figures", "cross-fit", "alarms", "scenes"))
    guide.write_text(sections)
    figures.main()
    assert "old" not in guide.read_text() and "| siren | 9 of 2 |" in guide.read_text()
    assert "old" not in first.read_text() and "| hand_clap | 3 | 67% |" in first.read_text()
