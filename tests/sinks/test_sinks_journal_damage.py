"""Whatever happens to the journal's file: what waited for the broker is found by the next process, or told as dropped."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.sinks.journal.cut_log import is_cut
from edge.sinks.journal.file import JournalFile
from edge.sinks.messages import Dropped
from tests.sinks.journal_process import Process, busy, nothing_is_lost


def cut(path: Path, chance: random.Random) -> None:
    os.truncate(path, chance.randrange(path.stat().st_size))


def scribble(path: Path, chance: random.Random) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(chance.randrange(size))
        file.write(chance.randbytes(chance.randrange(1, 5_000)))
        file.truncate(size)


@pytest.mark.big
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


@pytest.mark.big
@pytest.mark.parametrize("seed", range(12))
def test_a_log_that_was_cut_after_a_kill_is_noticed_by_its_index(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    process = busy(tmp_path / "first", chance)
    whole, without, none = (process.killed(tmp_path / name) for name in ("whole", "without", "none"))
    cut(without / "journal.sqlite3-wal", chance)
    (none / "journal.sqlite3-wal").unlink()
    assert [is_cut(folder / "journal.sqlite3") for folder in (whole, none)] == [False, True]
    after = Process(whole)
    assert after.waiting() == process.waiting() and after.outbox.changes().dropped == ()
    after.writer.close()
    for folder in (without, none):
        nothing_is_lost(process, folder)
    process.writer.close()
    assert not is_cut(process.path)


def test_an_index_of_another_log_says_nothing(tmp_path: Path) -> None:
    one, other = busy(tmp_path / "one", random.Random(1)), busy(tmp_path / "other", random.Random(2))
    folder = one.killed(tmp_path / "both")
    shutil.copyfile(f"{other.path}-shm", folder / "journal.sqlite3-shm")
    os.truncate(folder / "journal.sqlite3-wal", 32)
    assert not is_cut(folder / "journal.sqlite3")
    for rubbish in (b"", b"x" * 500, bytes(500)):
        (folder / "journal.sqlite3-shm").write_bytes(rubbish)
        assert not is_cut(folder / "journal.sqlite3")
    for process in (one, other):
        process.writer.close()


@pytest.mark.big
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
