"""Whether the listener still comes round. Where it does not, no pin may stay as the last event left it."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import inf

LOST_SECONDS = 10.0
"""The listener is lost after so long without a sign of life. It comes round at every block, and once a second without one.
The unit's watchdog ends the program 20 to 30 s after the last sign (WatchdogSec=30, fed every 10 s)."""


class Progress:
    """When the listener last came round. `beat` is for its thread, the rest for any; nothing here waits."""

    def __init__(self, lost_seconds: float | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        """lost_seconds: None for LOST_SECONDS; clock: monotonic, in seconds. Nothing is lost before the first beat."""
        self._lost_seconds = LOST_SECONDS if lost_seconds is None else lost_seconds
        self._clock = clock
        self._beat_at = inf

    def beat(self) -> None:
        """The listener has come round."""
        self._beat_at = self._clock()

    @property
    def left(self) -> float:
        """Seconds until the listener counts as lost; infinite before the first beat."""
        return self._beat_at + self._lost_seconds - self._clock()

    @property
    def lost(self) -> bool:
        """Whether it is."""
        return self.left <= 0.0

    @property
    def text(self) -> str:
        """For health: "ok", or for how long the listener has not come round."""
        left = self.left
        return "ok" if left > 0.0 else f"the listener makes no progress for {self._lost_seconds - left:.0f} s"
