"""The queue between the listener and the broker, without a broker."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from edge.sinks.mqtt_queue import EventQueue, Waiting
from edge.stats import Stats
from edge.stream import Event

MakeEvent = Callable[..., Event]


def sequences(queue: EventQueue) -> list[int]:
    taken = []
    while (waiting := queue.take()) is not None:
        taken.append(waiting.event.sequence)
    return taken


def test_what_is_put_is_taken_in_order(make_event: MakeEvent) -> None:
    queue = EventQueue(["clap"], 10, Stats())
    for _ in range(5):
        queue.put(make_event())
    assert sequences(queue) == [1, 2, 3, 4, 5]
    assert queue.take() is None


def test_the_oldest_go_first_and_are_counted(make_event: MakeEvent) -> None:
    stats = Stats()
    queue = EventQueue(["clap"], 3, stats)
    for _ in range(5):
        queue.put(make_event())
    assert stats.dropped_events == 2
    assert sequences(queue) == [3, 4, 5]


def test_what_is_given_back_comes_first_in_its_old_order(make_event: MakeEvent) -> None:
    queue = EventQueue(["clap"], 10, Stats())
    for _ in range(4):
        queue.put(make_event())
    taken = [queue.take() for _ in range(3)]
    queue.give_back(waiting for waiting in reversed(taken) if waiting is not None)
    assert sequences(queue) == [1, 2, 3, 4]


def test_what_is_given_back_to_a_full_queue_is_dropped_and_counted(make_event: MakeEvent) -> None:
    stats = Stats()
    queue = EventQueue(["clap"], 2, stats)
    queue.put(make_event())
    taken = queue.take()
    assert taken is not None
    queue.put(make_event())
    queue.put(make_event())
    queue.give_back([taken])
    assert stats.dropped_events == 1
    assert sequences(queue) == [2, 3]


def test_states_are_those_after_the_newest_event(make_event: MakeEvent) -> None:
    queue = EventQueue(["clap", "snap", "alarm"], 10, Stats())
    for phase, target in (("start", "clap"), ("start", "snap"), ("end", "clap")):
        queue.put(make_event(phase, target))
    assert queue.states() == {"clap": False, "snap": True, "alarm": False}


def test_a_state_is_news_only_for_events_after_the_last_states(make_event: MakeEvent) -> None:
    queue = EventQueue(["clap"], 10, Stats())
    queue.put(make_event())
    queue.states()
    queue.put(make_event("end"))
    old, new = queue.take(), queue.take()
    assert isinstance(old, Waiting)
    assert isinstance(new, Waiting)
    assert (queue.state_is_news(old), queue.state_is_news(new)) == (False, True)


def test_a_dropped_event_whose_state_nobody_was_told_asks_for_all_states_again(make_event: MakeEvent) -> None:
    """A lamp would stay on for ever if the event that switches it off were the one that had to go."""
    queue = EventQueue(["clap", "snap"], 1, Stats())
    queue.states()
    queue.put(make_event("end", "clap"))
    assert not queue.state_lost
    queue.put(make_event("start", "snap"))
    assert queue.state_lost
    assert queue.states() == {"clap": False, "snap": True}
    assert not queue.state_lost
    queue.put(make_event("end", "snap"))  # drops one whose state was told
    assert not queue.state_lost


@given(st.lists(st.sampled_from(["put", "take", "lose", "acknowledge"])), st.integers(1, 5))
def test_every_event_is_waiting_taken_acknowledged_or_counted_as_dropped(steps: list[str], limit: int) -> None:
    stats = Stats()
    queue = EventQueue([], limit, stats)
    put = acknowledged = 0
    taken: list[Waiting] = []
    for step in steps:
        if step == "put":
            put += 1
            queue.put(Event("x", put, "start", "t", "l", 1.0, 1.0, 0, None, datetime.now(UTC), None, 0.0))
        elif step == "take" and (waiting := queue.take()) is not None:
            taken.append(waiting)
        elif step == "acknowledge" and taken:
            taken.pop(0)
            acknowledged += 1
        elif step == "lose":
            queue.give_back(taken)
            taken.clear()
        assert len(queue) <= limit
        assert put == len(queue) + len(taken) + acknowledged + stats.dropped_events
    rest = sequences(queue)
    assert rest == sorted(rest)


def test_no_event_is_lost_between_threads(make_event: MakeEvent) -> None:
    stats = Stats()
    queue = EventQueue(["clap"], 50, stats)
    events = [make_event() for _ in range(2000)]
    done = threading.Event()
    taken: list[int] = []

    def take() -> None:
        while not done.is_set() or len(queue):
            taken.extend(sequences(queue))

    taker = threading.Thread(target=take)
    taker.start()
    for event in events:
        queue.put(event)
    done.set()
    taker.join(60)
    assert len(taken) + stats.dropped_events == 2000
    assert taken == sorted(set(taken))
