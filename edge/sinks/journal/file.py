"""The journal's file: what was heard, and what the broker has not acknowledged yet. The one file with sqlite3.

One SQLite file in WAL mode, synchronous FULL: what was committed survives a power cut. `entries.py` keeps
events in it, `messages.py` the messages of the outbox, both in one transaction.
"""

from __future__ import annotations

import math
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from edge.errors import SinkError
from edge.settings import JournalSettings
from edge.state import private_folder

FILE = "journal.sqlite3"
VERSION = 4
"""1 had no `beside`, 2 no outbox, 3 no `bare`; an older one is brought up to date when it is opened for writing."""
BUSY_SECONDS = 2.0
CACHE_KILOBYTES = 256
"""Of pages in memory; SQLite's own 2,000 fill over days. Enough for what one commit touches."""
ASIDE = 3
"""Damaged files that are kept."""
_PARTS = ("", "-wal", "-shm")
_TABLES = """
CREATE TABLE IF NOT EXISTS heads (head INTEGER PRIMARY KEY, backbone TEXT NOT NULL, labels TEXT NOT NULL,
                                  UNIQUE (backbone, labels));
CREATE TABLE IF NOT EXISTS events (
    sequence INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, target TEXT NOT NULL, label TEXT NOT NULL,
    probability REAL NOT NULL, score REAL NOT NULL, started_at TEXT NOT NULL, ended_at TEXT, level_dbfs REAL NOT NULL,
    head INTEGER REFERENCES heads, cells BLOB, logits BLOB, beside BLOB, bare BLOB);
CREATE TABLE IF NOT EXISTS messages (
    sequence INTEGER PRIMARY KEY, target TEXT, phase TEXT, body TEXT, heard_at REAL, boot TEXT);
CREATE TABLE IF NOT EXISTS dropped (first INTEGER PRIMARY KEY, last INTEGER NOT NULL);
"""
_ADDED = ("beside", "bare")
"""Columns of `events` that came later."""
_FAULTS = (sqlite3.Error, UnicodeDecodeError, MemoryError)
"""What sqlite3 raises of a damaged file. MemoryError: of a length in the file that no memory has; UnicodeDecodeError: of the
words of its own error, which repeat what is in the file."""
_OF_THE_DISK = (sqlite3.SQLITE_PERM, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY,
                sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN,
                sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_NOLFS, sqlite3.SQLITE_AUTH, sqlite3.SQLITE_MISUSE)
"""SQLite's codes for what has nothing to do with the file's content. Any other is the content's, for our statements are
right: a constraint that fails, an encoding that is none, a table that is none."""
_DAMAGED = ("not a database", "malformed", "a journal of version", "no such table", "no such column", "has no column",
            "failed the check", "could not decode")


def journal_path(settings: JournalSettings, state_dir: Path) -> Path:
    """Where the journal lies."""
    return (Path(settings.directory) if settings.directory else state_dir) / FILE


def begun(path: Path) -> bool:
    """Whether the file holds anything: a disk that is full at the first start leaves an empty file."""
    try:
        return path.stat().st_size > 0
    except OSError:
        return False


