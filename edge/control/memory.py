"""Memory that is free within the process, given back to the system. With another C library than glibc nothing is done."""

from __future__ import annotations

import ctypes
import gc
from contextlib import suppress
from functools import cache

_MMAP_THRESHOLD, _ARENA_MAX = -3, -8
"""M_MMAP_THRESHOLD and M_ARENA_MAX of mallopt(3)."""
LARGE_BYTES = 131_072
"""What glibc begins with."""


def keep_together() -> None:
    """Once, at the start, before any thread: all threads share one heap, but blocks of LARGE_BYTES and more come from the
    system and go back to it.

    glibc would give threads heaps of their own, each with its own holes; Python's lock lets one thread at a time ask for
    memory anyway. And it raises the bound whenever a large block is freed, up to 32 MB: from then on what a model takes
    lies among small blocks, and each reload leaves pieces.
    """
    with suppress(OSError, AttributeError):
        _libc().mallopt(_ARENA_MAX, 1)
        _libc().mallopt(_MMAP_THRESHOLD, LARGE_BYTES)


def give_back() -> None:
    """After much was freed at once, such as a model: glibc keeps it, in pieces that the next model does not fit into.

    Takes some hundredths of a second, most of it for Python's own collector, which other threads wait for.
    """
    gc.collect()
    with suppress(OSError, AttributeError):
        _libc().malloc_trim(0)


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None)  # this process has libc
