"""One simulated board: what it counts, where it goes, and what a check makes of what it had to drop."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from deploy.fleet.agenda import Agenda
from deploy.fleet.board import Board, CountingOutbox
from deploy.fleet.check import Check
from deploy.fleet.recording import BUNDLED, load_recording
from edge.cli.demonstration.broker import PrivateBroker
from edge.clock import Clock
from edge.settings import MqttSettings
from edge.sinks.messages import Message, message_of
from edge.stats import Stats

SOUNDS = load_recording(BUNDLED)


def board(*nodes: MqttSettings) -> Board:
    return Board("board-0001", nodes, 0, ["hand_clap", "typing"], Clock())


def hear(board: Board, count: int = 1) -> None:
    """So many sounds, start and end each."""
    for _ in range(count):
        sound = SOUNDS[0].again(time.time(), time.monotonic())
        board.hear(sound.start)
        board.hear(sound.end)


def test_the_longest_delay_and_what_went_twice_or_was_refused_are_counted() -> None:
    now = [100.0]
    outbox = CountingOutbox(messages=10, size=10_000, stats=Stats(), monotonic=lambda: now[0])
    sound = SOUNDS[0].again(1_800_000_000.0, 100.0)
    messages = [message_of(replace(event, sequence=number), device="d", boot="") for number, event
                in enumerate((sound.start, sound.end), 1)]
    outbox.offer(messages, saved=False)
    assert [outbox.take(), outbox.take()] == messages
    assert not outbox.eager
    outbox.give_back()
    assert outbox.eager
    now[0] = 104.5
    for taken in (outbox.take(), outbox.take()):
        assert isinstance(taken, Message)
        if taken.phase == "start":
            outbox.acknowledge(taken)
            outbox.acknowledge(taken)  # a broker that says it twice
        else:
            outbox.refuse(taken)
    assert not outbox.eager
    assert (outbox.resent, outbox.acknowledged, outbox.refused, outbox.longest_delay_seconds) == (2, 1, 1, 4.5)
    assert len(outbox) == 1  # what was refused waits until it is forgiven


def test_ids_are_kept_by_sequence_number() -> None:
    one = board(MqttSettings(host="nowhere"))
    hear(one, 3)
    held = one.outbox.messages(unsaved=False)
    assert [message.sequence for message in held] == [1, 2, 3, 4, 5, 6]
    assert all(one.made[message.sequence - 1] in message.body for message in held)
    assert one.made[0] == one.made[1] != one.made[2]


def test_each_lost_connection_is_followed_by_the_next_address_after_a_longer_pause() -> None:
    nodes = [MqttSettings(host=f"node-{number}") for number in range(3)]
    chance = 0.0
    one = Board("board-0001", nodes, 1, [], Clock(), chance=lambda: chance)
    asked = []
    for _ in range(5):
        asked.append(one._nodes[one._node % 3].host)
        one.lost(0.0)
    assert asked == ["node-1", "node-2", "node-0", "node-1", "node-2"]
    chance = 1.0
    assert one.lost(0.0) == 16.0  # the sixth: half of 32 s
    chance = 0.0
    assert one.lost(0.0) == 60.0


@pytest.mark.big
def test_what_had_to_be_dropped_is_told_and_is_not_lost() -> None:
    with PrivateBroker() as broker:
        settings = replace(broker.settings(), queue_events=3)
        check = Check([settings])
        check.start()
        try:
            one = board(settings)
            hear(one, 5)  # no broker has been asked yet
            assert one.stats.dropped_events == 7
            one.opened(one.open(lambda: False), time.monotonic())
            while not one.outbox.finished:
                one.exchange()
                time.sleep(0.01)
            check.await_messages(3, 30.0)
            one.leave()
        finally:
            check.stop()
    verdict = check.verdict({one.name: one.made})
    assert (verdict.received, verdict.lost, one.outbox.acknowledged) == (3, 0, 3)
    assert check.verdict({one.name: [*one.made, "more"]}).lost == 1


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
