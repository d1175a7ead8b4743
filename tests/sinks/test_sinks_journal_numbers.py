"""No sequence number comes with two ids, whatever a start can read, and whatever the last run could write."""

from __future__ import annotations

import random
import sqlite3
import time
from pathlib import Path

import pytest

from edge.sinks.journal import file as journal_file
from edge.sinks.journal.numbering import RESERVE, Numbering
from edge.sinks.messages import Dropped
from tests.sinks.journal_process import Process, busy, nothing_is_lost


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


def test_what_was_only_in_memory_is_remembered_until_the_disk_is_back(tmp_path: Path,
                                                                      monkeypatch: pytest.MonkeyPatch) -> None:
    """Though all of it was delivered: its numbers must not be used again."""
    monkeypatch.setattr(journal_file, "BUSY_SECONDS", 0.01)
    process = Process(tmp_path / "first")
    process.make(3)
    process.deliver()
    process.make(1)
    other = sqlite3.connect(process.path)
    other.execute("BEGIN IMMEDIATE")
    process.make(2)
    assert "locked" in process.writer.fault and process.outbox.unsaved == 2
    process.deliver()
    assert not process.writer.write((), (), at_once=True)
    second = process.killed(tmp_path / "second")
    another = sqlite3.connect(second / "journal.sqlite3")
    another.execute("BEGIN IMMEDIATE")
    after = Process(second)
    assert after.numbering.first > 6 and "locked" in after.writer.fault
    again = Process(after.killed(tmp_path / "again"))
    assert again.numbering.first > 6 and not again.writer.fault
    for each in (other, another):
        each.close()
    for process_after in (after, again):
        process_after.writer.close()
    process.make(1)
    process.deliver()
    assert process.writer.write((), ())
    after = Process(process.killed(tmp_path / "third"))
    assert after.numbering.first == 8 and after.outbox.finished
    after.writer.close()
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
