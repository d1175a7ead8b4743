"""A pin library that does not answer: what waits for it is bounded, counted and said, and no pin is left on."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from edge.errors import SinkError
from edge.settings import PinSettings
from edge.sinks.pins import sink as gpio_module
from edge.sinks.pins.sink import GpioSink
from edge.stream import Event


def pin(name: str = "17", **settings: object) -> PinSettings:
    return PinSettings(**({"pin": name, "target": "clap", "factory": "simulated"} | settings))  # type: ignore[arg-type]


def test_a_pin_library_that_hangs_is_said_and_what_waits_for_it_is_bounded(
        make_event: Callable[..., Event], monkeypatch: pytest.MonkeyPatch,
        until: Callable[[Callable[[], bool]], None]) -> None:
    """It hung, a thousand events an hour piled up in memory, and health said that the pins were well. When it came back,
    all of them were played to the relay. Now the oldest go, are counted, and none of what they held stays on."""
    monkeypatch.setattr(gpio_module, "QUEUE_EVENTS", 10)
    monkeypatch.setattr(gpio_module, "SILENT_SECONDS", 0.05)
    hold, held = threading.Event(), threading.Event()

    def hang(name: str, on: bool) -> None:
        held.set()
        hold.wait(30)

    sink = GpioSink([pin(action="hold"), pin("18", action="toggle", target="snap")], hang)
    sink.start()
    wire = sink.pin("17")
    try:
        sink.event(make_event(id="a"))
        assert held.wait(30)
        sink.event(make_event("end", id="a"))  # is dropped, which must not leave the pin on
        for _ in range(50):
            sink.event(make_event(target="alarm"))
        until(lambda: "the pin library has not answered for" in sink.state)
        assert "s; 41 events" in sink.state and sink._worker.waiting == 10
    finally:
        hold.set()
    until(lambda: sink.state.startswith("ok; 41 events came while it did not answer"))
    until(lambda: not wire.state)
    sink.stop()


def test_a_library_that_hangs_beyond_the_stop_keeps_its_pins_until_it_has_made_them_safe(
        make_event: Callable[..., Event], monkeypatch: pytest.MonkeyPatch,
        until: Callable[[Callable[[], bool]], None]) -> None:
    """The start after such a stop opened the pins anew, failed, and gave back the lines that the hanging thread still
    had: that thread, once back, could not make them safe any more. Now the start is refused before it touches a pin."""
    monkeypatch.setattr(gpio_module, "STOP_SECONDS", 0.05)
    hold, held = threading.Event(), threading.Event()
    changes: list[bool] = []

    def hang(name: str, on: bool) -> None:
        changes.append(on)
        held.set()
        hold.wait(30)

    sink = GpioSink([pin(action="toggle")], hang)
    sink.start()
    try:
        sink.event(make_event())
        assert held.wait(30)
        sink.stop()
        with pytest.raises(SinkError, match="a thread that has not come back"):
            sink.start()
        assert sink.pin("17").state
    finally:
        hold.set()
    until(lambda: changes == [True, False])
    thread = sink._worker.thread
    assert thread is not None
    thread.join(30)
    sink.start()
    sink.stop()
