"""The terminal: taken for a while, written to once a frame, and given back as it was whatever happens."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import termios
import tty
from collections.abc import Sequence
from types import FrameType, TracebackType
from typing import Any, TextIO

ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J"
"""The other screen, no cursor, no wrapping, cleared."""

LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l"

USUAL_SIZE = (80, 24)
"""For a terminal that does not know its size (a serial line)."""

QUIT_KEYS = (b"q", b"Q", b"\x03", b"\x04")


class Terminal:
    """A context: the screen is ours inside. Signals (a new size, a stop and its end, Ctrl-C) wake `descriptors`."""

    def __init__(self, output: TextIO) -> None:
        """output: a terminal; keys are read from standard input where that is one too."""
        self._output = output.fileno()
        self._input = sys.stdin.fileno() if sys.stdin is not None and sys.stdin.isatty() else None
        self._attributes: list[Any] | None = None
        self._before: dict[int, Any] = {}
        self._wakeup = -1
        self._read, self._write = -1, -1
        self._drawn: list[str] = []
        self._drawn_size = (0, 0)
        self.quit = False
        """Ctrl-C or q."""

    def __enter__(self) -> Terminal:
        self._read, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._wakeup = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        for number, handler in ((signal.SIGWINCH, self._woken), (signal.SIGINT, self._interrupted),
                                (signal.SIGTSTP, self._stopped), (signal.SIGCONT, self._woken)):
            self._before[number] = signal.signal(number, handler)
        try:
            self._take()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._give_back()
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()
        signal.set_wakeup_fd(self._wakeup)
        os.close(self._read)
        os.close(self._write)

    def descriptors(self) -> list[int]:
        """What to select on: keys and signals."""
        return [self._read] if self._input is None else [self._read, self._input]

    def read(self) -> None:
        """Take what signals and keys brought; never waits."""
        with contextlib.suppress(BlockingIOError):
            os.read(self._read, 4096)
        if self._input is None or not select.select([self._input], [], [], 0)[0]:
            return
        try:
            keys = os.read(self._input, 4096)
        except OSError:
            keys = b""
        self.quit |= not keys or any(key in keys for key in QUIT_KEYS)  # no keys: the terminal is gone

    def size(self) -> tuple[int, int]:
        """Columns and lines now."""
        with contextlib.suppress(OSError):
            columns, lines = os.get_terminal_size(self._output)
            if columns > 0 and lines > 0:
                return columns, lines
        return USUAL_SIZE

    def draw(self, lines: Sequence[str]) -> None:
        """One frame in one write: the lines that differ from the last frame's, as wide and as many as those."""
        size = self.size()
        anew = size != self._drawn_size or len(lines) != len(self._drawn)
        old = [""] * len(lines) if anew else self._drawn
        text = "".join(f"\x1b[{number}H{line}" for number, (line, before) in enumerate(zip(lines, old, strict=True), 1)
                       if line != before)
        self._drawn, self._drawn_size = list(lines), size
        try:
            self._say(("\x1b[2J" if anew else "") + text)
        except OSError:  # the terminal is gone: nobody looks any more
            self.quit = True

    def _take(self) -> None:
        if self._input is not None:
            self._attributes = termios.tcgetattr(self._input)
            tty.setcbreak(self._input)
        self._say(ENTER)

    def _give_back(self) -> None:
        with contextlib.suppress(OSError):  # the terminal itself may be gone
            self._say(LEAVE)
        if self._input is not None and self._attributes is not None:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(self._input, termios.TCSANOW, self._attributes)

    def _say(self, text: str) -> None:
        data = text.encode("utf-8", "replace")
        while data:
            try:
                data = data[os.write(self._output, data):]
            except BlockingIOError:  # somebody else left it so
                select.select([], [self._output], [])

    def _woken(self, _number: int, _frame: FrameType | None) -> None:
        """The wake-up descriptor has told `descriptors` already."""

    def _interrupted(self, _number: int, _frame: FrameType | None) -> None:
        self.quit = True

    def _stopped(self, _number: int, _frame: FrameType | None) -> None:
        """Ctrl-Z: the shell gets its terminal as it was, and we ours when we go on."""
        self._give_back()
        os.kill(os.getpid(), signal.SIGSTOP)
        self._take()
        self._drawn = []
