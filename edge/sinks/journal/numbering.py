"""The sequence numbers of this device: they go on across restarts, even where the journal is lost.

The journal's file knows the last number. A second file of one line says what a lost journal cannot:

- the number up to which numbers may have been used,
- the lowest number that was not delivered when the line was written,
- whether messages were made while the journal could not be written.

So the messages of a lost journal can be told as a range of numbers. The line is written in place, once in a
thousand numbers. The process that locks this file owns the outbox: a second process with the same state
directory does not send the same messages again.
"""

from __future__ import annotations

import fcntl
import os
import random
from pathlib import Path

from edge.errors import SinkError
from edge.state import private_folder

FILE = "sequence"
RESERVE = 1_000
"""Numbers between two writes."""
_FAR = 1_000_000_000_000
"""A number that no device reaches by counting. As milliseconds since 1970 it is a date in 2001."""
MOST = 1 << 52
"""No device comes near it. Whole numbers of JSON end at twice this for many readers, those of SQLite at 2,048 times this."""
_LINE = "{reserved:020d} {oldest:020d} {place:<6}\n"


class Numbering:
    """Gives numbers to the listener's thread; everything else belongs to the journal's."""

    def __init__(self, path: Path) -> None:
        """path: the file; nothing is opened yet."""
        self.path = path
        self._handle = -1
        self._number = 0
        self._reserved, self._oldest_before = 0, 1
        self._in_memory = False
        self.first = 1
        """The first number of this process."""

    def open(self) -> bool:
        """Take the file; False where another process has it. Raises SinkError where it cannot be made or read."""
        try:
            private_folder(self.path.parent)
            self._handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.close()
                return False
            words = os.pread(self._handle, 200, 0).decode("ascii", errors="replace").split()
        except OSError as error:
            self.close()
            raise SinkError(str(self.path), found=error.strerror or str(error),
                            wanted="a file that can be written") from error
        if len(words) == 3 and words[0].isdecimal() and words[1].isdecimal():
            reserved, oldest = int(words[0]), int(words[1])
            if 0 <= reserved < MOST and 0 < oldest < MOST:  # otherwise the line is damaged, and says nothing
                self._reserved, self._oldest_before, self._in_memory = reserved, oldest, words[2] == "memory"
        return True

    @property
    def held(self) -> bool:
        """Whether this process has the file."""
        return self._handle >= 0

    @property
    def in_memory(self) -> bool:
        """Whether the file says that messages were made that the journal does not hold."""
        return self._in_memory

    def begin(self, newest: int, *, whole: bool) -> None:
        """Set the first number. newest: the highest that the journal knows, 0 for none; whole: whether the
        journal was there, and sound."""
        # A journal whose newest number is far behind the reserved one is an old copy, or has lost its
        # write-ahead log.
        believed = whole and not self._in_memory and newest > self._reserved - 3 * RESERVE
        self._number = newest if believed else max(newest, self._reserved)
        self.first = self._number + 1

    def begin_unknown(self, utc: float) -> None:
        """Set the first number where nothing can be read. utc: seconds since 1970.

        The date gives one number for each millisecond: higher than all numbers of before, and lower than
        those of the next such start. A clock that was never set gives no date; then a random number far above
        both is taken.
        """
        date = int(utc * 1000)
        self._number = max(self._reserved, date if date > _FAR else _FAR + random.randrange(_FAR // 2))
        self.first = self._number + 1

    def lost(self, newest: int, *, whole: bool) -> tuple[int, int] | None:
        """The range of numbers from before `begin`, ends included, whose messages are not in the journal that
        was found. Some of them may have been delivered. None where there can be none."""
        first = newest + 1 if whole else self._oldest_before
        return (first, self.first - 1) if first < self.first else None

    def next(self) -> int:
        """The next number; touches no disk."""
        self._number += 1
        return self._number

    def keep_up(self, oldest: int, *, in_memory: bool) -> None:
        """Write the line where that is due. oldest: the lowest number that is not delivered; in_memory:
        whether messages are made that the journal does not hold.

        Raises SinkError where the disk fails. Numbers go on all the same.
        """
        due = self._number + RESERVE // 2 > self._reserved
        if not self.held or not (due or in_memory != self._in_memory):
            return
        reserved = self._number + RESERVE if due else self._reserved
        try:
            # Written in place, which works on a full disk, too.
            os.pwrite(self._handle, _LINE.format(reserved=reserved, oldest=oldest, place="memory" if in_memory else "file")
                      .encode(), 0)
            os.fdatasync(self._handle)
        except OSError as error:
            raise SinkError(str(self.path), found=error.strerror or str(error),
                            wanted="a file that can be written") from error
        self._reserved, self._in_memory = reserved, in_memory

    def close(self) -> None:
        """Close the file, which gives the lock back. Safe twice."""
        if self.held:
            os.close(self._handle)
        self._handle = -1
