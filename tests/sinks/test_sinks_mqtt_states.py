"""When a state is told: with its event, once at a connection, and never for a sound of long ago."""

from __future__ import annotations

from collections.abc import Callable

from edge.sinks.mqtt.states import Kept, States
from edge.stream import Event

MakeEvent = Callable[..., Event]


def test_states_are_those_after_the_newest_event(make_event: MakeEvent) -> None:
    states = States(["clap", "snap", "alarm"])
    for phase, target in (("start", "clap"), ("start", "snap"), ("end", "clap")):
        states.put(make_event(phase, target))
    assert states.all() == {"clap": False, "snap": True, "alarm": False}


def test_a_state_is_told_only_with_events_after_the_last_connection(make_event: MakeEvent) -> None:
    states = States(["clap"])
    states.put(make_event())
    states.all()
    states.put(make_event("end"))
    assert not states.told_with(1, "clap", sounds=True)
    assert states.told_with(2, "clap", sounds=False)


def test_what_an_earlier_run_left_tells_no_state(make_event: MakeEvent) -> None:
    states = States(["clap"])
    states.all()
    assert not states.told_with(7, "clap", sounds=True)  # before this run has heard anything
    states.put(make_event(sequence=9))
    assert not states.told_with(8, "clap", sounds=True)
    assert states.told_with(9, "clap", sounds=True)


def test_a_state_whose_event_was_dropped_is_told_when_nothing_newer_waits(make_event: MakeEvent) -> None:
    """A lamp would stay on for ever if the event that switches it off were the one that had to go."""
    states = States(["clap", "snap"])
    states.all()
    states.put(make_event("start", "clap"))
    assert states.told_with(1, "clap", sounds=True)
    states.put(make_event("end", "clap"))
    states.put(make_event("start", "snap"))
    assert states.differing(1) == {}  # 2 and 3 may tell theirs yet
    assert states.told_with(3, "snap", sounds=True)
    assert states.differing(3) == {"clap": False}
    assert states.differing(3) == {}


def test_targets_come_and_go(make_event: MakeEvent) -> None:
    states = States(["clap", "snap"])
    states.put(make_event(target="clap"))
    states.put(make_event(target="snap"))
    states.all()
    states.retarget(["snap", "alarm"])
    states.put(make_event("end", "clap"))  # it was running when it went
    assert states.all() == {"snap": True, "alarm": False}
    states.put(make_event("end", "snap"))
    assert not states.told_with(3, "clap", sounds=False), "nothing is retained of a target that went"
    assert states.told_with(4, "snap", sounds=False)
    assert states.differing(4) == {}


def test_of_other_retained_topics_the_newest_is_told_once_and_again_at_a_connection() -> None:
    kept = Kept()
    assert told(kept) == []
    for topic, payload in (("muted", "OFF"), ("health", "1"), ("muted", "ON")):
        kept.put(topic, payload)
    assert told(kept) == [("muted", "ON"), ("health", "1")] and told(kept) == []
    kept.put("health", "2")
    assert told(kept) == [("health", "2")]
    kept.again()
    assert told(kept) == [("muted", "ON"), ("health", "2")]


def told(kept: Kept) -> list[tuple[str, str]]:
    return list(iter(kept.take, None))
