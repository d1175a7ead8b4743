"""Journal, outbox and MQTT together, with a real broker: an event is made, told, and forgotten, in this order."""

from __future__ import annotations

import json
import os
import random
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from edge.cli.demonstration.broker import PrivateBroker
from edge.clock import Clock
from edge.settings import JournalSettings
from edge.sinks.journal import file as journal_file
from edge.sinks.journal import writer as journal_writer
from edge.sinks.journal.entries import recent
from edge.sinks.journal.messages import count_waiting
from edge.sinks.journal.numbering import Numbering
from edge.sinks.journal.sink import JournalSink
from edge.sinks.messages import Message
from edge.sinks.mqtt.sink import MqttSink
from edge.sinks.outbox import Outbox
from edge.stats import Stats
from edge.stream import Event
from tests.sinks.conftest import board_of

pytestmark = pytest.mark.big


class Watched(Outbox):
    """Notes of every message that is offered as saved whether the journal's file holds its event."""

    path: Path
    held: list[bool]

    def offer(self, messages: Sequence[Message], *, saved: bool) -> None:
        if saved:
            events = {entry.id for entry in recent(self.path, 1_000)}
            self.held += [any(each in message.body for each in events) for message in messages]
        super().offer(messages, saved=saved)


class Device:
    """The sinks of one run of the appliance."""

    def __init__(self, folder: Path, broker: PrivateBroker, make_event: Callable[..., Event], most: int) -> None:
        stats, clock = Stats(), Clock()
        self.path, self._make_event = folder / "journal.sqlite3", make_event
        self.outbox = Watched(messages=most, size=8_000_000, stats=stats)
        self.outbox.path, self.outbox.held = self.path, []
        self.numbering = Numbering(folder / "sequence")
        self.mqtt = MqttSink(replace(broker.settings(), discovery=False), board_of("clap"), self.outbox, clock=clock)
        self.journal = JournalSink(JournalSettings(), self.path, pack=None, labels=(), backbone="", numbering=self.numbering,
                                   stats=stats, outbox=self.outbox, device="kitchen", boot=clock.boot)
        self.mqtt.start()
        self.journal.start()

    def hear(self, count: int, **values: Any) -> list[Event]:
        """Events, given to the sinks."""
        events = [self._make_event(sequence=self.numbering.next(), **values) for _ in range(count)]
        for event in events:
            self.mqtt.event(event)
            self.journal.event(event)
        return events

    def stop(self) -> None:
        self.mqtt.stop()
        self.journal.stop()


@pytest.fixture
def device(tmp_path: Path, broker: PrivateBroker, make_event: Callable[..., Event]) -> Iterator[Callable[..., Device]]:
    """device(most=10_000) -> a run, stopped at the end; each with the same state directory."""
    runs: list[Device] = []

    def make(most: int = 10_000) -> Device:
        runs.append(Device(tmp_path / "state", broker, make_event, most))
        return runs[-1]

    yield make
    for run in runs:
        run.stop()


def numbers(ear: Any) -> list[int]:
    return [payload["sequence"] for payload in ear.events()]


def told(ear: Any) -> set[int]:
    """Numbers that were told as dropped."""
    return {number for topic, text in ear.heard() if topic.endswith("/dropped") for payload in [json.loads(text)]
            for number in range(payload["first"], payload["last"] + 1)}


def test_what_is_told_is_in_the_journal_and_is_forgotten_once_it_is_delivered(
        broker: PrivateBroker, device: Callable[..., Device], listen: Callable[..., Any]) -> None:
    ear, run = listen(broker, "+/+/event/#"), device()
    for _ in range(5):
        run.hear(20)
    ear.wait_for(lambda heard: len(heard) >= 100)
    assert numbers(ear) == list(range(1, 101))
    run.stop()
    assert run.outbox.held == [True] * 100
    assert count_waiting(run.path) == 0 and len(recent(run.path, 1_000)) == 100


def test_a_restart_delivers_what_waited_as_it_was_and_late(
        broker: PrivateBroker, device: Callable[..., Device], listen: Callable[..., Any]) -> None:
    broker.stop()
    first = device()
    waited = first.hear(50, at=datetime.now(UTC) - timedelta(minutes=1))
    first.stop()
    assert count_waiting(first.path) == 50
    broker.start()
    ear, second = listen(broker, "+/+/event/#"), device()
    new = second.hear(1)
    ear.wait_for(lambda heard: len(heard) >= 51)
    second.stop()
    assert numbers(ear) == list(range(1, 52))
    assert [payload["id"] for payload in ear.events()] == [event.id for event in waited + new]
    assert [payload["late"] for payload in ear.events()] == [True] * 50 + [False]
    for payload, event in zip(ear.events(), waited, strict=False):
        assert abs(datetime.fromisoformat(payload["started_at"]) - event.started_at) < timedelta(milliseconds=1)
    assert count_waiting(second.path) == 0


