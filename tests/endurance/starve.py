"""Lets a process have no more than a share of a core, by stopping it: a board that is too small for its work. Linux only."""

from __future__ import annotations

import os
import signal
import threading
import time
from types import TracebackType
from typing import Self

from tests.measure_watching import busy_seconds

LOOK_SECONDS = 0.001
SAVED_SECONDS = 0.002
"""So much processor time may be saved up by a process that did not use its share: a slow board cannot save any."""


class Starved:
    """A context: within it the process is stopped (SIGSTOP) while it has had more than its share, else it goes on."""

    def __init__(self, process: int, share: float) -> None:
        """share: of one core; what is had too much at once is paid back before it goes on."""
        self._process, self._share = process, share
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="starve", daemon=True)
        self.stops = 0
        """How often it was stopped."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()
        os.kill(self._process, signal.SIGCONT)

    def _run(self) -> None:
        had, at, saved, stopped = busy_seconds(self._process), time.monotonic(), 0.0, False
        while not self._over.wait(LOOK_SECONDS):
            now, has = time.monotonic(), busy_seconds(self._process)
            saved = min(saved + (now - at) * self._share, SAVED_SECONDS) - (has - had)
            at, had = now, has
            if stopped != (saved < 0.0):
                stopped = not stopped
                self.stops += stopped
                os.kill(self._process, signal.SIGSTOP if stopped else signal.SIGCONT)
