"""The outbox's copy in the journal's file: what is written comes back, damaged or not."""

from __future__ import annotations

import random
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.errors import SinkError
from edge.sinks.journal.file import JournalFile, is_damaged
from edge.sinks.journal.messages import Kept, count_waiting, kept_messages, put_messages, salvage_messages
from edge.sinks.messages import Dropped, Message, message_of
from edge.sinks.outbox import Changes
from edge.stream import Event


def message(number: int) -> Message:
    event = Event(f"id-{number}", number, "start", "clap", "clap", 0.9, 0.9, 0, None, datetime.now(UTC), None, -20.0,
                  heard_at=float(number))
    return message_of(event, device="kitchen", boot="this")


def put(path: Path, messages: list[Message], changes: Changes | None = None) -> Kept:
    file = JournalFile(path, write=True)
    with file.transaction():
        put_messages(file, messages, changes or Changes())
    kept = kept_messages(file)
    file.close()
    return kept


def test_what_was_written_comes_back_and_what_is_gone_does_not(tmp_path: Path) -> None:
    path, messages = tmp_path / "j", [message(number) for number in range(1, 6)]
    assert put(path, messages) == Kept(tuple(messages), (), 5)
    kept = put(path, [message(6)], Changes(gone=(1, 2, 5), dropped=(Dropped(7, 9),)))
    assert [one.sequence for one in kept.messages] == [3, 4, 6] and kept.dropped == (Dropped(7, 9),) and kept.newest == 6
    assert put(path, [], Changes(gone=(3,))).dropped == ()


def test_the_highest_number_stays_known_when_all_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "j"
    put(path, [message(1), message(2)])
    assert put(path, [], Changes(gone=(1, 2))) == Kept((), (), 2)
    assert put(path, [], Changes(newest=9)) == Kept((), (), 9)
    assert [one.sequence for one in put(path, [message(10)]).messages] == [10]
    with sqlite3.connect(path) as file:
        assert file.execute("SELECT COUNT(*) FROM messages").fetchone() == (1,)
    file.close()
    assert count_waiting(path) == 1 and count_waiting(tmp_path / "none") == 0


@pytest.mark.parametrize("body", [b"no json", b"\xff\xfe", b"[]", b"{}", b'{"id": 1}', b"[" * 5000,
                                  b'{"started_at": "yesterday"}'])
def test_a_row_that_is_no_message_any_more_is_told_and_stops_nobody(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "j"
    put(path, [message(1), message(2), message(3)])
    with sqlite3.connect(path) as file:
        file.execute("UPDATE messages SET body = CAST(? AS TEXT) WHERE sequence = 2", (body,))
    file.close()
    opened = JournalFile(path, write=True)
    with pytest.raises(SinkError) as told:
        kept_messages(opened)
    opened.close()
    assert is_damaged(told.value) and [one.sequence for one in salvage_messages(path).messages] == [1, 3]


def test_what_can_be_read_of_a_damaged_file_is_read(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    messages = {message(number) for number in range(1, 301)}
    put(whole, sorted(messages, key=lambda one: one.sequence))
    data, chance, read = whole.read_bytes(), random.Random(4), []
    for trial in range(30):
        path = tmp_path / f"cut{trial}"
        path.write_bytes(data[: chance.randrange(len(data))])
        kept = salvage_messages(path)
        assert set(kept.messages) <= messages
        read.append(len(kept.messages))
    assert max(read) > 100 and min(read) < 50
    (tmp_path / "rubbish").write_bytes(chance.randbytes(5000))
    assert salvage_messages(tmp_path / "rubbish") == Kept() == salvage_messages(tmp_path / "none" / "none")
