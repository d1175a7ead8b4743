"""A progress bar on standard error, for people: none where standard error is no terminal, none for what is soon done."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PATIENCE_SECONDS = 1.0
"""What takes less than this needs no bar."""


class Bar:
    """One line that is drawn over again, at most ten times a second."""

    def __init__(self, name: str, unit: str) -> None:
        self._name, self._unit = name, unit
        self._started = self._drawn = time.monotonic()
        self._visible = False

    def __call__(self, done: float, total: float) -> None:
        """Draw `done` of `total`."""
        now = time.monotonic()
        if now - self._started < PATIENCE_SECONDS or now - self._drawn < 0.1 or not sys.stderr.isatty():
            return
        self._drawn, self._visible = now, True
        share = min(done / total, 1.0) if total > 0 else 0.0
        width = max(min(shutil.get_terminal_size().columns - len(self._name) - 34, 40), 5)
        bar = "#" * round(share * width)
        rate = done / (now - self._started)
        text = f"{self._name} [{bar:<{width}}] {share:4.0%} {done:.0f}/{total:.0f} {self._unit} {rate:.0f}/s"
        print(f"\r{text}\x1b[K", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Leave an empty line behind."""
        if self._visible:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


@contextmanager
def bar(name: str, unit: str) -> Iterator[Callable[[float, float], None]]:
    """A bar that is cleared however the work ends."""
    drawn = Bar(name, unit)
    try:
        yield drawn
    finally:
        drawn.clear()
