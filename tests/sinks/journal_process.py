"""One run of the journal's writer with its outbox and numbers, and what a kill would leave of it."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from edge.sinks.journal.entries import entry_of, recent
from edge.sinks.journal.numbering import Numbering
from edge.sinks.journal.writer import JournalWriter
from edge.sinks.messages import message_of
from edge.sinks.outbox import Outbox
from edge.stats import Stats
from edge.stream import Event, Scores, new_event_id

START = datetime(2026, 11, 22, 12, 0, 0, 0, UTC)
SCORES = Scores(0, np.array([0.9], np.float32), np.zeros(25, np.float32), np.ones(256, np.float32))


class Process:
    """A journal's writer with its outbox and numbers, as in one run of the appliance."""

    def __init__(self, folder: Path, *, most: int = 10_000, events: int = 1_000,
                 utc: Callable[[], float] = time.time) -> None:
        """most: messages that may wait; events: that are kept; utc: seconds since 1970."""
        self.path = folder / "journal.sqlite3"
        self.outbox = Outbox(messages=most, size=8_000_000, stats=Stats())
        self.numbering = Numbering(folder / "sequence")
        self.writer = JournalWriter(self.path, events=events, outbox=self.outbox, numbering=self.numbering,
                                    utc=utc)
        self.writer.open()

    def make(self, count: int) -> None:
        """Events, written and offered."""
        events = [Event(new_event_id(START.timestamp()), self.numbering.next(), "start", "clap", "clap", 0.9, 0.9, 0, None,
                        START, None, -20.0, SCORES) for _ in range(count)]
        entries = [entry_of(event, pack=lambda cells: cells.astype(np.int8), labels=("clap",) * 25, backbone="b" * 64)
                   for event in events]
        messages = [message_of(event, device="kitchen", boot="boot") for event in events]
        self.outbox.offer(messages, saved=self.writer.write(entries, messages, at_once=True))

    def deliver(self) -> None:
        while (taken := self.outbox.take()) is not None:
            self.outbox.acknowledge(taken)

    def waiting(self) -> dict[int, str]:
        return {message.sequence: message.body for message in self.outbox.messages(unsaved=False)}

    def killed(self, folder: Path) -> Path:
        """A folder with what a kill at this moment would leave."""
        folder.mkdir()
        for path in self.path.parent.iterdir():
            shutil.copyfile(path, folder / path.name)
        return folder


def busy(folder: Path, chance: random.Random) -> Process:
    """A process that has delivered a lot, and of which some still wait."""
    process = Process(folder)
    for _ in range(chance.randrange(1, 60)):
        process.make(chance.randrange(1, 12))
        if chance.random() < 0.7:
            process.deliver()
    for _ in range(chance.randrange(1, 30)):
        process.make(chance.randrange(1, 6))
    return process


def nothing_is_lost(before: Process, folder: Path) -> None:
    after = Process(folder)
    found, told = after.waiting(), after.outbox.changes().dropped
    lost = [number for number, body in before.waiting().items()
            if found.get(number) != body and not any(each.first <= number <= each.last for each in told)]
    assert lost == []
    assert after.numbering.first > max(before.waiting())
    after.make(1)
    assert len(recent(folder / "journal.sqlite3", 1)) == 1 and not after.writer.fault
    after.writer.close()