class JournalFile:
    """An open file. Belongs to one thread at a time."""

    def __init__(self, path: Path, *, write: bool, salvage: bool = False, check: bool = False) -> None:
        """Open the file. For writing it is made where it is missing, and checked where its last process did
        not close it.

        check: check it even where it was closed. salvage: read as much as possible of a damaged file, also of
        one that was cut short. Raises SinkError where the file cannot be opened, or is no journal
        (`is_damaged`).
        """
        self.path = path
        try:
            if write:  # for this user only: it tells when somebody was at home; its WAL gets the same mode
                private_folder(path.parent)
                with suppress(FileExistsError):  # which is not opened: to close it would take SQLite's locks away
                    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            torn = check or (write and path.with_name(path.name + "-wal").exists())
            self._file = sqlite3.connect(path, isolation_level=None, timeout=BUSY_SECONDS, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise _failed(path, error) from error
        self._file.text_factory = lambda text: text.decode("utf-8", errors="replace")  # a damaged text stops no other row
        try:
            if salvage:
                self._file.execute("PRAGMA writable_schema = ON")
            self.version = int(self.rows("PRAGMA user_version")[0][0])
            if write:
                self._prepare(torn)
            else:
                self._file.execute("PRAGMA query_only = ON")
            self._parts = self._look()
        except (OSError, *_FAULTS) as error:
            self._file.close()
            if isinstance(error, SinkError):
                raise
            raise _failed(path, error) from error

    @property
    def harmed(self) -> bool:
        """Whether somebody has cut, deleted or replaced the file or its WAL since it was opened: commits
        would be lost."""
        return any(now != before or size < least
                   for (now, size), (before, least) in zip(self._look(), self._parts, strict=True))

    @property
    def made(self) -> bool:
        """Whether its events' table is there: the writer makes the table a moment after the file."""
        return bool(self.rows("SELECT 1 FROM sqlite_master WHERE name = 'events'"))

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """What a statement finds. Raises SinkError."""
        try:
            return self._file.execute(statement, values).fetchall()
        except _FAULTS as error:
            raise _failed(self.path, error) from error

    def until_it_fails(self, statement: str) -> Iterator[tuple[Any, ...]]:
        """Row by row, as far as a damaged file can be read."""
        with suppress(*_FAULTS):
            yield from self._file.execute(statement)

    def each(self, statement: str, values: Sequence[Sequence[Any]]) -> None:
        """One statement for each of `values`. Raises SinkError."""
        try:
            self._file.executemany(statement, values)
        except _FAULTS as error:
            raise _failed(self.path, error) from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written within, or none of it; on the disk when it ends. Raises SinkError."""
        try:
            self._file.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._file.execute("COMMIT")
                self._parts = self._look()
            except BaseException:
                if self._file.in_transaction:  # SQLite itself rolls back where the disk is full
                    self._file.execute("ROLLBACK")
                raise
        except _FAULTS as error:
            raise _failed(self.path, error) from error

    def close(self) -> None:
        """Give the file back; the WAL goes into it. Safe twice."""
        self._file.close()

    def _look(self) -> list[tuple[int, int]]:
        """Which files they are, and of how many bytes; neither of them shrinks while it is open."""
        found = []
        for ending in ("", "-wal"):
            try:
                part = self.path.with_name(self.path.name + ending).stat()
            except OSError:
                found.append((0, 0))
            else:
                found.append((part.st_ino, part.st_size))
        return found

    def _prepare(self, torn: bool) -> None:
        if self.version not in range(VERSION + 1):
            raise SinkError(str(self.path), found=f"a journal of version {self.version}", wanted=f"{VERSION} or less")
        # Small pages: each commit writes the pages that it touches whole (tests/measure_writes.py).
        for pragma in ("page_size = 1024", "journal_mode = WAL", "synchronous = FULL", "wal_autocheckpoint = 1024",
                       f"cache_size = -{CACHE_KILOBYTES}"):
            try:
                self._file.execute(f"PRAGMA {pragma}")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode == sqlite3.SQLITE_READONLY and os.access(self.path, os.W_OK):
                    # Its header tells of a later format, which older programs may not write.
                    raise self._unsound(str(error)) from error
                raise
        self._check(whole=torn)
        if self.version == VERSION:
            return
        self._file.executescript(_TABLES)
        with self.transaction():
            for column in self.lacks():
                self._file.execute(f"ALTER TABLE events ADD COLUMN {column} BLOB")
            self._file.execute(f"PRAGMA user_version = {VERSION}")
        self.version = VERSION

    def lacks(self) -> list[str]:
        """Columns of `events` that a file of an earlier version has not."""
        here = {row[1] for row in self.rows("PRAGMA table_info(events)")}
        return [column for column in _ADDED if column not in here]

    def _check(self, *, whole: bool) -> None:
        """whole: check every table. Otherwise check only that the file is complete, and the outbox's table:
        there may be many events."""
        found = ""
        if not whole:
            least = self.rows("PRAGMA page_count")[0][0] * self.rows("PRAGMA page_size")[0][0]
            size = self.path.stat().st_size
            found = f"{size} bytes of {least}" if 0 < size < least else ""
        if not found and (whole or self.version == VERSION):
            answer = self.rows("PRAGMA quick_check(1)" if whole else "PRAGMA quick_check(messages)")[0][0]
            found = "" if answer == "ok" else answer
        if found:
            raise self._unsound(found)

    def _unsound(self, found: str) -> SinkError:
        return SinkError(str(self.path), found=f"a file that failed the check ({found})", wanted="a sound journal")


def are_sound(texts: Sequence[Any], numbers: Sequence[Any]) -> bool:
    """Whether an event's row has texts, and finite numbers, where they belong: in a damaged one any value may stand."""
    return all(isinstance(each, str) for each in texts) and all(
        isinstance(each, float) and math.isfinite(each) for each in numbers)


def set_aside(path: Path) -> Path:
    """Rename a damaged file and its WAL; the new name. Of files set aside earlier only the newest are kept.
    Raises OSError."""
    found = path.parent.glob(f"{path.name}.aside-*")
    old = sorted({part.name.removesuffix("-wal").removesuffix("-shm") for part in found})
    for name in old[: max(len(old) - ASIDE + 1, 0)]:
        for ending in _PARTS:
            path.with_name(name + ending).unlink(missing_ok=True)
    aside = path.with_name(f"{path.name}.aside-{time.time_ns() // 1_000_000}")
    for ending in _PARTS:
        part = path.with_name(path.name + ending)
        if part.exists():
            part.rename(aside.with_name(aside.name + ending))
    return aside


def is_damaged(error: SinkError) -> bool:
    """Whether this error says that the file's content is no journal; otherwise the disk failed."""
    code = getattr(error.__cause__, "sqlite_errorcode", None)
    return any(words in error.found.lower() for words in _DAMAGED) or (code is not None and code & 0xFF not in _OF_THE_DISK)


def _failed(path: Path, error: Exception) -> SinkError:
    found = str(error).partition(" with text ")[0]  # of a column that is no text
    if isinstance(error, UnicodeDecodeError | MemoryError):
        found = f"a file that failed the check ({type(error).__name__})"
    wanted = "room on its disk" if "full" in found else "a journal that can be written ([journal] directory)"
    return SinkError(str(path), found=found, wanted=wanted)
