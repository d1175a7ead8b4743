"""The clock of this machine, which may start in 1970, and the clock that dates the positions of a stream."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from edge.stream import SAMPLE_RATE, Block

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


class StreamClock:
    """Turns positions into UTC.

    A live source is anchored at every block to the monotonic clock: a block cannot arrive before its last
    sample was heard, so the smallest lateness seen is nearest to the truth; a slow leak lets it follow a
    sound card whose rate is off by some parts per million. A recording is anchored once, at its start, so it
    is dated alike at any speed.
    """

    LEAK_PER_SECOND = 0.001
    """How fast the anchor may follow a card that runs slow: 1 ms a second."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic, utc: Callable[[], float] = time.time) -> None:
        """monotonic, utc: clocks in seconds; tests bring their own."""
        self._monotonic = monotonic
        self._utc = utc
        self._offset: float | None = None
        self._anchored_at = 0.0
        self._heard_at = monotonic()
        self._expected = 0
        self._stalled = True

    def now(self) -> float:
        """Monotonic seconds."""
        return self._monotonic()

    def heard(self, block: Block, position: int) -> None:
        """A block of a live source has arrived; `position` (16 kHz) is that after its last sample.

        The anchor holds over a gap whose length is known, for positions jump by as much. The anchor is made
        anew after a gap of unknown length, another format, or a stall.
        """
        self.anchor(position, restart=self._stalled or (block.gap and block.position == self._expected))
        self._expected = block.position + block.length
        self._stalled = False
        self._heard_at = self._monotonic()

    @property
    def silent_seconds(self) -> float:
        """Since the last block of a live source arrived."""
        return self._monotonic() - self._heard_at

    def stall(self) -> None:
        """Sound was missed for a time that no position tells: the next block is dated anew."""
        self._stalled = True

    def anchor(self, position: int, *, restart: bool = False) -> None:
        """Say that the sample before `position` has just been heard; `restart` forgets the old anchor."""
        now = self._monotonic()
        offset = now - position / SAMPLE_RATE
        if self._offset is None or restart or offset < self._offset:
            self._offset = offset
        else:
            leak = max(now - self._anchored_at, 0.0) * self.LEAK_PER_SECOND
            self._offset = min(offset, self._offset + leak)
        self._anchored_at = now

    def monotonic(self, position: int) -> float:
        """Monotonic seconds of `position`; of now, if nothing was anchored yet."""
        return self._monotonic() if self._offset is None else self._offset + position / SAMPLE_RATE

    def unix_seconds(self, position: int) -> float:
        """UTC of `position` in seconds since 1970; of now, if nothing was anchored yet."""
        if self._offset is None:
            return self._utc()
        return self._utc() - self._monotonic() + self.monotonic(position)

    def utc(self, position: int) -> datetime:
        """UTC of `position`, to the microsecond."""
        return datetime.fromtimestamp(self.unix_seconds(position), UTC)
