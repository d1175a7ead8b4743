"""The program on a real pseudo-terminal, seen through a small VT100."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from tests.cli.made_hearings import Screen

ROOT = Path(__file__).resolve().parent.parent.parent
PATIENCE_SECONDS = 60.0

VARIABLES = ("NO_COLOR", "LC_ALL", "LC_CTYPE", "LANG", "COLUMNS", "LINES")


class Watched:
    """`edge-audio watch ARGUMENTS` on a terminal of its own; a context that ends it."""

    def __init__(self, *arguments: str | Path, size: tuple[int, int] = (80, 24), state_dir: Path | None = None,
                 **variables: str) -> None:
        self.screen = Screen(*size)
        self._ours, self._theirs = pty.openpty()
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._set_size(*size)
        self.attributes = termios.tcgetattr(self._theirs)
        environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
        environment |= {"TERM": "xterm", "LANG": "C.UTF-8", **variables}
        if state_dir is not None:
            environment["EDGE_AUDIO_STATE"] = str(state_dir)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "edge", "watch", *map(str, arguments)], cwd=ROOT, env=environment, stdin=self._theirs,
            stdout=self._theirs, stderr=self._theirs, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))

    def __enter__(self) -> Watched:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)
        os.close(self._theirs)

    def until(self, seen: Callable[[str], bool]) -> str:
        """Read on until the screen shows it."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not seen(text := "\n".join(self.screen.text())):
            assert time.monotonic() < deadline, f"not seen within {PATIENCE_SECONDS} s:\n{text}\n{self.screen.other}"
            assert self._read(0.2) or self.process.poll() is None, f"ended before it was seen:\n{text}\n{self.screen.other}"
        return text

    def type(self, keys: bytes) -> None:
        """As a person at the keyboard: the terminal makes a signal of Ctrl-C and Ctrl-Z."""
        os.write(self._ours, keys)

    def resize(self, columns: int, lines: int) -> None:
        """Another size, as when a window is dragged."""
        while self._read(0.0):
            pass
        self.screen.resize(columns, lines)
        self._set_size(columns, lines)

    def end(self) -> int:
        """Its exit code, once it has ended and all that it wrote was read."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.process.poll() is None:
            assert time.monotonic() < deadline, "it goes on"
            self._read(0.1)
        while self._read(0.0):
            pass
        return self.process.returncode

    def stopped(self) -> bool:
        """Whether the program is stopped, as by Ctrl-Z."""
        self._read(0.05)
        return Path(f"/proc/{self.process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "T"

    def resume(self) -> None:
        """As the shell's `fg`."""
        self.process.send_signal(signal.SIGCONT)

    def restored(self) -> bool:
        """Whether the terminal is as it was: its own screen, cursor, wrapping, keys."""
        modes = self.screen.modes == {"?7": True, "?25": True, "?1049": False}
        return modes and termios.tcgetattr(self._theirs) == self.attributes

    def _read(self, seconds: float) -> bool:
        if not select.select([self._ours], [], [], seconds)[0]:
            return False
        self.screen.feed(self._decoder.decode(os.read(self._ours, 65_536)))
        return True

    def _set_size(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self._theirs, termios.TIOCSWINSZ, struct.pack("4H", lines, columns, 0, 0))
