"""One JSON line per event, the payload that MQTT carries, to standard output or to a file.

Lines are written by one thread of this sink: a full disk or a reader that stopped reading does not make the listener
wait. Each line is one write, so lines of two processes do not mix and `tail -f` never shows half of one.
"""

from __future__ import annotations

import errno
import logging
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from edge.backoff import Fault
from edge.errors import SinkError
from edge.settings import LogSettings
from edge.sinks.worker import Worker
from edge.stream import Event
from edge.topics import encode, event_payload

LOG = logging.getLogger(__name__)

QUEUE_LINES = 1000
"""Lines that may wait for a slow disk or reader. Where there are more, the oldest are dropped and counted."""

STOP_SECONDS = 2.0
"""How long `stop` waits for lines that are still to be written."""


class LogSink:
    """Writes event lines to `settings.events`: "-" is standard output, empty is nowhere, else a file to
    append to.

    A file that was moved away (logrotate) is made again. A line that cannot be written is counted in
    `lost_lines`. The log is told once of such lines, and once when writing works again.
    """

    name = "log"
    waiting_messages = 0

    def __init__(self, settings: LogSettings, device: str) -> None:
        """device: the name that the lines carry."""
        self._path = settings.events
        self._device = device
        self._file = -1
        self._torn = False
        self._fault = Fault(LOG, self.name, "lines are lost until it can")
        self._worker: Worker[bytes] = Worker(self.name, self._write_all, most=QUEUE_LINES, at_once=1,
                                             open=self._open, close=self._close)
        self.lost_lines = 0

    @property
    def state(self) -> str:
        """For health: "ok", or why lines are lost and how many."""
        return f"{self._fault.text}; {self.lost_lines} lines lost" if self._fault.text else "ok"

    def start(self) -> None:
        """Open the file. Raises SinkError where that fails, or where the last run's line is still being
        written."""
        if self._path:
            self._worker.start()

    def event(self, event: Event) -> None:
        """Queue one line; never waits for the disk."""
        if not self._path:
            return
        line = encode(event_payload(event, device=self._device, late=False)).encode() + b"\n"
        if self._worker.put(line) is not None:
            self.lost_lines += 1

    def health(self, health: Mapping[str, object]) -> None:
        """The log holds events only."""

    def stop(self) -> None:
        """Write what waits, for a bounded time, and close. Safe twice."""
        if not self._worker.stop(STOP_SECONDS):
            LOG.error("log: %s took no line for %g s; %d are lost", self._path, STOP_SECONDS, self._worker.waiting)

    def _write_all(self, lines: list[bytes]) -> None:
        for line in lines:
            self._write(line)

    def _open(self) -> None:
        try:
            self._file = self._opened()
        except OSError as error:
            raise SinkError(f"log.events {self._path}", found=error.strerror or str(error),
                            wanted="a file that can be appended to, or - for standard output") from error

    def _close(self) -> None:
        if self._path != "-":
            os.close(self._file)

    def _write(self, line: bytes) -> None:
        try:
            if self._moved():
                moved, self._file = self._file, self._opened()
                os.close(moved)
            self._append(line)
        except OSError as error:
            self.lost_lines += 1
            self._fault.found(f"{self._path} cannot be written: {error.strerror}")
        else:
            self._fault.over(f"{self._path} can be written again; {self.lost_lines} lines were lost")

    def _append(self, line: bytes) -> None:
        """Write the line at once. After a line that a full disk cut short a line break comes first, so that
        only the cut line is lost."""
        rest = b"\n" + line if self._torn else line
        while rest:
            written = os.write(self._file, rest)
            self._torn = written < len(rest)
            rest = rest[written:]

    def _opened(self) -> int:
        if self._path == "-":
            return _standard_output()
        # O_NONBLOCK: a named pipe without a reader is an error at once, not a start that never ends.
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC, 0o644)

    def _moved(self) -> bool:
        """Whether the file at the path is another one than ours, or none."""
        if self._path == "-":
            return False
        try:
            return not os.path.samestat(os.fstat(self._file), Path(self._path).stat())
        except FileNotFoundError:
            return True


def _standard_output() -> int:
    """The descriptor of standard output. Raises OSError where standard output is closed (`>&-`): by now its
    number may be another file's."""
    try:
        if sys.stdout is not None:  # mypy does not know it, but Python documents None for a closed descriptor
            descriptor = sys.stdout.fileno()
            os.fstat(descriptor)
            return descriptor
    except ValueError as error:  # sys.stdout.close() was called
        raise OSError(errno.EBADF, "standard output is closed") from error
    raise OSError(errno.EBADF, "standard output is closed")
