"""One JSON line per event, the payload that MQTT carries, to standard output or to a file.

Lines are written by one thread of this sink: a full disk or a reader that stopped reading does not make the listener
wait. Each line is one write, so lines of two processes do not mix and `tail -f` never shows half of one.
"""

from __future__ import annotations

import errno
import logging
import os
import sys
import threading
from collections import deque
from collections.abc import Mapping
from pathlib import Path

from edge.errors import SinkError
from edge.settings import LogSettings
from edge.stream import Event
from edge.topics import encode, event_payload

LOG = logging.getLogger(__name__)

QUEUE_LINES = 1000
"""Lines that may wait for a slow disk or reader; the oldest go first, and are counted."""

STOP_SECONDS = 2.0
"""How long `stop` waits for lines that are still to be written."""


class LogSink:
    """Writes event lines to `settings.events`: "-" is standard output, empty is nowhere, else a file to append to.

    A file that was moved away (logrotate) is made again. A line that cannot be written is counted in `lost_lines` and
    said once until writing works again.
    """

    name = "log"

    def __init__(self, settings: LogSettings, device: str) -> None:
        """device: the name that the lines carry."""
        self._path = settings.events
        self._device = device
        self._file = -1
        self._torn = False
        self._lines: deque[bytes] = deque()
        self._wake = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._state = "ok"
        self.lost_lines = 0

    @property
    def state(self) -> str:
        """"ok", or why lines are lost and how many, for health."""
        return self._state

    def start(self) -> None:
        """Open the file. Raises SinkError where that fails."""
        if not self._path:
            return
        try:
            self._file = self._open()
        except OSError as error:
            raise SinkError(f"log.events {self._path}", found=error.strerror or str(error),
                            wanted="a file that can be appended to, or - for standard output") from error
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def event(self, event: Event) -> None:
        """Queue one line; never waits for the disk."""
        if self._thread is None:
            return
        line = encode(event_payload(event, device=self._device, late=False)).encode() + b"\n"
        with self._wake:
            self._lines.append(line)
            if len(self._lines) > QUEUE_LINES:
                self._lines.popleft()
                self.lost_lines += 1
            self._wake.notify()

    def health(self, health: Mapping[str, object]) -> None:
        """The log holds events only."""

    def stop(self) -> None:
        """Write what waits, for a bounded time, and close. Safe twice."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        thread, self._thread = self._thread, None
        if thread is None:
            return
        thread.join(STOP_SECONDS)
        if thread.is_alive():
            LOG.error("log: %s took no line for %g s; %d are lost", self._path, STOP_SECONDS, len(self._lines))

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._lines and not self._stopping:
                    self._wake.wait()
                if not self._lines:
                    break
                line = self._lines.popleft()
            self._write(line)
        if self._path != "-":
            os.close(self._file)

    def _write(self, line: bytes) -> None:
        try:
            if self._moved():
                moved, self._file = self._file, self._open()
                os.close(moved)
            self._append(line)
        except OSError as error:
            self.lost_lines += 1
            if self._state == "ok":
                LOG.error("log: %s cannot be written: %s; lines are lost until it can", self._path, error.strerror)
            self._state = f"{self._path} cannot be written: {error.strerror}; {self.lost_lines} lines lost"
        else:
            if self._state != "ok":
                LOG.warning("log: %s can be written again; %d lines were lost", self._path, self.lost_lines)
            self._state = "ok"

    def _append(self, line: bytes) -> None:
        """One write; after one that a full disk cut short, a line break first, so that only that line is lost."""
        rest = b"\n" + line if self._torn else line
        while rest:
            written = os.write(self._file, rest)
            self._torn = written < len(rest)
            rest = rest[written:]

    def _open(self) -> int:
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
    """Its descriptor. Raises OSError where it is closed (`>&-`): its number may by now be another file's."""
    try:
        if sys.stdout is not None:  # mypy does not know it, but Python documents None for a closed descriptor
            descriptor = sys.stdout.fileno()
            os.fstat(descriptor)
            return descriptor
    except ValueError as error:  # sys.stdout.close() was called
        raise OSError(errno.EBADF, "standard output is closed") from error
    raise OSError(errno.EBADF, "standard output is closed")
