"""Cuts sounds out of a running microphone, one after another, to be taught with. Pure: time is the samples'.

Nothing is kept but the last seconds, and the recordings that were handed over.
"""

from __future__ import annotations

import numpy as np

from edge.features.level import SILENCE_DBFS, LevelMeter
from edge.learn.augment import Samples
from edge.stream import SAMPLE_RATE

STEP = 160
"""Samples that a level is taken of: 10 ms."""
BEFORE, AFTER = 12_800, 8_000
"""Samples of the room that a recording has around the sound: 0.8 and 0.5 s."""
SETTLE = 100
"""Steps (1 s) that the room is listened to before the first sound may come."""
OVER_DB = 12.0
"""A sound begins so far over the room's median level of the last SETTLE steps."""
QUIET_STEPS = 40
"""It is over after so many steps (0.4 s) less than half of that over the room."""
LONGEST = 10 * SAMPLE_RATE
"""A recording ends there, whether the sound does or not."""


class Recorder:
    """Samples at 16 kHz in, recordings out."""

    def __init__(self) -> None:
        self._meter = LevelMeter()
        self._held: Samples = np.empty(0, np.int16)
        self._levelled = 0
        self._levels: list[float] = []
        self._start: int | None = None
        self._quiet = 0
        self.level_dbfs = SILENCE_DBFS
        """Of the newest 10 ms."""

    @property
    def room_dbfs(self) -> float | None:
        """The room's level; None while it is not known yet."""
        return float(np.median(self._levels[-SETTLE:])) if len(self._levels) >= SETTLE else None

    @property
    def hearing(self) -> bool:
        """A sound has begun and is not over."""
        return self._start is not None

    def push(self, samples: Samples) -> list[Samples]:
        """Recordings int16 `(n,)` that these samples complete, often none."""
        self._held = np.concatenate((self._held, samples))
        done: list[Samples] = []
        while self._levelled + STEP <= len(self._held):
            step = self._held[self._levelled: self._levelled + STEP]
            self._levelled += STEP
            self.level_dbfs = self._meter.measure(step).rms_dbfs
            if self._step():
                begin = max((self._start or 0) - BEFORE, 0)
                done.append(self._held[begin: self._levelled].copy())
                self._start, self._quiet = None, 0
                # The next sound must not begin within this one's tail.
                self._drop(self._levelled)
        if self._start is None:
            self._drop(self._levelled - BEFORE)
        return done

    def _step(self) -> bool:
        """Judge one step; True where a recording is complete."""
        room = self.room_dbfs
        if self._start is None:
            if room is not None and self.level_dbfs > max(room, -80.0) + OVER_DB:
                self._start, self._quiet = self._levelled - STEP, 0
                return False
            self._levels = [*self._levels[-SETTLE:], self.level_dbfs]
            return False
        assert room is not None
        self._quiet = self._quiet + 1 if self.level_dbfs < max(room, -80.0) + OVER_DB / 2.0 else 0
        long_enough = self._levelled - self._start >= LONGEST
        return long_enough or self._quiet >= max(QUIET_STEPS, AFTER // STEP)

    def _drop(self, count: int) -> None:
        if count > 0:
            self._held = self._held[count:]
            self._levelled -= count
