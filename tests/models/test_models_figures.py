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
    share = {"share": 0.246, "low": 0.004, "high": 0.5, "of": 112}
    single = {"targets": {"hand_clap": {
        "recall": dict.fromkeys(("quiet", "30 dB", "20 dB", "10 dB"), share), "hard": share, "delay_median": 0.204,
        "delay_95th": 0.61, "alarms": {"per_hour": 5.0, "per_hour_upper": 9.2}}}}
    soon = dict.fromkeys(("quiet", "20 dB", "10 dB"), share)
    long = {"targets": {"typing": {"soon": soon, "found": soon, "delay_median": None, "alarms": {
        "per_hour": 5.0, "per_hour_upper": 9.2}}}}
    for model in ("starter", "yamnet"):
        more = {"doorbell": clap, "siren": clap} if model == "yamnet" else {}
        for kind, held in (("clips", {**whole, "classes": {**whole["classes"], **more}}),  # type: ignore[dict-item]
                           ("cross", {"classes": {"siren": taught}}), ("truth", scenes),
                           ("onsets-report", single), ("onsets-choose", single),
                           ("lasting-report", long), ("lasting-choose", long),
                           ("rooms", {"kinds": {"ratio_db -6.0": scenes, "ratio_db 0.0": scenes}})):
            (tmp_path / f"{kind}-{model}.json").write_text(json.dumps(held))
        (tmp_path / f"alarms-{model}.md").write_text("| target | clips |\n|---|---|\n| siren | 25 |\n| rain | 3 |\n")
    learnt = {"recall": dict.fromkeys(("quiet", "30 dB", "20 dB", "10 dB"), share), "alarms_per_hour": 1.96, "hard": share}
    for half in ("report", "choose"):
        ways = {way: {"all": learnt, "sources": {"a": learnt, "b": learnt}} for way in ("own", "added")}
        (tmp_path / f"taught-{half}.json").write_text(json.dumps({"targets": {"hand_clap": ways}}))
    return tmp_path


def test_tables_hold_what_was_measured(figures: Any, work: Path) -> None:
    clips = list(figures.clips(work))
    assert clips[2:4] == ["| hand_clap | 3 | 0.980 | 0.67 | 0.980 | 0.67 |", "| doorbell | 3 |  |  | 0.980 | 0.67 |"]
    assert clips[-1] == ("YAMNet: accuracy 66.7% (20.0% to 90.0%) over 3 clips of 3 classes that the model has labels for.")
    assert list(figures.hears(work))[2:] == ["| hand_clap | 3 | 67% | 25% | 4 | 67% | 25% | 4 |",
                                             "| siren | 3 | no |  |  | 67% |  | 4 |"]
    assert list(figures.cross(work))[2] == "| siren | 9 of 2 | starter | 0.67 (0.35 to 0.88) | 4 | 2.00 | 2.0 | 4.6 |"
    assert list(figures.alarms(work))[2:] == ["| siren | starter | 25 |", "| siren | YAMNet | 25 |"]
    scenes = list(figures.scenes(work))
    assert scenes[2] == "| quiet, claps, snaps and knocks | starter | 0.50 | 0.25 |  |  |  | 0.40 | 0.30 | 5 (9) |"
    assert [row.split(" | ")[0] for row in scenes[4:]] == ["| rooms, -6 dB"] * 2 + ["| rooms, 0 dB"] * 2
    onsets = list(figures.onsets(work))
    assert onsets[2] == ("| hand_clap | reporting | starter | 0.25 | 0.25 | 0.25 | 0.25 | 112 | 5 (9) | "
                         "24.6% (0.4% to 50.0%) | 0.20 (0.61) |")
    assert len(onsets) == 2 + 4 and onsets[-1].startswith("| hand_clap | choosing | YAMNet |")
    assert {line.count("|") for line in onsets} == {12}
    lasting = list(figures.lasting(work))
    assert lasting[2] == "| typing | reporting | starter | 0.25 | 0.25 | 0.25 | 0.25 | 0.25 | 0.25 | 112 |  | 5 (9) |"
    assert {line.count("|") for line in lasting} == {13}
    taught = list(figures.taught_looks(work))
    assert taught[2] == "| hand_clap | reporting, 2 | the model's own | 0.25 | 0.25 | 0.25 | 0.25 | 112 | 2.0 | 24.6% |"
    assert len(taught) == 2 + 4 and {line.count("|") for line in taught} == {11}


def test_a_page_without_the_section_is_not_written(figures: Any, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, guide = work / "README.md", work / "guide.md"
    first.write_text("<!-- hears -->\nstale\n<!-- /hears -->\n")
    guide.write_text("<!-- figures -->\nstale\n<!-- /figures -->\n")
    monkeypatch.setattr(figures, "FIRST_PAGE", first)
    monkeypatch.setattr(figures, "GUIDE", guide)
    monkeypatch.setattr(sys, "argv", ["figures.py", str(work), "--write"])
    with pytest.raises(SystemExit, match=r"guide.md: found no section cross-fit; wanted one"):
        figures.main()
    assert "stale" in first.read_text() and "stale" in guide.read_text()
    names = ("figures", "cross-fit", "alarms", "scenes", "onsets", "lasting", "taught-looks")
    sections = "".join(f"<!-- {name} -->\nstale\n<!-- /{name} -->\n" for name in names)
    guide.write_text(sections)
    monkeypatch.setattr(sys, "argv", ["figures.py", str(work), "--write", "--only", "onsets"])
    figures.main()
    assert guide.read_text().count("stale") == 6 and "| hand_clap | reporting |" in guide.read_text()
    monkeypatch.setattr(sys, "argv", ["figures.py", str(work), "--write"])
    figures.main()
    assert "stale" not in guide.read_text() and "| siren | 9 of 2 |" in guide.read_text()
    assert "stale" not in first.read_text() and "| hand_clap | 3 | 67% | 25% |" in first.read_text()
