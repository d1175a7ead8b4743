"""What an event makes a pin do, in made-up time."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from edge.settings.pins import PinSettings
from edge.sinks.pins.trigger import Trigger
from edge.stream import Event

MakeEvent = Callable[..., Event]


def run(trigger: Trigger, now: float, until: float) -> list[tuple[float, bool]]:
    """Every change from `now` to `until`, called exactly when due: [(time, on)]."""
    changes = []
    while trigger.due is not None and trigger.due <= until:
        now = max(now, trigger.due)
        before = trigger.on
        trigger.advance(now)
        if trigger.on != before:
            changes.append((now, trigger.on))
    return changes


def test_pulse_is_on_for_its_seconds(make_event: MakeEvent) -> None:
    trigger = Trigger(PinSettings(action="pulse", seconds=0.5))
    assert not trigger.on
    trigger.event(make_event(), 10.0)
    assert trigger.on
    assert run(trigger, 10.0, 99.0) == [(10.5, False)]
    assert trigger.due is None


def test_an_event_during_a_pulse_extends_it(make_event: MakeEvent) -> None:
    trigger = Trigger(PinSettings(action="pulse", seconds=0.5))
    trigger.event(make_event(), 10.0)
    trigger.event(make_event(), 10.25)
    assert trigger.on
    assert run(trigger, 10.25, 99.0) == [(10.75, False)]


@pytest.mark.parametrize("action", ["pulse", "toggle", "blink"])
def test_the_end_of_a_sound_means_nothing_to_pulse_toggle_and_blink(action: str, make_event: MakeEvent) -> None:
    trigger = Trigger(PinSettings(action=action))
    trigger.event(make_event("end"), 10.0)
    assert not trigger.on
    assert trigger.due is None


def test_toggle_changes_at_each_event(make_event: MakeEvent) -> None:
    trigger = Trigger(PinSettings(action="toggle"))
    states = []
    for now in range(4):
        trigger.event(make_event(), float(now))
        states.append(trigger.on)
        assert trigger.due is None
    assert states == [True, False, True, False]


def test_hold_lasts_from_start_to_end(make_event: MakeEvent) -> None:
    trigger = Trigger(PinSettings(action="hold"))
    start = make_event(id="a")
    trigger.event(start, 10.0)
    assert trigger.on
    assert trigger.due is None
    trigger.event(make_event("end", id="a", lasted=3.0), 13.5)
    assert run(trigger, 13.5, 99.0) == [(13.5, False)]


def test_hold_is_no_shorter_than_the_sound_when_start_and_end_come_together(make_event: MakeEvent) -> None:
    trigger = Trigger(PinSettings(action="hold"))
    trigger.event(make_event(id="a"), 10.0)
    trigger.event(make_event("end", id="a", lasted=0.25), 10.0)
    assert trigger.on
    assert run(trigger, 10.0, 99.0) == [(10.25, False)]


def test_hold_ignores_the_end_of_another_event(make_event: MakeEvent) -> None:
    trigger = Trigger(PinSettings(action="hold"))
    trigger.event(make_event(id="a"), 10.0)
    trigger.event(make_event("end", id="b"), 11.0)
    assert trigger.on
    assert trigger.due is None


def test_a_new_sound_during_the_rest_of_a_hold_keeps_it(make_event: MakeEvent) -> None:
    trigger = Trigger(PinSettings(action="hold"))
    trigger.event(make_event(id="a"), 10.0)
    trigger.event(make_event("end", id="a", lasted=0.25), 10.0)
    trigger.event(make_event(id="b"), 10.1)
    assert trigger.due is None
    trigger.event(make_event("end", id="b", lasted=0.25), 12.0)
    assert run(trigger, 12.0, 99.0) == [(12.0, False)]


def test_blink_goes_on_and_off_count_times(make_event: MakeEvent) -> None:
    trigger = Trigger(PinSettings(action="blink", seconds=0.5, count=3))
    trigger.event(make_event(), 10.0)
    assert trigger.on
    assert run(trigger, 10.0, 99.0) == [(10.5, False), (11.0, True), (11.5, False), (12.0, True), (12.5, False)]
    assert trigger.due is None


def test_an_event_during_a_blink_starts_it_anew(make_event: MakeEvent) -> None:
    trigger = Trigger(PinSettings(action="blink", seconds=0.5, count=2))
    trigger.event(make_event(), 10.0)
    run(trigger, 10.0, 10.6)
    trigger.event(make_event(), 10.7)
    assert trigger.on
    assert run(trigger, 10.7, 99.0) == [(11.2, False), (11.7, True), (12.2, False)]


def test_a_late_call_never_shortens_a_step(make_event: MakeEvent) -> None:
    trigger = Trigger(PinSettings(action="blink", seconds=0.5, count=2))
    trigger.event(make_event(), 10.0)
    trigger.advance(20.0)
    assert not trigger.on
    trigger.advance(20.0)
    assert not trigger.on
    assert trigger.due == 20.5


@pytest.mark.parametrize("action", ["pulse", "toggle", "hold", "blink"])
def test_a_safe_state_of_on_turns_every_action_round(action: str, make_event: MakeEvent) -> None:
    trigger = Trigger(PinSettings(action=action, safe_on=True))
    assert trigger.on
    trigger.event(make_event(), 10.0)
    assert not trigger.on


@pytest.mark.parametrize("action", ["pulse", "toggle", "hold", "blink"])
@pytest.mark.parametrize("safe_on", [False, True])
def test_reset_returns_to_the_safe_state_and_no_plans(action: str, safe_on: bool, make_event: MakeEvent) -> None:
    trigger = Trigger(PinSettings(action=action, safe_on=safe_on))
    trigger.event(make_event(id="a"), 10.0)
    trigger.reset()
    assert trigger.on == safe_on
    assert trigger.due is None
    trigger.event(make_event("end", id="a"), 11.0)
    assert trigger.on == safe_on
    trigger.event(make_event(), 12.0)
    assert trigger.on != safe_on, "whatever was forgotten, the next event is taken"


@pytest.mark.parametrize("action", ["pulse", "toggle", "hold", "blink"])
def test_after_the_maximum_the_pin_is_safe_and_the_action_over(action: str, make_event: MakeEvent) -> None:
    trigger = Trigger(PinSettings(action=action, seconds=4.0, maximum_seconds=5.0))
    trigger.event(make_event(id="a"), 10.0)
    if action != "toggle":
        trigger.event(make_event(id="b"), 13.0)
    assert run(trigger, 13.0, 99.0) == [(15.0, False)]
    assert trigger.due is None
    trigger.event(make_event("end", id="a", lasted=60.0), 70.0)
    assert not trigger.on and trigger.due is None
    trigger.event(make_event(id="c"), 80.0)
    assert trigger.on


def test_hold_lasts_until_the_last_of_several_sounds_ends(make_event: MakeEvent) -> None:
    trigger = Trigger(PinSettings(action="hold", targets=("alarm", "siren")))
    trigger.event(make_event(id="a", target="alarm"), 10.0)
    trigger.event(make_event(id="b", target="siren"), 11.0)
    trigger.event(make_event("end", id="b", target="siren", lasted=0.5), 12.0)
    assert trigger.on and trigger.due is None
    trigger.event(make_event("end", id="a", target="alarm", lasted=4.0), 14.5)
    assert run(trigger, 14.5, 99.0) == [(14.5, False)]


def test_no_event_is_taken_during_the_cool_down(make_event: MakeEvent) -> None:
    trigger = Trigger(PinSettings(action="pulse", seconds=0.5, cool_down_seconds=10.0))
    trigger.event(make_event(), 0.0)
    assert run(trigger, 0.0, 99.0) == [(0.5, False)]
    for now in (0.5, 10.0, 10.4):
        trigger.event(make_event(), now)
        assert not trigger.on
    trigger.event(make_event(), 10.5)
    assert trigger.on


def test_a_test_waits_for_no_cool_down_but_keeps_to_the_maximum(make_event: MakeEvent) -> None:
    trigger = Trigger(PinSettings(action="toggle", cool_down_seconds=10.0, maximum_seconds=2.0, when_probability=1.0))
    trigger.event(make_event(probability=1.0), 0.0)
    trigger.test(1.0)
    assert not trigger.on
    trigger.test(1.5)
    assert trigger.on
    assert run(trigger, 1.5, 99.0) == [(3.5, False)]


@pytest.mark.parametrize(("probability", "level_dbfs", "taken"), [
    (0.8, -30.0, True), (0.79, -30.0, False), (0.8, -30.5, False), (1.0, 0.0, True)])
def test_only_events_that_are_sure_and_loud_enough_are_taken(probability: float, level_dbfs: float, taken: bool,
                                                             make_event: MakeEvent) -> None:
    trigger = Trigger(PinSettings(action="hold", when_probability=0.8, when_level_dbfs=-30.0))
    trigger.event(make_event(id="a", probability=probability, level_dbfs=level_dbfs), 10.0)
    assert trigger.on is taken
    trigger.event(make_event("end", id="a", probability=1.0, level_dbfs=0.0), 11.0)
    assert run(trigger, 11.0, 99.0) == ([(11.0, False)] if taken else [])
