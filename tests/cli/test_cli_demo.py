"""The demo's verdict, and the demo itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.cli import main
from edge.cli.demonstration.scenes import Expected, Heard, Scene, load_scenes
from edge.model.embedded import embedded_folder


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
def test_the_demo_hears_what_is_expected_and_nothing_else() -> None:
    assert main(["demo", "--fast"]) == 0
