"""Writes the journal's file, whatever happens to the file: a damaged one is set aside, and a disk that fails
is tried again.

Belongs to the journal's thread, except for `open`, which is called before that thread starts.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from edge.backoff import Fault
from edge.errors import SinkError
from edge.sinks.journal.cut_log import is_cut
from edge.sinks.journal.entries import Entry, Journal
from edge.sinks.journal.file import JournalFile, is_damaged, set_aside
from edge.sinks.journal.messages import Kept, kept_messages, put_messages, salvage_messages
from edge.sinks.journal.numbering import Numbering
from edge.sinks.messages import Dropped, Message
from edge.sinks.outbox import Changes, Outbox

LOG = logging.getLogger(__name__)

RETRY_SECONDS = 10.0
"""How soon a disk that failed is tried again."""


class JournalWriter:
    """Commits events and the outbox's messages; `write` says whether they are on the disk."""

    def __init__(self, path: Path, *, events: int, outbox: Outbox | None, numbering: Numbering,
                 monotonic: Callable[[], float] = time.monotonic, utc: Callable[[], float] = time.time) -> None:
        """events: how many are kept; 0 keeps none. outbox: None where there is no broker. Messages that an
        earlier process left in the file then stay in the file."""
        self._path, self._most = path, events
        self._outbox, self._numbering = outbox, numbering
        self._monotonic, self._utc = monotonic, utc
        self._file: JournalFile | None = None
        self._journal: Journal | None = None
        self._begun = False
        """Whether the first sequence number is set."""
        self._found = False
        """Whether this process has taken up what a file held."""
        self._fresh = False
        """Whether the last try to write set a damaged file aside."""
        self._doubted = False
        """Whether the file was harmed while it was open, so that the next opening checks all of it."""
        self._in_memory = False
        """Whether messages were made that the journal does not hold."""
        self._retry_at = float("-inf")
        self._fault = Fault(LOG, "journal", "hearing goes on, events wait in memory")
        self._number_fault = Fault(LOG, "journal", "hearing goes on, a lost journal could not be told")

    @property
    def fault(self) -> str:
        """What is wrong with the disk, for health; empty where all is well."""
        return self._fault.text or self._number_fault.text

    @property
    def retry_seconds(self) -> float:
        """How long until a disk that failed is tried again; 0 where it is due, or nothing is wrong."""
        return max(self._retry_at - self._monotonic(), 0.0) if self._fault.text else 0.0

    def open(self) -> None:
        """Find what the last process left, and set the first sequence number. Where the disk fails, the log
        is told, and the disk is tried again. No file is made before the first event."""
        there = _there(self._path) or _there(self._numbering.path)
        if there:
            self._tried(self._open)
        if not self._begun:
            self._begun = True
            if there and not self._numbering.held:
                self._numbering.begin_unknown(self._utc())
            else:
                self._numbering.begin(0, whole=False)
        if self._outbox is not None:
            self.write((), ())  # a kill from now on does not lose what was read from a damaged file

    def write(self, entries: Sequence[Entry], messages: Sequence[Message], *, at_once: bool = False) -> bool:
        """Commit events, the messages made of them, and what the broker has acknowledged since. False: not on the disk.

        at_once: try a disk that failed even before it is due.
        """
        if not entries and not messages and self._file is None and not self._fault.text:
            return True  # nothing to write, and no file yet
        done = False
        if at_once or not self.retry_seconds:
            done = self._tried(lambda: self._write(entries, messages))
            if not done and self._fresh:  # the damaged file was set aside: begin a new one at once
                done = self._tried(lambda: self._write(entries, messages))
        if self._outbox is not None:
            # While the journal cannot be written no file knows which numbers were used, not even by delivered
            # messages. The sequence file says so until the journal is written again.
            self._in_memory |= self._numbering.in_memory or bool(messages or self._outbox.unsaved)
            self._in_memory &= not done
            self._keep_up(self._outbox, in_memory=self._in_memory)
        return done

    def close(self) -> None:
        """Give the file back. Safe twice."""
        self._close()
        self._numbering.close()

    def _tried(self, action: Callable[[], None]) -> bool:
        try:
            action()
        except SinkError as error:
            self._fault.found(str(error))
            self._retry_at = self._monotonic() + RETRY_SECONDS
            self._close()
            return False
        self._fault.over(f"{self._path} is written again")
        return True

    def _keep_up(self, outbox: Outbox, *, in_memory: bool) -> None:
        try:
            self._numbering.keep_up(outbox.oldest, in_memory=in_memory)
        except SinkError as error:
            self._number_fault.found(str(error))
        else:
            self._number_fault.over(f"{self._numbering.path} is written again")

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = self._journal = None

    def _write(self, entries: Sequence[Entry], messages: Sequence[Message]) -> None:
        self._fresh = False
        if self._file is not None and self._file.harmed:
            LOG.error("journal: %s was cut, deleted or replaced; what waits is written again", self._path)
            self._close()
            self._doubted = True
        if self._file is None or self._journal is None:
            self._open()
        assert self._file is not None and self._journal is not None
        outbox = self._outbox
        changes = outbox.changes() if outbox is not None else Changes()
        waiting = outbox.messages(unsaved=True) if outbox is not None else []
        try:
            with self._file.transaction():
                self._journal.put(entries if self._most else ())
                if outbox is not None:
                    put_messages(self._file, [*waiting, *messages], changes)
        except SinkError as error:
            if is_damaged(error):
                self._set_aside(error)
            raise
        if outbox is not None:
            outbox.written(changes, waiting)

    def _open(self) -> None:
        if not self._numbering.held and not self._numbering.open():
            raise SinkError(str(self._numbering.path), found="a file in use by another process",
                            wanted="a state directory of its own (--state-dir)")
        # Asked only before this process opens the file: reading it later would release SQLite's locks.
        whole = _has_something(self._path) and (self._found or not is_cut(self._path))
        try:
            self._file = JournalFile(self._path, write=True, check=self._doubted)
            self._restore(kept_messages(self._file), whole=whole)
        except SinkError as error:
            if not is_damaged(error):
                raise
            kept = salvage_messages(self._path)
            self._set_aside(error)
            self._restore(kept, whole=False)  # first, for a full disk may refuse the new file
            self._file = JournalFile(self._path, write=True)
        self._doubted = False
        self._journal = Journal(self._file, events=self._most)

    def _restore(self, kept: Kept, *, whole: bool) -> None:
        """Put what the last process left into the outbox, once. A file that is opened again later is compared
        with the outbox, which then knows better."""
        held = [message.sequence for message in kept.messages]
        if self._found:
            if self._outbox is not None:
                self._outbox.compare(held if whole else ())
            return
        self._found = True
        # A file without any number was begun just before a kill, and knows nothing of earlier messages.
        whole = whole and kept.newest > 0
        if not self._begun:
            self._begun = True
            self._numbering.begin(kept.newest, whole=whole)
        if self._outbox is None:
            return
        dropped, lost = [*kept.dropped], self._numbering.lost(kept.newest, whole=whole)
        if lost is not None:
            dropped += _between(lost, held)
            LOG.warning("journal: messages %d to %d will not come, unless they were delivered or are found; this is told",
                        *lost)
        self._outbox.restore(kept.messages, dropped, newest=max(kept.newest, self._numbering.first - 1), saved=whole)
        if kept.messages:
            LOG.info("journal: %d messages of before wait for the broker", len(kept.messages))

    def _set_aside(self, error: SinkError) -> None:
        self._close()
        self._fresh = True
        try:
            aside = set_aside(self._path)
        except OSError as failed:
            raise SinkError(str(self._path), found=failed.strerror or str(failed),
                            wanted="a journal that can be set aside") from failed
        LOG.error("journal: %s; set aside as %s, a new one is begun", error, aside.name)


def _there(path: Path) -> bool:
    """Whether the file is there, or may be: a disk that fails does not tell."""
    try:
        path.stat()
    except FileNotFoundError:
        return False
    except OSError:
        pass
    return True


def _has_something(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except FileNotFoundError:
        return False
    except OSError as error:
        raise SinkError(str(path), found=error.strerror or str(error), wanted="a journal that can be written") from error


def _between(lost: tuple[int, int], held: Iterable[int]) -> list[Dropped]:
    """The numbers of a range that are not held, as ranges."""
    ranges, first = [], lost[0]
    for number in held:
        if first < number <= lost[1]:
            ranges.append(Dropped(first, number - 1))
        first = max(first, number + 1)
    return [*ranges, Dropped(first, lost[1])] if first <= lost[1] else ranges
