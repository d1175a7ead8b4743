"""Memory that is free within the process, given back to the system."""

from __future__ import annotations

import ctypes
from contextlib import suppress
from functools import cache


def give_back() -> None:
    """After much was freed at once, such as a model: glibc keeps it, in pieces that the next model does not fit into.

    Takes some milliseconds, in which other threads go on. Does nothing with another C library.
    """
    with suppress(OSError, AttributeError):
        _libc().malloc_trim(0)


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None)  # this process has libc
