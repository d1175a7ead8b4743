"""Pins that are asked for without an event: to show which device this is, and to be tried. Through gpiozero's simulation."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator

import pytest

from edge.errors import SettingsError
from edge.settings import PinSettings
from edge.settings_file import parse_settings
from edge.sinks.pins.sink import BLINKS, GpioSink
from edge.sinks.pins.trigger import Trigger
from edge.stream import Event

MakeEvent = Callable[..., Event]
Make = Callable[..., tuple[GpioSink, queue.Queue[tuple[str, bool]]]]


@pytest.fixture
def make() -> Iterator[Make]:
    """make(**settings of a pin, ...) -> a started sink, and the queue of its pins' changes."""
    started: list[GpioSink] = []

    def make(*pins: dict[str, object]) -> tuple[GpioSink, queue.Queue[tuple[str, bool]]]:
        changes: queue.Queue[tuple[str, bool]] = queue.Queue()
        sink = GpioSink([PinSettings(**({"pin": "17", "target": "clap", "factory": "simulated"} | pin))  # type: ignore[arg-type]
                         for pin in pins], lambda name, on: changes.put((name, on)))
        sink.start()
        started.append(sink)
        return sink, changes

    yield make
    for sink in started:
        sink.stop()


@pytest.mark.big
def test_identify_blinks_with_the_pins_that_are_there_for_it(make: Make) -> None:
    sink, changes = make({}, {"pin": "27", "identify": True, "target": ""})
    assert sink.identify() == ("27",)
    assert [changes.get(timeout=30) for _ in range(2 * BLINKS)] == [("27", True), ("27", False)] * BLINKS
    assert changes.empty()


def test_a_device_without_such_pins_says_so(make: Make) -> None:
    sink, _ = make({})
    assert sink.identify() == ()


@pytest.mark.big
def test_what_an_event_does_meanwhile_is_shown_after_the_blinks(make: Make, make_event: MakeEvent) -> None:
    sink, changes = make({"identify": True, "action": "toggle"})
    sink.identify()
    assert changes.get(timeout=30) == ("17", True)
    sink.event(make_event())
    seen = [changes.get(timeout=30)[1] for _ in range(2 * BLINKS - 2)]
    assert seen == [False, True] * (BLINKS - 1), "the last blink does not go off: the event has left the pin on"
    sink.event(make_event())
    assert changes.get(timeout=30) == ("17", False)


def test_a_pin_in_the_middle_of_its_blinks_is_made_safe_at_the_end(make: Make) -> None:
    sink, changes = make({"identify": True, "active_high": False})
    sink.identify()
    assert changes.get(timeout=30) == ("17", True)
    sink.stop()
    assert changes.get(timeout=30) == ("17", False)


@pytest.mark.parametrize(("settings", "seen"), [
    ({"action": "pulse", "seconds": 0.02}, [True, False]), ({"action": "hold", "seconds": 0.02}, [True, False]),
    ({"action": "blink", "seconds": 0.01, "count": 2}, [True, False, True, False]),
    ({"action": "pulse", "seconds": 0.02, "safe_on": True}, [False, True])])
def test_a_test_does_the_action_once(settings: dict[str, object], seen: list[bool], make: Make) -> None:
    sink, changes = make(settings)
    assert sink.test("17") == "17"
    assert [changes.get(timeout=30)[1] for _ in seen] == seen
    assert changes.empty()


def test_an_unknown_pin_is_not_tested(make: Make) -> None:
    sink, changes = make({})
    assert sink.test("18") is None and sink.test("GPIO18") is None
    assert changes.empty()


@pytest.mark.parametrize("name", ["17", "GPIO17", "BCM17", "BOARD11", "J8:11"])
def test_a_pin_is_tested_however_it_is_spelled(name: str, make: Make) -> None:
    """Who wrote `pin = "GPIO17"` was told that there is no pin 17."""
    sink, changes = make({"pin": "GPIO17", "seconds": 0.02})
    assert sink.test(name) == "GPIO17"
    assert changes.get(timeout=30) == ("GPIO17", True)


def test_a_test_toggles_as_an_event_does() -> None:
    trigger = Trigger(PinSettings(action="toggle"))
    assert [trigger.test(float(now)) or trigger.on for now in range(3)] == [True, False, True]


def test_a_test_does_not_let_go_of_a_pin_that_a_sound_holds(make_event: MakeEvent) -> None:
    trigger = Trigger(PinSettings(action="hold", seconds=0.5))
    start = make_event()
    trigger.event(start, 10.0)
    trigger.test(10.1)
    assert trigger.on and trigger.due is None
    trigger.event(make_event("end", id=start.id), 12.0)
    trigger.advance(12.0)
    assert not trigger.on


def test_a_sound_during_a_test_holds_the_pin_for_as_long_as_it_lasts(make_event: MakeEvent) -> None:
    trigger = Trigger(PinSettings(action="hold", seconds=0.5))
    trigger.test(10.0)
    assert trigger.on and trigger.due == 10.5
    trigger.event(make_event(), 10.2)
    assert trigger.on and trigger.due is None


def test_a_pin_may_be_there_to_identify_only() -> None:
    settings = parse_settings({"target": [{"name": "clap"}], "pin": [{"pin": 17, "identify": True}]})
    assert settings.pin[0].identify and not settings.pin[0].target
    with pytest.raises(SettingsError, match=r"pin 17|17 target"):
        parse_settings({"pin": [{"pin": 17}]})


@pytest.mark.parametrize(("allow", "words"), [
    (["mut"], r"\[command\] allow: found 'mut'; wanted of mute, .*did you mean 'mute'"),
    (["mute", "mute"], r"\[command\] allow: found 'mute' twice"), ("mute", r"\[command\] allow.*list of strings")])
def test_only_known_verbs_can_be_allowed(allow: object, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        parse_settings({"command": {"allow": allow}})
