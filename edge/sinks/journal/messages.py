"""The outbox's copy in the journal's file: what the next start has to deliver.

Each message has a row until the broker has acknowledged it. The row of the highest number stays without its
message, so that numbers go on from there.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.errors import SinkError, shown
from edge.sinks.journal.file import JournalFile
from edge.sinks.journal.numbering import MOST
from edge.sinks.messages import Dropped, Message, is_sound
from edge.sinks.outbox import Changes

_ROWS = "SELECT sequence, target, phase, body, heard_at, boot FROM messages"


@dataclass(frozen=True, slots=True)
class Kept:
    """What a file holds of an outbox. newest: the highest number that it knows, 0 where it knows none."""

    messages: tuple[Message, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    newest: int = 0


def put_messages(file: JournalFile, messages: Sequence[Message], changes: Changes) -> None:
    """Write within the caller's transaction. Raises SinkError where the disk fails."""
    before = file.rows("SELECT MAX(sequence) FROM messages")[0][0] or 0
    file.each("DELETE FROM messages WHERE sequence = ?", [(sequence,) for sequence in changes.gone])
    file.each("INSERT OR REPLACE INTO messages (sequence, target, phase, body, heard_at, boot) VALUES (?, ?, ?, ?, ?, ?)",
              [(one.sequence, one.target, one.phase, one.body, one.heard_at, one.boot) for one in messages])
    newest = max([before, changes.newest, *(one.sequence for one in messages)])
    if newest:
        file.rows("INSERT OR IGNORE INTO messages (sequence) VALUES (?)", (newest,))
    if before < newest:
        file.rows("DELETE FROM messages WHERE sequence = ? AND body IS NULL", (before,))
    known = [Dropped(*row) for row in file.rows("SELECT first, last FROM dropped ORDER BY first")]
    if known != list(changes.dropped):
        file.rows("DELETE FROM dropped")
        file.each("INSERT INTO dropped (first, last) VALUES (?, ?)", [(one.first, one.last) for one in changes.dropped])


def kept_messages(file: JournalFile) -> Kept:
    """What a sound file holds. Raises SinkError (`is_damaged`, where it is none)."""
    rows = file.rows(f"{_ROWS} ORDER BY sequence")
    if odd := [row[0] for row in rows if not _is_number(row[0])]:
        raise SinkError(str(file.path), found=f"message {shown(odd[0])}, malformed", wanted="a sound journal")
    dropped = file.rows("SELECT first, last FROM dropped ORDER BY first")
    messages = tuple(Message(*row) for row in rows if row[3] is not None)
    newest = max((row[0] for row in rows), default=0)
    broken = [message.sequence for message in messages if not is_sound(message)]
    broken += [row[0] for row in rows if row[3] is None and row[0] != newest]
    broken += [row[0] for row in dropped if not _is_range(row)]
    if broken:
        raise SinkError(str(file.path), found=f"message {broken[0]}, malformed", wanted="a sound journal")
    return Kept(messages, tuple(Dropped(*row) for row in dropped), newest)


def _is_number(found: object) -> bool:
    """Whether this is a message's number: in a damaged table the column may hold anything."""
    return isinstance(found, int) and 0 < found < MOST


def _is_range(row: tuple[Any, ...]) -> bool:
    """Whether the first and last number of a range are such."""
    return _is_number(row[0]) and _is_number(row[1]) and bool(row[0] <= row[1])


def count_waiting(path: Path) -> int:
    """How many messages the file at `path` holds for the broker; 0 where there is none. Raises SinkError."""
    try:
        if not path.stat().st_size:
            return 0
    except OSError:
        return 0
    with closing(JournalFile(path, write=False)) as file:
        return int(file.rows("SELECT COUNT(body) FROM messages")[0][0]) if file.version >= 3 else 0


def salvage_messages(path: Path) -> Kept:
    """What can still be read of a damaged file, from both ends; nothing where nothing can."""
    found: dict[int, Message | None] = {}
    dropped: list[Dropped] = []
    try:
        file = JournalFile(path, write=False, salvage=True)
    except SinkError:
        return Kept()
    try:
        for order in ("ASC", "DESC"):
            for row in file.until_it_fails(f"{_ROWS} ORDER BY sequence {order}"):
                if not _is_number(row[0]):
                    continue
                found[row[0]] = message if is_sound(message := Message(*row)) else found.get(row[0])
        dropped += [Dropped(*row) for row in file.until_it_fails("SELECT first, last FROM dropped")
                    if _is_range(row)]
    finally:
        file.close()
    messages = tuple(message for _, message in sorted(found.items()) if message is not None)
    return Kept(messages, tuple(sorted(dropped)), max(found, default=0))
