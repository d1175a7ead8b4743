"""A progress bar on standard error: none where that is no terminal, none for what is soon done."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Progress = Callable[[float, float], None]
"""Called with how much is done so far, and with how much there is in all."""

PATIENCE_SECONDS = 1.0
"""What takes less than this needs no bar."""
REDRAWN_SECONDS = 0.1


@contextmanager
def bar(name: str, unit: str) -> Iterator[Progress]:
    """A function that draws how much of a total is done, on a line that is cleared at the end."""
    began = drawn = time.monotonic()

    def draw(done: float, total: float) -> None:
        nonlocal drawn
        now = time.monotonic()
        if now - began < PATIENCE_SECONDS or now - drawn < REDRAWN_SECONDS or not sys.stderr.isatty():
            return
        drawn = now
        share = min(done / total, 1.0) if total > 0 else 0.0
        width = max(min(shutil.get_terminal_size().columns - len(name) - 34, 40), 5)
        text = (f"{name} [{'#' * round(share * width):<{width}}] {share:4.0%} {done:.0f}/{total:.0f} {unit} "
                f"{done / (now - began):.0f}/s")
        print(f"\r{text}\x1b[K", end="", file=sys.stderr, flush=True)

    try:
        yield draw
    finally:
        if drawn > began:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
