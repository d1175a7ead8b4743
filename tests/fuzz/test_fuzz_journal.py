"""What fuzzing found in the journal: damage that ended its thread at every start, or that it took for a disk that fails."""

from __future__ import annotations

import json
import logging
import math
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.errors import SinkError
from edge.sinks.journal import history
from edge.sinks.journal.entries import recent
from edge.sinks.journal.file import JournalFile as File
from edge.sinks.journal.file import is_damaged
from edge.sinks.journal.messages import salvage_messages
from edge.sinks.journal.numbering import Numbering
from edge.sinks.messages import Message, is_sound
from tests.fuzz.journal import Run


@pytest.mark.parametrize("line", ["9" * 60 + " 00000000000000000007 file  ",
                                  "00000000000000001000 00000000000000000000 file",
                                  "99999999999999999999 00000000000000000007 memory"])
def test_a_line_of_numbers_that_no_device_reaches_says_nothing(tmp_path: Path, line: str) -> None:
    """The next event's number did not fit into SQLite's column, and ended the journal's thread, at each start again."""
    (tmp_path / "sequence").write_text(line)
    numbers = Numbering(tmp_path / "sequence")
    assert numbers.open() and not numbers.in_memory
    numbers.begin(5, whole=True)
    numbers.close()
    assert numbers.next() == 6


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    run = Run(tmp_path)
    assert run.make(3)[0]
    run.writer.close()
    return run.path


def alter(path: Path, statement: str, *values: object) -> None:
    file = sqlite3.connect(path)
    file.execute(statement, values)
    file.commit()
    file.close()


@pytest.mark.parametrize("column", ["started_at", "target", "probability", "level_dbfs"])
def test_a_row_with_bytes_where_a_text_belongs_hides_no_other(journal: Path, column: str) -> None:
    """A TypeError ended `feedback`, and the page's answer could not be written."""
    alter(journal, f"UPDATE events SET {column} = ? WHERE sequence = 2", b"\xff")
    assert [row["sequence"] for row in history.events(journal, history.Asked(), limit=10)] == [3, 1]
    assert history.targets(journal) == ["clap"] and len(recent(journal, 1)) == 1
    with pytest.raises(SinkError, match="wanted a journal that can be read"):
        recent(journal, 3)


@pytest.mark.parametrize(("first", "last"), [(5, "x"), (5, b""), (5, 4), (-1, 4)])
def test_a_range_that_is_none_is_damage_and_the_rest_is_kept(journal: Path, first: int, last: object,
                                                            caplog: pytest.LogCaptureFixture) -> None:
    """A TypeError ended the journal's thread, at each start again."""
    alter(journal, "INSERT INTO dropped (first, last) VALUES (?, ?)", first, last)
    with caplog.at_level(logging.ERROR):
        run = Run(journal.parent)
    assert "malformed" in caplog.text and len(run.outbox) == 3 and run.make(1)[0]
    run.writer.close()


@pytest.mark.parametrize("harm", [
    lambda data: data[:44] + b"\0\0\0\x63" + data[48:],  # "unsupported file format"
    lambda data: data[:18] + b"\3\1" + data[20:],  # "attempt to write a readonly database"
    lambda data: data.replace(b"tabledroppeddropped", b"tabledr\xffppeddropped"),
    lambda data: data.replace(b"CREATE TABLE dropped (", b"CREATE T\xffBLE dropped (")])
def test_whatever_the_header_says_new_events_are_written(journal: Path, harm: Callable[[bytes], bytes]) -> None:
    """Some of SQLite's words were taken for those of a disk that fails: the journal was never written again. And a file
    that could not be opened stayed open."""
    good, before = journal.read_bytes(), len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    assert harm(good) != good
    journal.write_bytes(harm(good))
    for _ in range(5):
        try:
            recent(journal, 1)
        except SinkError as error:
            assert is_damaged(error)
    run = Run(journal.parent)
    assert run.make(1)[0] and not run.writer.fault
    run.writer.close()
    run.numbering.close()
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_a_disk_that_cannot_be_written_is_no_damage(journal: Path) -> None:
    file = File(journal, write=False)
    with pytest.raises(SinkError) as error:
        file.rows("DELETE FROM events")
    file.close()
    assert "readonly" in str(error.value) and not is_damaged(error.value)


@pytest.mark.parametrize("field", [{"heard_at": 1e300}, {"heard_at": math.inf}])
def test_a_message_from_before_the_big_bang_is_damaged(journal: Path, field: dict[str, float]) -> None:
    run = Run(journal.parent)
    kept = run.outbox.messages(unsaved=False)[0]
    run.writer.close()
    assert is_sound(kept)
    assert not is_sound(Message(kept.sequence, kept.target, kept.phase, kept.body, **field))  # type: ignore[arg-type]
    far = json.loads(kept.body) | {"duration_seconds": 1e300}
    assert not is_sound(Message(kept.sequence, kept.target, kept.phase, json.dumps(far)))


@pytest.mark.parametrize("column", ["target", "phase", "body"])
@pytest.mark.parametrize("value", [7, b"x", 0.5])
def test_a_message_with_a_number_for_a_text_is_damage_and_the_rest_is_kept(journal: Path, column: str,
                                                                          value: object) -> None:
    """A number for a target was an AttributeError, at each start again."""
    alter(journal, "CREATE TABLE odd (sequence INTEGER PRIMARY KEY, target, phase, body, heard_at REAL, boot TEXT)")
    alter(journal, "INSERT INTO odd SELECT * FROM messages")
    alter(journal, "DROP TABLE messages")
    alter(journal, "ALTER TABLE odd RENAME TO messages")
    alter(journal, f"UPDATE messages SET {column} = ? WHERE sequence = 2", value)
    assert [message.sequence for message in salvage_messages(journal).messages] == [1, 3]
    run = Run(journal.parent)
    assert len(run.outbox) == 2 and run.make(1)[0]
    run.writer.close()


@pytest.mark.parametrize("number", ["9223372036854775807", "NULL", "'x'", "-3"])
def test_a_message_of_no_number_is_damage_and_the_rest_is_kept(journal: Path, number: str) -> None:
    """Of a table whose words were damaged: the next event's number was a TypeError, or did not fit into its column."""
    alter(journal, "ALTER TABLE messages RENAME TO before")
    alter(journal, "CREATE TABLE messages (sequence INTEGES, target TEXT, phase TEXT, body TEXT, heard_at REAL, boot TEXT)")
    alter(journal, "INSERT INTO messages SELECT * FROM before")
    alter(journal, f"INSERT INTO messages (sequence) VALUES ({number})")
    assert sorted(message.sequence for message in salvage_messages(journal).messages) == [1, 2, 3]
    run = Run(journal.parent)
    assert len(run.outbox) == 3 and run.make(1)[0] and run.outbox.newest < 2_000
    run.writer.close()
