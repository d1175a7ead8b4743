"""A pin library that does not answer: what waits for it is bounded, counted and said, and no pin is left on."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from edge.settings import PinSettings
from edge.sinks import gpio as gpio_module
from edge.sinks.gpio import GpioSink
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
