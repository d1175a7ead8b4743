"""Any command that prints raw PCM: `arecord`, `ffmpeg -i rtsp://...`; the way for boards without a compiler."""

from __future__ import annotations

import os
import re
import selectors
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from typing import IO

import numpy as np

from edge.errors import SourceError
from edge.settings import SourceSettings
from edge.sources.delivered import check_channel, warn_of_low_rate
from edge.sources.live import LiveSource
from edge.stats import Stats
from edge.stream import StreamFormat

DEFAULT_RATE = 16_000
QUIET_SECONDS = 8.0
"""A command that prints nothing for so long is said: in health within 10 s."""
STALLED_SECONDS = 30.0
"""A command that prints nothing for so long is started anew: ffmpeg waits for ever on a camera that has gone."""
_ENDING_SECONDS = 1.0
"""From SIGTERM to SIGKILL."""
_POLL_SECONDS = 0.2
_USER_INFO = re.compile(r"//[^/\s]+@")
"""User and password of a URL, up to the last @ before its path: a password may hold one."""
_READ_BYTES = 65_536


class Command(LiveSource):
    """What a command prints: signed 16-bit little-endian samples, interleaved, as the settings say.

    The command must print in real time (`ffmpeg -re` for a file). Its output is read at once, so that its own device never
    overruns; blocks that the listener is too slow for are dropped and counted.
    """

    def __init__(self, settings: SourceSettings, stats: Stats, *, clock: Callable[[], float] = time.monotonic,
                 stalled_seconds: float = STALLED_SECONDS) -> None:
        """Raises SourceError for a command that does not exist, SettingsError for a channel that it does not print."""
        super().__init__(settings, stats, clock=clock)
        self._command = settings.command
        self._format = StreamFormat(settings.rate or DEFAULT_RATE, settings.channels or 1)
        self._stalled_seconds = stalled_seconds
        check_channel(settings, self._format, self.name)
        if shutil.which(self._command[0]) is None:
            raise SourceError(self.name, found="no such program",
                              wanted="an executable file, or a name on the PATH")
        warn_of_low_rate(self._format, self.name)

    @property
    def name(self) -> str:
        """The program's name; of a whole command line put there by mistake, without the passwords."""
        return f"command {_without_user_info(self._command[0])}"

    @property
    def format(self) -> StreamFormat:
        """What it is said to print."""
        return self._format

    @property
    def _frame_bytes(self) -> int:
        return 2 * self._format.channels

    def _hear(self) -> None:
        try:
            # A session of its own, so that a whole pipeline (`sh -c "a | b"`) can be ended as one process group.
            process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, bufsize=0, start_new_session=True)
        except OSError as error:
            raise SourceError(self.name, found=error.strerror or str(error), wanted="a program that starts") from error
        last_line = _LastLine()
        with process:
            assert process.stdout is not None and process.stderr is not None
            grace_seconds = 0.0
            try:
                self._read(process.stdout, process.stderr, last_line)
                # The end of its output comes a moment before the end of the program.
                grace_seconds = 0.0 if self._closing.rung else _ENDING_SECONDS
            finally:
                status = _end(process, grace_seconds)
            os.set_blocking(process.stderr.fileno(), False)
            last_line.add(process.stderr.read(_READ_BYTES) or b"")
        if not self._closing.rung:
            raise SourceError(self.name, found=f"its end, {status}{last_line}", wanted="raw PCM without an end")

    def _read(self, output: IO[bytes], errors: IO[bytes], last_line: _LastLine) -> None:
        """Offer what is printed until the output ends. Raises SourceError on a stall."""
        self._crossing.begin(self._format)
        waiting = bytearray()
        heard_at, printed = self._clock(), False
        with selectors.DefaultSelector() as selector:
            selector.register(output, selectors.EVENT_READ)
            selector.register(errors, selectors.EVENT_READ)
            while not self._closing.rung and output in selector.get_map():
                for key, _ in selector.select(_POLL_SECONDS):
                    data = os.read(key.fd, _READ_BYTES)
                    if not data:
                        selector.unregister(key.fileobj)
                    elif key.fileobj is errors:
                        last_line.add(data)
                    else:
                        if not printed:
                            self._opened()
                        self._trouble, printed = "", True
                        heard_at = self._clock()
                        waiting += data
                        self._offer(waiting)
                self._check_stillness()
                quiet_seconds = self._clock() - heard_at
                if quiet_seconds > self._stalled_seconds:
                    raise SourceError(self.name, found=f"nothing printed for {self._stalled_seconds:g} s{last_line}",
                                      wanted="raw PCM without a pause")
                if quiet_seconds > QUIET_SECONDS:
                    self._trouble = f"{self.name}: nothing printed for {QUIET_SECONDS:g} s{last_line}"

    def _offer(self, waiting: bytearray) -> None:
        """Move all whole sample times from `waiting` to the crossing. Half a one at the end of a run stays behind, or all
        after the next start would be out of step."""
        end = len(waiting) // self._frame_bytes * self._frame_bytes
        samples = np.frombuffer(bytes(waiting[:end]), "<i2").astype(np.int16, copy=False)
        del waiting[:end]
        if len(samples):
            self._crossing.offer(samples)


class _LastLine:
    """The last line with something in it of what was added, at most 200 characters, without a URL's user info.

    ffmpeg repeats the URL that it cannot open, and the state goes into the log and into retained health.
    """

    def __init__(self) -> None:
        self._tail = b""

    def add(self, data: bytes) -> None:
        self._tail = (self._tail + data)[-2000:]

    def __str__(self) -> str:
        lines = self._tail.decode(errors="replace").splitlines()
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return f": {_without_user_info(last)[-200:]}" if last else ""


def _without_user_info(text: str) -> str:
    """rtsp://admin:secret@camera/1 as rtsp://***@camera/1."""
    return _USER_INFO.sub("//***@", text)


def _end(process: subprocess.Popen[bytes], grace_seconds: float) -> str:
    """End the command and all it started, after giving it `grace_seconds` to end by itself; how it ended, in words.

    The leader is not reaped before the whole group is killed: until then its number cannot belong to anyone else.
    """
    by_itself = _gone(process, grace_seconds)
    if not by_itself:
        os.killpg(process.pid, signal.SIGTERM)
        _gone(process, _ENDING_SECONDS)
    os.killpg(process.pid, signal.SIGKILL)
    code = process.wait()
    if code >= 0:
        return f"exit status {code}"
    return f"signal {signal.Signals(-code).name}" if by_itself else "killed by us"


def _gone(process: subprocess.Popen[bytes], within_seconds: float) -> bool:
    """Whether the leader ends in time; it is left as a zombie."""
    deadline = time.monotonic() + within_seconds
    while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.01)
    return True