def test_a_disk_that_fails_delays_nothing_and_has_what_waits_when_it_is_back(
        tmp_path: Path, broker: PrivateBroker, device: Callable[..., Device], listen: Callable[..., Any],
        until: Callable[[Callable[[], bool]], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_writer, "RETRY_SECONDS", 0.05)
    (tmp_path / "state").write_text("a file where the folder should be")
    ear, run = listen(broker, "+/+/event/#"), device()
    run.hear(20)
    ear.wait_for(lambda heard: len(heard) >= 20)
    assert run.journal.state != "ok" and run.outbox.held == []
    until(lambda: len(run.outbox) == 0)  # else the last acknowledgements are lost with the broker
    broker.stop()
    run.hear(20)
    until(lambda: run.outbox.unsaved == 20)
    (tmp_path / "state").unlink()
    until(lambda: run.journal.state == "ok")
    run.stop()
    assert count_waiting(run.path) == 20 and len(recent(run.path, 1_000)) == 40


def test_what_a_damaged_file_held_is_delivered_or_told(
        broker: PrivateBroker, device: Callable[..., Device], listen: Callable[..., Any]) -> None:
    broker.stop()
    first = device()
    first.hear(200)
    first.stop()
    os.truncate(first.path, random.Random(7).randrange(first.path.stat().st_size // 2, first.path.stat().st_size))
    broker.start()
    ear, second = listen(broker, "+/+/event/#", "+/+/dropped"), device()
    new = second.hear(1)
    ear.wait_for(lambda heard: any(new[0].id in payload for _, payload in heard))
    second.stop()
    came = set(numbers(ear))
    assert 1 < len(came) < 201 and came | told(ear) >= set(range(1, new[0].sequence + 1)) and not came & told(ear)
    assert len(list(first.path.parent.glob("*.aside-*"))) == 1


def test_the_oldest_go_first_and_are_told_even_after_a_restart(
        broker: PrivateBroker, device: Callable[..., Device], listen: Callable[..., Any]) -> None:
    broker.stop()
    first = device(10)
    first.hear(30)
    first.stop()
    second = device(10)
    second.hear(5)
    second.stop()
    broker.start()
    ear, third = listen(broker, "+/+/event/#", "+/+/dropped"), device(10)
    ear.wait_for(lambda heard: len([topic for topic, _ in heard if "/event/" in topic]) >= 10)
    third.stop()
    assert numbers(ear) == list(range(26, 36)) and told(ear) == set(range(1, 26))
    assert count_waiting(third.path) == 0


def test_who_reads_the_journal_for_long_stops_nobody(broker: PrivateBroker, device: Callable[..., Device],
                                                     listen: Callable[..., Any]) -> None:
    ear, run = listen(broker, "+/+/event/#"), device()
    run.hear(1)
    ear.wait_for(lambda heard: len(heard) >= 1)
    reader = sqlite3.connect(run.path)
    rows = reader.execute("SELECT id FROM events, (SELECT 1 UNION SELECT 2)")
    rows.fetchone()  # and no more, so that what it reads cannot change
    run.hear(900)
    ear.wait_for(lambda heard: len(heard) >= 901)
    rows.close()
    reader.close()
    assert run.journal.state == "ok"
    run.stop()
    assert not run.path.with_name(run.path.name + "-wal").exists()
    assert run.outbox.held == [True] * 901 and len(recent(run.path, 2_000)) == 901


def test_who_locks_the_journal_delays_nothing(
        broker: PrivateBroker, device: Callable[..., Device], listen: Callable[..., Any],
        until: Callable[[Callable[[], bool]], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_file, "BUSY_SECONDS", 0.05)
    monkeypatch.setattr(journal_writer, "RETRY_SECONDS", 0.05)
    ear, run = listen(broker, "+/+/event/#"), device()
    run.hear(1)
    ear.wait_for(lambda heard: len(heard) >= 1)
    other = sqlite3.connect(run.path)
    other.execute("BEGIN IMMEDIATE")
    run.hear(20)
    ear.wait_for(lambda heard: len(heard) >= 21)
    assert "locked" in run.journal.state
    other.close()
    until(lambda: run.journal.state == "ok" and not run.outbox.unsaved)
    run.stop()
    assert count_waiting(run.path) == 0 and len(recent(run.path, 100)) == 21 and len(ear.events()) == 21
