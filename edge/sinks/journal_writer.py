"""The journal's file kept whatever happens to it: damaged ones are set aside, a disk that fails is tried again.

Belongs to the journal's thread, but for `open`, which comes before it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from edge.errors import SinkError
from edge.journal import Entry, Journal
from edge.journal_file import JournalFile, is_damaged
from edge.journal_messages import Kept, kept_messages, put_messages, salvage_messages
from edge.messages import Dropped, Message
from edge.numbering import Numbering
from edge.outbox import Changes, Outbox

LOG = logging.getLogger(__name__)

RETRY_SECONDS = 10.0
"""How soon a disk that failed is tried again."""


class JournalWriter:
    """Commits events and the outbox's messages; `write` says whether they are on the disk."""

    def __init__(self, path: Path, *, events: int, outbox: Outbox | None, numbering: Numbering,
                 monotonic: Callable[[], float] = time.monotonic) -> None:
        """events: how many are kept; 0 keeps none. outbox: None where there is no broker: what an earlier process left for
        one stays in the file."""
        self._path, self._most = path, events
        self._outbox, self._numbering, self._monotonic = outbox, numbering, monotonic
        self._file: JournalFile | None = None
        self._journal: Journal | None = None
        self._owned = self._begun = self._found = self._whole = False
        self._retry_at = float("-inf")
        self._fault = self._number_fault = ""

    @property
    def fault(self) -> str:
        """What is wrong with the disk, for health; empty where all is well."""
        return self._fault or self._number_fault

    @property
    def retry_seconds(self) -> float:
        """How long until a disk that failed is tried again; 0 where it is due, or nothing is wrong."""
        return max(self._retry_at - self._monotonic(), 0.0) if self._fault else 0.0

    def open(self) -> None:
        """Find what the last process left, and set the first number. A disk that fails is said, and tried again. Where there
        is nothing, nothing is made before the first event."""
        if _there(self._path) or _there(self._numbering.path):
            self._tried(self._open)
        if not self._begun:
            self._begin(0, whole=False)

    def write(self, entries: Sequence[Entry], messages: Sequence[Message], *, at_once: bool = False) -> bool:
        """Commit events, the messages made of them, and what the broker has acknowledged since. False: not on the disk.

        at_once: try a disk that failed even before it is due.
        """
        if not entries and not messages and self._file is None and not self._fault:
            return True  # no file is made to say nothing
        done = False
        if at_once or not self.retry_seconds:
            done = self._tried(lambda: self._write(entries, messages))
            if not done and self._file is None and not self._whole:  # set aside: a new one at once
                done = self._tried(lambda: self._write(entries, messages))
        if self._outbox is not None:
            self._keep_up(self._outbox, in_memory=not done and bool(messages or self._outbox.unsaved))
        return done

    def close(self) -> None:
        """Give the file back. Safe twice."""
        self._close()
        self._numbering.close()

    def _tried(self, action: Callable[[], None]) -> bool:
        try:
            action()
        except SinkError as error:
            if str(error) != self._fault:
                LOG.error("journal: %s; hearing goes on, events wait in memory", error)
            self._fault = str(error)
            self._retry_at = self._monotonic() + RETRY_SECONDS
            self._close()
            return False
        if self._fault:
            LOG.warning("journal: %s is written again", self._path)
        self._fault = ""
        return True

    def _keep_up(self, outbox: Outbox, *, in_memory: bool) -> None:
        try:
            self._numbering.keep_up(outbox.oldest, in_memory=in_memory)
        except SinkError as error:
            if str(error) != self._number_fault:
                LOG.error("journal: %s; hearing goes on, a lost journal could not be told", error)
            self._number_fault = str(error)
        else:
            self._number_fault = ""

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = self._journal = None

    def _write(self, entries: Sequence[Entry], messages: Sequence[Message]) -> None:
        if self._file is None or self._journal is None:
            self._open()
        assert self._file is not None and self._journal is not None
        outbox = self._outbox
        changes = outbox.changes() if outbox is not None else Changes()
        waiting = outbox.messages(unsaved=self._whole) if outbox is not None else []
        try:
            with self._file.transaction():
                self._journal.put(entries if self._most else ())
                if outbox is not None:
                    put_messages(self._file, [*waiting, *messages], changes)
        except SinkError as error:
            if is_damaged(error):
                self._set_aside(error)
            raise
        self._whole = True
        if outbox is not None:
            outbox.written(changes, waiting)

    def _open(self) -> None:
        if not self._owned:
            self._owned = self._numbering.open()
        if not self._owned:
            raise SinkError(str(self._numbering.path), found="a file in use by another process",
                            wanted="a state directory of its own (--state-dir)")
        self._whole = _has_something(self._path)
        kept = Kept()
        try:
            self._file = JournalFile(self._path, write=True)
            kept = kept_messages(self._file)
        except SinkError as error:
            if not is_damaged(error):
                raise
            kept = salvage_messages(self._path)
            self._set_aside(error)
            self._file = JournalFile(self._path, write=True)
        self._journal = Journal(self._file, events=self._most)
        if not self._found:
            self._restore(kept)

    def _restore(self, kept: Kept) -> None:
        """Once: what the last process left goes into the outbox."""
        self._found = True
        if not self._begun:
            self._begin(kept.newest, whole=self._whole)
        if self._outbox is None:
            return
        dropped, lost = [*kept.dropped], self._numbering.lost(kept.newest, whole=self._whole)
        if lost is not None:
            dropped += _between(lost, [message.sequence for message in kept.messages])
            LOG.warning("journal: what messages %d to %d said is lost, unless it was delivered; this is told", *lost)
        self._outbox.restore(kept.messages, dropped, newest=max(kept.newest, self._numbering.first - 1), saved=self._whole,
                             unreadable=kept.unreadable)
        if kept.messages:
            LOG.info("journal: %d messages of before wait for the broker", len(kept.messages))

    def _begin(self, newest: int, *, whole: bool) -> None:
        self._begun = True
        self._numbering.begin(newest, whole=whole)

    def _set_aside(self, error: SinkError) -> None:
        self._close()
        self._whole = False
        aside = self._path.with_name(f"{self._path.name}.aside-{int(time.time())}")
        try:
            for ending in ("", "-wal", "-shm"):
                part = self._path.with_name(self._path.name + ending)
                if part.exists():
                    part.rename(aside.with_name(aside.name + ending))
        except OSError as failed:
            raise SinkError(str(self._path), found=failed.strerror or str(failed),
                            wanted="a journal that can be set aside") from failed
        LOG.error("journal: %s; set aside as %s, a new one is begun", error, aside.name)


def _there(path: Path) -> bool:
    """Whether there is such a file, or whether that cannot even be asked."""
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
