"""`edge-audio feedback` beside the appliance that heard the event: it serves the judgement, and its undo, at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.app import Appliance, build
from edge.cli import main
from edge.settings import LogSettings, Settings, TargetSettings
from edge.sinks.journal.entries import FILE, recent
from edge.workshop.taking_up import TAKEN_UP
from tests.control.commanding import EndlessSource, hearing
from tests.sinks.looking import wait_for

pytestmark = pytest.mark.big

TAKEN = "the running appliance has taken it up\n"


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[Appliance]:
    """An appliance that hears claps, again and again."""
    settings = replace(Settings(), target=(TargetSettings(name="hand_clap"),), log=LogSettings(events=""))
    appliance = build(settings, tmp_path, source=EndlessSource())
    with hearing(appliance):
        yield appliance


def test_what_was_judged_and_undone_is_served_at_once(heard: Appliance, tmp_path: Path,
                                                      capsys: pytest.CaptureFixture[str]) -> None:
    """It told the owner to reload; `teach` and `calibrate` had the appliance do so already."""
    def corrected() -> list[str]:
        return list(heard.steering.serving.calibrations.corrections)

    wait_for(lambda: bool(recent(tmp_path / FILE, 1)))
    event, more = recent(tmp_path / FILE, 1)[0].id, ["--state-dir", str(tmp_path)]
    assert not corrected()
    assert main(["feedback", event, "right", *more]) == 0
    told = capsys.readouterr()
    assert corrected() == ["hand_clap"] and told.err.endswith(TAKEN)
    assert "hand_clap" in told.out and "feedback --undo" in told.out and "SIGHUP" not in told.out
    assert main(["feedback", "--undo", *more]) == 0
    told = capsys.readouterr()
    assert not corrected() and told.err.endswith(TAKEN) and told.out.startswith("undone: hand_clap ")
    assert main(["feedback", event, "wrong", "--format", "json", *more]) == 0
    row = json.loads(capsys.readouterr().out)
    assert (row["target"], row["reloaded"]) == ("hand_clap", True) and corrected() == ["hand_clap"]
    heard.stop()
    wait_for(lambda: not (tmp_path / "watch.sock").exists())
    assert main(["feedback", "--undo", "--format", "json", *more]) == 0
    told = capsys.readouterr()
    undone = json.loads(told.out)
    assert undone["undone"].startswith("hand_clap ") and undone["reloaded"] is False and told.err == f"{TAKEN_UP}\n"
