"""A listener that hangs: its pins go to their safe state before systemd's watchdog ends the program."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.app import build
from edge.settings import GateSettings, LogSettings, ModelSettings, Settings, TargetSettings
from edge.settings.panel import LedSettings
from edge.settings.pins import PinSettings
from edge.sinks.pins import progress as progress_module
from edge.sinks.pins import sink as sink_module
from edge.sinks.pins.progress import LOST_SECONDS, Progress
from edge.sinks.pins.sink import GpioSink
from edge.stream import Block, Event, StreamFormat
from tests.control.commanding import EndlessSource
from tests.external_delegate import Claims, delegate_library

ROOT = Path(__file__).resolve().parent.parent.parent
Until = Callable[[Callable[[], bool]], None]


class Hands:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.seconds = 50.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
def start(clock: Hands, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., GpioSink]]:
    """start(**settings of pin 27) -> a started sink whose listener is lost by the clock above."""
    monkeypatch.setattr(sink_module, "LOOK_SECONDS", 0.02)
    started: list[GpioSink] = []

    def start(**settings: Any) -> GpioSink:
        pin = PinSettings(**({"pin": "27", "target": "clap", "factory": "simulated"} | settings))
        started.append(GpioSink([pin], progress=Progress(10.0, clock)))
        started[-1].start()
        return started[-1]

    yield start
    for sink in started:
        sink.stop()


def test_it_is_lost_after_its_seconds_and_not_before_the_first_sign(clock: Hands) -> None:
    progress = Progress(10.0, clock)
    clock.seconds += 1000.0
    assert not progress.lost and progress.text == "ok"
    progress.beat()
    clock.seconds += 9.9
    assert not progress.lost and round(progress.left, 6) == 0.1
    clock.seconds += 5.1
    assert progress.lost and progress.text == "the listener makes no progress for 15 s"
    progress.beat()
    assert not progress.lost


def test_the_pins_are_safe_before_the_watchdog_bites() -> None:
    """systemd is told at most a third of WatchdogSec before the listener hangs."""
    unit = (ROOT / "deploy" / "edge-audio.service").read_text()
    watchdog = float(re.findall(r"^WatchdogSec=(\d+)$", unit, re.MULTILINE)[0])
    assert watchdog * 2 / 3 > LOST_SECONDS + 1.0


@pytest.mark.parametrize("safe_on", [False, True])
@pytest.mark.parametrize("settings", [{"action": "hold"}, {"action": "toggle"}, {"action": "pulse", "seconds": 3000},
                                      {"action": "blink", "seconds": 3000}], ids=lambda settings: settings["action"])
def test_a_lost_listener_leaves_no_pin_away(start: Callable[..., GpioSink], clock: Hands, until: Until, settings: Any,
                                            make_event: Callable[..., Event], safe_on: bool) -> None:
    sink = start(**settings, safe_on=safe_on)
    wire = sink.pin("27")
    event = make_event(id="abcd")
    sink.event(event)
    until(lambda: wire.state != safe_on)
    clock.seconds += 10.0
    sink._worker.wake()  # the clock that moved is not the one by which the thread sleeps
    until(lambda: wire.state == safe_on)
    assert sink.state == "the listener makes no progress for 10 s"
    assert sink.test("27") == "27"  # dropped: nobody would hear what comes after it
    until(lambda: not sink._worker.waiting and not sink._worker.busy_seconds)
    sink.event(replace(event, phase="end", end=event.start, ended_at=event.started_at))  # it has come round
    until(lambda: sink._lost.text == "")
    assert sink.state == "ok" and wire.state == safe_on
    sink.event(make_event())
    until(lambda: wire.state != safe_on)


def test_a_pin_at_rest_wakes_nobody(start: Callable[..., GpioSink], clock: Hands, make_event: Callable[..., Event]) -> None:
    sink = start(action="toggle")
    sink._progress.beat()
    assert sink._due() is None
    sink.event(make_event(target="other"))
    assert sink._due() is None


@pytest.mark.big
def test_a_listener_that_hangs_in_an_inference_lets_go_of_what_it_holds(
        monkeypatch: pytest.MonkeyPatch, tmp_path: Path, until: Until, caplog: pytest.LogCaptureFixture) -> None:
    """A whole appliance, and a delegate that does not come back: the sound holds the pin, and its end is never heard."""
    monkeypatch.setattr(progress_module, "LOST_SECONDS", 1.0)
    monkeypatch.setenv("EDGE_AUDIO_STUCK", str(stuck := tmp_path / "stuck"))
    changes: list[tuple[str, bool]] = []
    source = EndlessSource("typing.wav")
    noise = np.random.default_rng(1).normal(0, 1, (4000, 1600))
    source.script = [Block(np.rint(block * (10 if number < 50 else 3000)).astype(np.int16), 0, StreamFormat(16_000, 1))
                     for number, block in enumerate(noise)]
    settings = Settings(log=LogSettings(events=""), gate=GateSettings(enabled=False),
                        model=ModelSettings(delegate=str(delegate_library(tmp_path, Claims.STUCK))),
                        led=LedSettings("24", factory="simulated"),
                        target=(TargetSettings(name="loud", louder_db=20.0, release_seconds=600.0),),
                        pin=(PinSettings(pin="27", target="loud", action="hold", factory="simulated"),))
    appliance = build(settings, tmp_path, source=source, on_pin_change=lambda pin, on: changes.append((pin, on)))
    panel: Any = next(guard._sink for guard in appliance.sinks if guard.name == "panel")
    thread = threading.Thread(target=appliance.run)
    thread.start()
    try:
        until(lambda: changes == [("27", True)])
        stuck.touch()
        until(lambda: changes == [("27", True), ("27", False)])
        until(lambda: panel._light._state == "trouble")
        assert "gpio: the listener makes no progress; the pins are in their safe state" in caplog.messages
        stuck.unlink()
        until(lambda: panel._light._state == "hearing")
        until(lambda: "gpio: the listener comes round again" in caplog.messages)
    finally:
        stuck.unlink(missing_ok=True)
        appliance.stop()
        thread.join(60)
    assert not thread.is_alive() and changes == [("27", True), ("27", False)]
