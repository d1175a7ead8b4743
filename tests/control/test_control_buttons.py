"""Buttons on the board of a whole appliance: what a press does, and what the broker hears of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge.control.loading import taught_to
from edge.settings import PinSettings, Settings, TargetSettings, WatchSettings
from edge.settings.panel import ButtonSettings, LedSettings
from edge.sinks.pins.panel import PanelSink
from tests.control.commanding import Owner, Running, await_

pytestmark = pytest.mark.big

Start = Callable[..., Running]
MUTE = ButtonSettings(pin="23", factory="simulated")
UNWATCHED = WatchSettings(enabled=False)
WRONG = ButtonSettings(pin="25", action="wrong", factory="simulated")


def press(running: Running, name: str) -> None:
    wire: Any = panel_of(running).pin(name)
    wire.drive_low()
    wire.drive_high()


def panel_of(running: Running) -> PanelSink:
    (panel,) = [guard._sink for guard in running.appliance.sinks if guard.name == "panel"]
    assert isinstance(panel, PanelSink)
    return panel


def test_the_mute_button_needs_no_leave_and_the_broker_hears_of_it(start: Start, owner: Owner, tmp_path: Path) -> None:
    running = start(allow=(), button=(MUTE,), led=LedSettings(pin="24", factory="simulated"), pin=(
        PinSettings(pin="27", target="hand_clap", action="hold", factory="simulated"),))
    running.hears_on()
    press(running, "23")
    owner.wait_for(lambda: owner.last("muted") == "ON")
    await_(lambda: running.appliance.stats.muted_samples > 10 * 16_000 and panel_of(running)._light._state == "muted")
    told = len(running.sink.events)
    assert [event.phase for event in running.sink.events] == ["start", "end"] * (told // 2)
    owner.wait_for(lambda: owner.last("pin/27") == "OFF")
    running.stop()
    again = start(allow=(), button=(MUTE,))
    assert owner.last("muted") == "ON", "a power cut unmutes nobody"
    await_(lambda: again.appliance.stats.muted_samples > 10 * 16_000)
    press(again, "23")
    owner.wait_for(lambda: owner.last("muted") == "OFF")
    again.hears_on()
    assert json.loads((tmp_path / "commanded.json").read_text())["muted"] is False


def test_what_the_button_muted_holds_only_while_there_is_one(start: Start, owner: Owner) -> None:
    """Or a way through the watch socket. Else a board whose settings lost their button could be unmuted by nobody."""
    running = start(allow=(), button=(MUTE,))
    press(running, "23")
    owner.wait_for(lambda: owner.last("muted") == "ON")
    running.stop()
    free = start(allow=(), watch=UNWATCHED)
    assert owner.last("muted") == "OFF"
    free.hears_on()
    assert Settings(button=(WRONG,), watch=UNWATCHED).commandable == ()
    assert Settings(button=(MUTE,), watch=UNWATCHED).commandable == ("mute",)
    assert set(Settings().commandable) >= {"mute", "threshold"}, "through the watch socket"


def test_a_button_and_a_command_are_one_mute(start: Start, owner: Owner) -> None:
    running = start(button=(MUTE,))
    assert owner.ask("mute", {"seconds": 600})["muted"] is True
    press(running, "23")
    owner.wait_for(lambda: owner.last("muted") == "OFF")
    press(running, "23")
    owner.wait_for(lambda: owner.last("muted") == "ON")
    assert owner.ask("unmute")["muted"] is False
    running.hears_on()


def test_the_newest_event_was_wrong(start: Start, owner: Owner, caplog: pytest.LogCaptureFixture) -> None:
    """As `edge-audio feedback ID wrong` does, and heard at once."""
    running = start(allow=(), button=(WRONG, MUTE))
    running.hears_on()
    press(running, "23")
    owner.wait_for(lambda: owner.last("muted") == "ON")
    newest = [event for event in running.sink.events if event.phase == "start"][-1]
    taught = running.appliance.steering.serving.calibrations
    with caplog.at_level("INFO"):
        await_(lambda: "button 25: wrong: done: " in caplog.text or bool(press(running, "25")))
    assert "'target': 'hand_clap', 'wrong': 1," in caplog.text
    assert running.appliance.listener.targets.sounds[0].correction is not None
    assert running.appliance.steering.serving.calibrations is not taught
    known = taught_to("starter", running.state_dir)
    assert known is not None
    assert [(one.event, one.right, one.target) for one in known.judgements] == [(newest.id, False, "hand_clap")]


def test_a_press_before_any_event_is_refused_and_said(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    running = start(button=(WRONG,), target=(TargetSettings(name="glass_break"),))
    press(running, "25")
    await_(lambda: "button 25: wrong: refused: newest event: found none in the journal; wanted an event of a sound"
           in caplog.text)
