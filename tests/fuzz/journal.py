"""The journal's file, damaged: who reads it says so or reads on; who writes it begins a new one, and loses no new event."""

from __future__ import annotations

import json
import random
import sqlite3
import struct
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from edge.errors import SettingsError, SinkError
from edge.sinks.journal import history
from edge.sinks.journal.entries import Entry, entry_of, find, newest, recent
from edge.sinks.journal.messages import Kept, count_waiting, salvage_messages
from edge.sinks.journal.numbering import Numbering
from edge.sinks.journal.writer import JournalWriter
from edge.sinks.messages import Dropped, Message, message_of
from edge.sinks.outbox import Outbox
from edge.stats import Stats
from edge.stream import Event, Scores, new_event_id
from tests.fuzz import mutation

START = datetime(2026, 11, 22, 12, 0, 0, 250_000, UTC)
SCORES = Scores(0, np.array([0.9], np.float32), np.zeros(4, np.float32), np.ones(8, np.float32))
PARTS = ("", "-wal")


class Run:
    """A journal's writer with its outbox and numbers, as in one run of the appliance."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "journal.sqlite3"
        self.outbox = Outbox(messages=100, size=1_000_000, stats=Stats())
        self.numbering = Numbering(folder / "sequence")
        self.writer = JournalWriter(self.path, events=50, outbox=self.outbox, numbering=self.numbering)
        self.writer.open()

    def make(self, count: int) -> tuple[bool, str]:
        """Events, written and offered: whether they are on the disk, and the id of the last."""
        events = [Event(new_event_id(START.timestamp()), self.numbering.next(), "start", "clap", "clap", 0.9, 0.9, 0, None,
                        START, None, -20.0, SCORES) for _ in range(count)]
        entries = [entry_of(event, pack=lambda cells: cells.astype(np.int8), labels=("clap",) * 4, backbone="b" * 64)
                   for event in events]
        messages = [message_of(event, device="kitchen", boot="boot") for event in events]
        done = self.writer.write(entries, messages, at_once=True)
        self.outbox.offer(messages, saved=done)
        return done, events[-1].id

    def taken(self, most: int) -> None:
        """The broker takes so many."""
        for _ in range(most):
            if (message := self.outbox.take()) is not None:
                self.outbox.acknowledge(message)


class JournalFile:
    """A file and its write-ahead log, behind the length of the file."""

    allowed = ()

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = 0

    def seeds(self) -> Sequence[bytes]:
        run = Run(self._folder / "seed")
        run.make(5)
        run.taken(2)
        run.outbox.drop(900, 901)
        run.make(3)
        open_yet = _packed(run.path)
        run.writer.close()
        run.numbering.close()
        closed = _packed(run.path)
        old = self._folder / "old.sqlite3"
        with sqlite3.connect(old) as file:
            file.executescript("""
                CREATE TABLE heads (head INTEGER PRIMARY KEY, backbone TEXT NOT NULL, labels TEXT NOT NULL);
                CREATE TABLE events (sequence INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, target TEXT NOT NULL,
                    label TEXT NOT NULL, probability REAL NOT NULL, score REAL NOT NULL, started_at TEXT NOT NULL,
                    ended_at TEXT, level_dbfs REAL NOT NULL, head INTEGER REFERENCES heads, cells BLOB, logits BLOB);
                PRAGMA user_version = 1;""")
        file.close()
        return [open_yet, closed, _packed(old), _packed(self._folder / "none")]

    def try_one(self, data: bytes) -> None:
        self._number += 1
        folder = self._folder / f"damaged{self._number % 8}"
        folder.mkdir(exist_ok=True)
        for left in folder.iterdir():
            left.unlink()
        path = folder / "journal.sqlite3"
        size = int.from_bytes(data[:4], "little")
        for ending, part in zip(PARTS, (data[4:4 + size], data[4 + size:]), strict=True):
            if part:
                path.with_name(path.name + ending).write_bytes(part)
        self._read(path)
        run = Run(folder)
        try:
            for taken in iter(run.outbox.take, None):
                assert isinstance(taken, Dropped) or taken.target
                run.outbox.acknowledge(taken)
            done, made = run.make(1)
            assert done, f"an event that was not written: {run.writer.fault}"
            done, made = run.make(1)
            assert done, f"a second event that was not written: {run.writer.fault}"
        finally:
            run.writer.close()
        try:
            assert recent(path, 1)[0].id == made
        except SinkError:  # events of before, which nobody has looked at yet
            pass
        self._read(path)

    def _read(self, path: Path) -> None:
        """As the page, `feedback` and `check` read it. Each may say that it cannot."""
        asked = history.Asked(since=START)
        for read in (lambda: history.events(path, history.Asked(), limit=50), lambda: history.events(path, asked, limit=5),
                     lambda: list(history.counts(path, history.Asked()).values()), lambda: history.targets(path),
                     lambda: recent(path, 50),
                     lambda: find(path, "01a2"), lambda: newest(path), lambda: count_waiting(path),
                     lambda: salvage_messages(path)):
            try:
                json.dumps(read(), default=_plain, allow_nan=False)
            except (SinkError, SettingsError) as error:
                assert error.found and len(str(error)) < 2_000
                if isinstance(error, SettingsError):
                    assert error.thing in ("EVENT-ID", "newest event")

    def mutate(self, data: bytes, chance: random.Random) -> bytes:
        size = int.from_bytes(data[:4], "little")
        file, log = bytearray(data[4:4 + size]), data[4 + size:]
        kind = chance.randrange(8)
        if kind == 0 and file:  # the header, field by field
            at = chance.choice((16, 18, 19, 20, 21, 22, 23, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60, 64, 68, 96))
            file[at:at + 4] = struct.pack(">I", chance.choice((*mutation.EDGES[:12], 3, 4, 5, 1024, 65_535)) & 0xFFFF_FFFF)
        elif kind == 1 and file:  # the head of a page
            at = chance.randrange(max(len(file) // 1_024, 1)) * 1_024 + chance.randrange(12)
            file[at:at + 1] = bytes([chance.choice((0, 2, 5, 10, 13, 255, chance.randrange(256)))])
        elif kind == 2 and file:
            first, second = (chance.randrange(max(len(file) // 1_024, 1)) * 1_024 for _ in range(2))
            file[first:first + 1_024] = file[second:second + 1_024]
        elif kind == 3 and log:
            log = mutation.of_bytes(log, chance)
        elif kind == 4:
            log = chance.choice((b"", log))
            file = bytearray(mutation.of_bytes(bytes(file), chance, tokens=(b"CREATE TABLE", b"events", bytes(1_024))))
        else:  # cells of a page: types and lengths of values
            for _ in range(chance.randint(1, 6)):
                if file:
                    file[chance.randrange(len(file))] = chance.choice((0, 1, 4, 6, 7, 8, 9, 12, 13, 0x7F, 0x80, 0x81, 0xFF))
        return struct.pack("<I", len(file)) + bytes(file) + log


def _plain(value: object) -> object:
    """What JSON has no word for, of what readers give."""
    if isinstance(value, Entry):
        assert value.started_at.tzinfo is not None or value.started_at.year
        return [value.id, value.target, value.label, value.probability, value.score, value.level_dbfs, *value.labels]
    assert isinstance(value, Kept | Message | Dropped), value
    return str(value)


def _packed(path: Path) -> bytes:
    file, log = (part.read_bytes() if (part := path.with_name(path.name + ending)).exists() else b"" for ending in PARTS)
    return struct.pack("<I", len(file)) + file + log
