"""What an event makes a pin do, in made-up time."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from edge.settings import PinSettings
from edge.sinks.trigger import Trigger
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
    assert vars(trigger) == vars(Trigger(trigger._settings))
