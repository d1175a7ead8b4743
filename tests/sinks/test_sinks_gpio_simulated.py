"""Simulated pins: they are gpiozero's, which are made for tests and remember all that they were."""

from __future__ import annotations

from collections.abc import Callable

from edge.sinks.pins.simulated import REMEMBERED
from edge.stream import Event
from tests.sinks.test_sinks_gpio import Watched, pin


def test_a_simulated_pin_remembers_its_newest_changes_only(make_event: Callable[..., Event]) -> None:
    """An appliance with a simulated pin grew by every change of the pin, for as long as it ran."""
    seen = Watched(pin(action="toggle"))
    try:
        for number in range(REMEMBERED + 50):
            seen.sink.event(make_event())
            assert seen.next_change() == ("17", number % 2 == 0)
        states = [each.state for each in seen.sink.pin("17").states]
    finally:
        seen.sink.stop()
    assert len(states) == REMEMBERED and states == [number % 2 == 0 for number in range(50, REMEMBERED + 50)]
