"""Whatever happens to the journal's file: what waited for the broker is found by the next process, or told as dropped."""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from edge.journal import entry_of, recent
from edge.journal_file import JournalFile
from edge.messages import Dropped, message_of
from edge.numbering import RESERVE, Numbering
from edge.outbox import Outbox
from edge.sinks.journal_writer import JournalWriter
from edge.stats import Stats
from edge.stream import Event, Scores, new_event_id

START = datetime(2026, 11, 22, 12, 0, 0, 0, UTC)
SCORES = Scores(0, np.array([0.9], np.float32), np.zeros(25, np.float32), np.ones(256, np.float32))


class Process:
    """A journal's writer with its outbox and numbers, as in one run of the appliance."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "journal.sqlite3"
        self.outbox = Outbox(messages=10_000, size=8_000_000, stats=Stats())
        self.numbering = Numbering(folder / "sequence")
        self.writer = JournalWriter(self.path, events=1_000, outbox=self.outbox, numbering=self.numbering)
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


def cut(path: Path, chance: random.Random) -> None:
    os.truncate(path, chance.randrange(path.stat().st_size))


def scribble(path: Path, chance: random.Random) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(chance.randrange(size))
        file.write(chance.randbytes(chance.randrange(1, 5_000)))
        file.truncate(size)


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


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("harm", [cut, scribble])
@pytest.mark.parametrize("closed", [False, True])
def test_a_file_that_was_damaged_while_nobody_had_it(tmp_path: Path, harm: Callable[[Path, random.Random], None], seed: int,
                                                     closed: bool) -> None:
    chance = random.Random(seed)
    process = busy(tmp_path / "first", chance)
    if closed:
        process.writer.close()
    folder = process.killed(tmp_path / "second")
    harm(folder / "journal.sqlite3", chance)
    nothing_is_lost(process, folder)
    process.writer.close()


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("ending", ["", "-wal"])
def test_a_file_that_is_cut_while_it_is_written(tmp_path: Path, ending: str, seed: int) -> None:
    chance = random.Random(seed)
    process = busy(tmp_path / "first", chance)
    cut(process.path.with_name(process.path.name + ending), chance)
    for _ in range(chance.randrange(1, 4)):
        process.make(chance.randrange(1, 6))
    nothing_is_lost(process, process.killed(tmp_path / "second"))
    process.writer.close()


@pytest.mark.parametrize("endings", [[""], ["-wal"], ["", "-wal", "-shm"]])
def test_a_file_that_is_deleted_while_it_is_written(tmp_path: Path, endings: list[str]) -> None:
    process = busy(tmp_path / "first", random.Random(1))
    for ending in endings:
        process.path.with_name(process.path.name + ending).unlink()
    process.make(1)
    nothing_is_lost(process, process.killed(tmp_path / "second"))
    process.writer.close()


def test_a_kill_just_after_a_damaged_file_was_set_aside(tmp_path: Path) -> None:
    """What could be read of it is in the new one already, and a new one without a number is not believed."""
    process = busy(tmp_path / "first", random.Random(1))
    folder = process.killed(tmp_path / "second")
    (folder / "journal.sqlite3-wal").unlink()
    cut(folder / "journal.sqlite3", random.Random(2))
    nothing_is_lost(process, Process(folder).killed(tmp_path / "third"))
    shutil.copytree(folder, tmp_path / "fourth", ignore=shutil.ignore_patterns("journal*"))
    JournalFile(tmp_path / "fourth" / "journal.sqlite3", write=True).close()
    nothing_is_lost(process, tmp_path / "fourth")


def test_a_start_that_can_read_nothing_uses_no_number_of_before(tmp_path: Path) -> None:
    """The state directory cannot be used at first: numbers go by the date, and what waits in it comes when it can."""
    before = busy(tmp_path / "state", random.Random(1))
    before.writer.close()
    (tmp_path / "state").rename(tmp_path / "away")
    (tmp_path / "state").write_text("a file where the folder should be")
    process = Process(tmp_path / "state")
    assert "Not a directory" in process.writer.fault or "File exists" in process.writer.fault
    process.make(3)
    new = process.waiting()
    assert min(new) > (time.time() - 60) * 1000 and process.outbox.unsaved == 3
    (tmp_path / "state").unlink()
    (tmp_path / "away").rename(tmp_path / "state")
    process.make(1)
    assert process.waiting().items() > (before.waiting() | new).items()
    assert process.outbox.changes().dropped == (Dropped(max(before.waiting()) + 1, min(new) - 1),)
    nothing_is_lost(process, process.killed(tmp_path / "second"))
    process.writer.close()


def test_a_journal_that_cannot_be_read_at_first_comes_in_front_when_it_can(tmp_path: Path) -> None:
    """Its folder is away, the numbers are not."""
    before = busy(tmp_path / "state", random.Random(1))
    before.writer.close()
    last = before.outbox.newest
    before.path.rename(tmp_path / "away")
    before.path.mkdir()
    process = Process(tmp_path / "state")
    process.make(3)
    new = process.waiting()
    assert process.writer.fault and last < min(new) < last + 2 * RESERVE
    before.path.rmdir()
    (tmp_path / "away").rename(before.path)
    process.make(1)
    assert process.waiting().items() > (before.waiting() | new).items()
    assert process.outbox.changes().dropped == (Dropped(last + 1, min(new) - 1),)
    nothing_is_lost(process, process.killed(tmp_path / "second"))
    process.writer.close()


def test_a_second_process_has_neither_the_messages_nor_the_numbers_of_the_first(tmp_path: Path) -> None:
    first = busy(tmp_path, random.Random(1))
    second = Process(tmp_path)
    second.make(2)
    assert "in use by another process" in second.writer.fault
    assert not second.waiting().keys() & first.waiting().keys() and len(second.waiting()) == 2
    first.make(1)
    first.writer.close()
    second.make(1)
    assert not second.writer.fault and second.waiting().items() > first.waiting().items()
    second.writer.close()


def test_without_a_date_numbers_are_far_from_both(tmp_path: Path) -> None:
    numbers = Numbering(tmp_path / "sequence")
    numbers.begin_unknown(100.0)
    assert 1_000_000_000_000 < numbers.next() < 1_500_000_000_001 < time.time() * 1000


@pytest.mark.parametrize("body", ["", "{}", "[]", '{"schema":1', "\x00", '{"sequence":1,"target":"clap"}', b"\xff"])
def test_a_message_that_cannot_be_sent_is_damage(tmp_path: Path, body: str | bytes) -> None:
    process = Process(tmp_path)
    process.make(2)
    second = process.waiting()[2]
    process.writer.close()
    file = JournalFile(process.path, write=True)
    with file.transaction():
        file.rows("UPDATE messages SET body = CAST(? AS TEXT) WHERE sequence = 1", (body,))
    file.close()
    after = Process(tmp_path)
    assert after.waiting() == {2: second} and after.outbox.changes().dropped[0] == Dropped(1, 1)
    assert len(list(tmp_path.glob("*.aside-*"))) == 1 and not after.writer.fault
    after.writer.close()
