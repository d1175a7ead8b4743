"""Sequence numbers go on, whatever is left of the journal."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edge.errors import SinkError
from edge.sinks.journal.numbering import RESERVE, Numbering


def opened(path: Path, newest: int, *, whole: bool) -> Numbering:
    numbering = Numbering(path)
    assert numbering.open()
    numbering.begin(newest, whole=whole)
    return numbering


def test_numbers_begin_at_one_and_go_on_after_the_journals_last(tmp_path: Path) -> None:
    first = opened(tmp_path / "state" / "sequence", 0, whole=False)
    assert first.lost(0, whole=False) is None and [first.next() for _ in range(3)] == [1, 2, 3]
    first.keep_up(1, in_memory=False)
    first.close()
    second = opened(tmp_path / "state" / "sequence", 3, whole=True)
    assert second.lost(3, whole=True) is None and second.next() == 4


def test_a_lost_journal_is_told_from_what_was_not_delivered_and_no_number_is_used_twice(tmp_path: Path) -> None:
    first = opened(tmp_path / "sequence", 0, whole=False)
    used = 0
    for _ in range(3 * RESERVE):
        used = first.next()
        first.keep_up(used - 10, in_memory=False)
    first.close()
    second = opened(tmp_path / "sequence", 0, whole=False)
    lost = second.lost(0, whole=False)
    assert lost is not None and lost[0] <= used - 10 and lost[0] > RESERVE and lost[1] == second.first - 1
    assert used < second.next() <= used + RESERVE + 1


def test_what_was_made_in_memory_is_told_even_where_the_journal_is_sound(tmp_path: Path) -> None:
    first = opened(tmp_path / "sequence", 57, whole=True)
    for _ in range(5):
        first.next()
    first.keep_up(58, in_memory=True)
    first.close()
    second = opened(tmp_path / "sequence", 57, whole=True)
    lost = second.lost(57, whole=True)
    assert lost == (58, second.first - 1) and second.first > 62
    second.keep_up(second.first, in_memory=False)
    second.close()
    third = opened(tmp_path / "sequence", second.first, whole=True)
    assert third.lost(second.first, whole=True) is None


def test_an_old_copy_of_the_journal_is_not_believed(tmp_path: Path) -> None:
    first = opened(tmp_path / "sequence", 0, whole=False)
    used = 0
    for _ in range(5 * RESERVE):
        used = first.next()
        first.keep_up(used, in_memory=False)
    first.close()
    second = opened(tmp_path / "sequence", used, whole=True)
    assert second.next() == used + 1
    second.close()
    third = opened(tmp_path / "sequence", 57, whole=True)
    assert third.lost(57, whole=True) == (58, third.first - 1) and third.next() > used


def test_it_is_written_once_in_a_thousand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    numbering, writes = opened(tmp_path / "sequence", 0, whole=False), []
    write = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda *args: writes.append(args) or write(*args))
    for _ in range(10 * RESERVE):
        numbering.next()
        numbering.keep_up(1, in_memory=False)
    assert 9 <= len(writes) <= 21
    assert len({len(args[1]) for args in writes}) == 1  # in place: nothing of an older line stays behind it


def test_one_process_at_a_time_has_it(tmp_path: Path) -> None:
    first = opened(tmp_path / "sequence", 0, whole=False)
    second = Numbering(tmp_path / "sequence")
    assert not second.open()
    second.keep_up(1, in_memory=True)  # writes nothing, for it is another's
    first.close()
    first.close()
    assert second.open()


def test_a_file_that_cannot_be_is_said_and_numbers_go_on(tmp_path: Path) -> None:
    (tmp_path / "sequence").mkdir()
    numbering = Numbering(tmp_path / "sequence")
    with pytest.raises(SinkError, match="sequence"):
        numbering.open()
    numbering.begin(0, whole=False)
    assert numbering.next() == 1


@pytest.mark.parametrize("words", [b"", b"rubbish", b"\xff\xfe\x00", b"1 2", b"a b file\n"])
def test_a_file_of_rubbish_is_none(tmp_path: Path, words: bytes) -> None:
    (tmp_path / "sequence").write_bytes(words)
    assert opened(tmp_path / "sequence", 12, whole=True).next() == 13
