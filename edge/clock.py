"""The clocks of this machine, and whether its date can be trusted: a board without a battery starts in 1970."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_TIME_ERROR = 5
"""What adjtimex(2) returns while nobody has set the clock right."""
_ANSWERED = Path("/run/systemd/timesync/synchronized")
"""Made by systemd-timesyncd when it has set the clock."""
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_WRITTEN = datetime(2026, 11, 1, tzinfo=UTC).timestamp()
"""No event is older than this program."""


class Clock:
    """UTC, the monotonic clock (seconds; one for all processes of a boot), and what is known of UTC."""

    def __init__(self) -> None:
        """Find the kernel's own word on the clock; where it has none (another system), the date alone is judged."""
        self._adjtimex: Callable[[Any], int] | None = None
        with suppress(OSError, AttributeError):
            self._adjtimex = ctypes.CDLL(None).adjtimex  # this process has libc
        try:
            self.boot = _BOOT.read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            self.boot = ""

    def utc(self) -> float:
        """Seconds since 1970."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that only grow; comparable within one boot (`boot`)."""
        return time.monotonic()

    def synchronised(self) -> bool:
        """Whether UTC was set by a time service, as far as this machine knows."""
        if self.utc() < _WRITTEN:
            return False
        # modes = 0 asks only; the structure is 208 bytes at most (man 2 adjtimex), its status is in the return value too.
        word = -1 if self._adjtimex is None else int(self._adjtimex(ctypes.create_string_buffer(512)))
        return word != _TIME_ERROR or _ANSWERED.exists()
