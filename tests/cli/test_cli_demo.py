"""The demo's verdict, and the demo itself."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from edge.cli import main
from edge.cli.demonstration.scenes import Expected, Heard, Scene, load_scenes
from edge.cli.demonstration.show import demo_settings, play
from edge.control.steering import Steering
from edge.model.embedded import embedded_folder
from edge.settings import Settings


def scene(*events: Expected) -> Scene:
    return Scene(Path("x.wav"), events)


def test_an_event_counts_if_target_and_start_fit_and_only_once() -> None:
    clap = Expected("hand_clap", 2.0, 2.1)
    assert scene(clap).compare([Heard("hand_clap", 2.4)]) == ((), ())
    assert scene(clap).compare([Heard("hand_clap", 3.5)]) == ((clap,), (Heard("hand_clap", 3.5),))
    assert scene(clap).compare([Heard("typing", 2.0)]) == ((clap,), (Heard("typing", 2.0),))
    assert scene(clap).compare([Heard("hand_clap", 2.2), Heard("hand_clap", 2.1)]) == ((), (Heard("hand_clap", 2.2),))
    assert scene().compare([]) == ((), ())


def test_the_bundled_scenes_hold_what_the_project_is_for() -> None:
    scenes = load_scenes(embedded_folder() / "demo")
    targets = {event.target for entry in scenes for event in entry.events}
    assert {"hand_clap", "typing"} <= targets
    assert all(entry.file.is_file() for entry in scenes)
    assert any(not entry.events for entry in scenes), "a scene in which nothing must be heard"


@pytest.mark.big
def test_a_board_that_starts_slowly_hears_what_is_expected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Times were once counted from before the appliance had started its parts: on emulated ARM all claps came 3 s late."""
    at_once = Steering.start

    def slowly(self: Steering) -> None:
        time.sleep(1.5)
        at_once(self)

    monkeypatch.setattr(Steering, "start", slowly)
    (claps,) = [each for each in load_scenes(embedded_folder() / "demo") if each.file.name == "claps.wav"]
    outcome = play(claps, demo_settings(Settings(), ("hand_clap",)), tmp_path, paced=False, say=lambda line: None)
    assert not outcome.missed and not outcome.extra


@pytest.mark.big
def test_the_demo_hears_what_is_expected_and_nothing_else() -> None:
    assert main(["demo", "--fast"]) == 0
