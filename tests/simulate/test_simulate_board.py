"""What a simulated board has to tell, and what becomes of it: without a broker, without a clock."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from edge.simulate.agenda import Agenda
from edge.simulate.board import Board, Message
from edge.simulate.recording import BUNDLED, load_recording

SOUNDS = load_recording(BUNDLED)
NOW = 1_800_000_000.0


def board(limit: int = 1000) -> Board:
    return Board("board-0001", "edge-audio", ["hand_clap", "typing"], limit)


def hear(board: Board, count: int = 1, now: float = 0.0) -> None:
    """So many sounds, start and end each."""
    for _ in range(count):
        sound = SOUNDS[0].again(NOW)
        for event in (sound.start, sound.end):
            board.hear(replace(event, sequence=board.sequence + 1), now)


def taken(board: Board, unix_seconds: float = NOW) -> list[Message]:
    """All that it has to tell now."""
    messages = []
    while (message := board.take(unix_seconds)) is not None:
        messages.append(message)
    return messages


def told(messages: list[Message]) -> list[tuple[str, str]]:
    """(last levels of the topic, payload), of an event its phase."""
    return [(message.topic.removeprefix("edge-audio/board-0001/"), message.payload if message.retain
             else json.loads(message.payload)["phase"]) for message in messages]


def test_a_connection_is_told_the_states_and_then_each_event_with_its_own() -> None:
    one = board()
    one.health(3.0)
    one.announce()
    hear(one)
    assert told(taken(one)) == [
        ("status", "online"), ("state/hand_clap", "OFF"), ("state/typing", "OFF"),
        ("health", '{"schema":1,"uptime_seconds":3.0,"simulated":true,"messages":0,"dropped_events":0}'),
        ("event/hand_clap", "start"), ("state/hand_clap", "ON"), ("event/hand_clap", "end"), ("state/hand_clap", "OFF")]


def test_what_was_heard_before_a_connection_is_told_late_and_without_states() -> None:
    one = board()
    hear(one)
    one.announce()
    messages = taken(one, NOW + 60.0)
    assert told(messages)[3:] == [("event/hand_clap", "start"), ("event/hand_clap", "end")]
    assert all(json.loads(message.payload)["late"] for message in messages[3:])


def test_only_the_newest_health_waits_for_a_connection() -> None:
    one = board()
    for seconds in (1.0, 2.0, 3.0):
        one.health(seconds)
    one.announce()
    assert [json.loads(payload)["uptime_seconds"] for topic, payload in told(taken(one)) if topic == "health"] == [3.0]


def test_the_oldest_go_first_where_the_limit_is_reached() -> None:
    one = board(limit=3)
    hear(one, 5)
    assert (one.sequence, one.waiting, one.counts.dropped) == (10, 3, 7)
    one.announce()
    assert [message.event.sequence for message in taken(one) if message.event] == [8, 9, 10]


def test_goodbye_leaves_nothing_that_is_retained() -> None:
    one = board()
    one.health(1.0)
    one.announce()
    taken(one)
    one.leave()
    left = {message.topic: message.payload for message in taken(one)}
    assert set(left.values()) == {""}
    assert len(left) == 4  # status, health, two states
    one.lost()
    one.announce()  # the goodbye was cut short: the next connection says it again, and nothing else
    assert {message.topic: message.payload for message in taken(one)} == left


@given(st.lists(st.sampled_from(["hear", "take", "acknowledge", "lose", "refuse"]), max_size=60), st.integers(1, 10))
def test_every_message_is_acknowledged_refused_dropped_or_waits_in_order(steps: list[str], limit: int) -> None:
    one = board(limit)
    one.announce()
    on_their_way: list[int] = []
    number = 0
    for step in steps:
        if step == "hear":
            hear(one)
        elif step == "take" and (message := one.take(NOW)) is not None:
            number += 1
            one.sent_as(number, message)
            on_their_way.append(number)
        elif step in ("acknowledge", "refuse") and on_their_way:
            one.acknowledge(on_their_way.pop(0), "quota" if step == "refuse" else "", 0.0)
        elif step == "lose":
            one.lost()
            one.announce()
            on_their_way.clear()
        counts = one.counts
        assert one.sequence == counts.acknowledged + counts.refused + counts.dropped + one.waiting
    one.lost()
    one.announce()
    rest = [message.event for message in taken(one) if message.event]
    assert len(rest) <= limit
    assert [event.sequence for event in rest] == sorted(event.sequence for event in rest)
    assert all(one.made[event.sequence - 1] == event.id for event in rest)


def test_the_longest_delay_and_what_went_twice_are_counted() -> None:
    one = board()
    one.announce()
    hear(one, now=100.0)
    for number, message in enumerate(taken(one)):
        one.sent_as(number, message)
    one.lost()
    one.announce()
    for number, message in enumerate(taken(one)):
        one.sent_as(number, message)
        one.acknowledge(number, "", 104.5)
    assert (one.counts.resent, one.counts.acknowledged, one.counts.longest_delay_seconds) == (2, 2, 4.5)
    assert not one.busy


def test_an_agenda_does_what_is_due_in_order() -> None:
    agenda, done = Agenda(), []
    assert agenda.pause_seconds(0.0, 0.5) == 0.5
    agenda.add(2.0, lambda: done.append("second"))
    agenda.add(1.0, lambda: done.append("first"))
    agenda.add(2.0, lambda: agenda.add(2.0, lambda: done.append("fourth")))
    agenda.add(2.0, lambda: done.append("third"))
    agenda.add(3.0, lambda: done.append("later"))
    agenda.do_due(2.0)
    assert done == ["first", "second", "third", "fourth"]
    assert (agenda.pause_seconds(2.75, 0.5), agenda.pause_seconds(4.0, 0.5)) == (0.25, 0.0)
