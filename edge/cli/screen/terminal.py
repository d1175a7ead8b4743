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
from types import TracebackType
from typing import Any, TextIO

ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J"
"""The other screen, no cursor, no wrapping, cleared."""

LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l"

USUAL_SIZE = (80, 24)
"""Columns and lines of a terminal that does not know its size (a serial line)."""

QUIT_KEYS = (b"q", b"Q", b"\x03", b"\x04")
STOP_KEY = b"\x1a"
"""Ctrl-Z. While the screen is ours Ctrl-C and Ctrl-Z come as keys, not as signals."""

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Terminal:
    """A context: inside, the screen and the keys are ours."""

    def __init__(self, output: TextIO) -> None:
        """output: a terminal; keys are read from standard input where that is a terminal too."""
        self._output = output.fileno()
        self._input = sys.stdin.fileno() if sys.stdin is not None and sys.stdin.isatty() else None
        self._attributes: list[Any] = []
        self._drawn: list[str] = []
        self._drawn_size = (0, 0)
        self.quit = False
        """Somebody wants to leave, or the terminal is gone."""

    def __enter__(self) -> Terminal:
        self._take()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._give_back()

    def descriptors(self) -> list[int]:
        """What to select on: the keys."""
        return [] if self._input is None else [self._input]

    def read(self) -> None:
        """Take the keys that came; never waits."""
        if self._input is None or not select.select([self._input], [], [], 0)[0]:
            return
        try:
            keys = os.read(self._input, 4096)
        except OSError:
            keys = b""
        self.quit |= not keys or any(key in keys for key in QUIT_KEYS)  # no keys: the terminal is gone
        if STOP_KEY in keys:  # the shell gets its terminal as it was, and we get ours again with `fg`
            self._give_back()
            os.kill(os.getpid(), signal.SIGSTOP)
            self._take()

    def size(self) -> tuple[int, int]:
        """Columns and lines now."""
        with contextlib.suppress(OSError):
            columns, lines = os.get_terminal_size(self._output)
            if columns > 0 and lines > 0:
                return columns, lines
        return USUAL_SIZE

    def draw(self, lines: Sequence[str]) -> None:
        """Write one frame at once: the lines that differ from the last frame's, or all lines after a change
        of size."""
        size = self.size()
        anew = size != self._drawn_size or len(lines) != len(self._drawn)
        old = [""] * len(lines) if anew else self._drawn
        text = "".join(f"\x1b[{number}H{line}" for number, (line, before) in enumerate(zip(lines, old, strict=True), 1)
                       if line != before)
        self._drawn, self._drawn_size = list(lines), size
        try:
            self._say("\x1b[2J" * anew + text)
        except OSError:
            self.quit = True

    def _take(self) -> None:
        self._drawn = []
        if self._input is not None:
            self._attributes = termios.tcgetattr(self._input)
            tty.setcbreak(self._input)
            keys = termios.tcgetattr(self._input)
            keys[tty.LFLAG] &= ~termios.ISIG
            termios.tcsetattr(self._input, termios.TCSANOW, keys)
        self._say(ENTER)

    def _give_back(self) -> None:
        with contextlib.suppress(OSError, termios.error):  # the terminal itself may be gone
            self._say(LEAVE)
            if self._input is not None:
                termios.tcsetattr(self._input, termios.TCSANOW, self._attributes)

    def _say(self, text: str) -> None:
        """Write all of the text. A signal that ends the program waits until then, so that it does not cut a
        letter."""
        data = text.encode("utf-8", "replace")
        select.select([], [self._output], [])
        before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        try:
            while data:
                try:
                    data = data[os.write(self._output, data):]
                except BlockingIOError:  # another program has made the terminal non-blocking
                    select.select([], [self._output], [])
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
