"""Cuts sounds out of a running microphone, one after another, to be taught with. Pure: time is counted in
samples.

Nothing is kept but the last seconds, and the recordings that were handed over. A noise that begins and stays
(a fan, rain) is no sound to be taught: it is thrown away once it has lasted LONGEST, and what it sounds like
then is the room.
"""

from __future__ import annotations

from collections import deque

import numpy as np

from edge.features.level import level_of
from edge.learn.augment import Samples
from edge.stream import FRAME_STEP, SAMPLE_RATE, SILENCE_DBFS

BEFORE, AFTER = 12_800, 8_000
"""Samples of the room that a recording has around the sound: 0.8 and 0.5 s."""
SETTLE = 100
"""Steps of 10 ms whose median is the room's level. No sound begins before so many were heard."""
OVER_DB = 12.0
"""A sound begins so far over the room's level."""
SOFTEST_DBFS = -80.0
"""A room that is quieter counts as this loud: what rises over digital silence is no sound yet."""
LONGEST = 10 * SAMPLE_RATE
"""Samples that a sound may last."""


class Recorder:
    """Samples at 16 kHz in, recordings out."""

    def __init__(self) -> None:
        self._held: Samples = np.empty(0, np.int16)
        self._levelled = 0
        self._room: deque[float] = deque(maxlen=SETTLE)
        self._newest: deque[float] = deque(maxlen=SETTLE)
        self._start: int | None = None
        self._quiet = 0
        self.level_dbfs = SILENCE_DBFS
        """Of the newest 10 ms."""
        self.loudest_dbfs = SILENCE_DBFS
        """Of the loudest 10 ms of what was pushed last."""
        self.endless = 0
        """How many sounds did not end within LONGEST, and were thrown away."""

    @property
    def room_dbfs(self) -> float | None:
        """The room's level; None while it is not known yet."""
        return float(np.median(self._room)) if len(self._room) == SETTLE else None

    @property
    def hearing(self) -> bool:
        """A sound has begun and is not over."""
        return self._start is not None

    def push(self, samples: Samples) -> list[Samples]:
        """Recordings int16 `(n,)` that these samples complete, often none."""
        self._held = np.concatenate((self._held, samples))
        done: list[Samples] = []
        levels: list[float] = []
        while self._levelled + FRAME_STEP <= len(self._held):
            step = self._held[self._levelled: self._levelled + FRAME_STEP]
            self._levelled += FRAME_STEP
            self.level_dbfs = level_of(step).rms_dbfs
            self._newest.append(self.level_dbfs)
            levels.append(self.level_dbfs)
            if self._start is None:
                self._wait()
            elif self._over():
                done.append(self._held[max(self._start - BEFORE, 0): self._levelled].copy())
                self._forget_sound()
            elif self._levelled - self._start >= LONGEST:
                self.endless += 1
                self._room = self._newest.copy()
                self._forget_sound()
        self.loudest_dbfs = max(levels, default=self.loudest_dbfs)
        if self._start is None:
            self._drop(self._levelled - BEFORE)
        return done

    def _wait(self) -> None:
        """Follow the room's level, or begin a sound where the newest step rises over it."""
        room = self.room_dbfs
        if room is not None and self.level_dbfs > max(room, SOFTEST_DBFS) + OVER_DB:
            self._start, self._quiet = self._levelled - FRAME_STEP, 0
        else:
            self._room.append(self.level_dbfs)

    def _over(self) -> bool:
        """True once the level has been less than half of OVER_DB over the room for AFTER samples."""
        room = self.room_dbfs
        assert room is not None  # no sound begins before the room is known
        self._quiet = self._quiet + FRAME_STEP if self.level_dbfs < max(room, SOFTEST_DBFS) + OVER_DB / 2.0 else 0
        return self._quiet >= AFTER

    def _forget_sound(self) -> None:
        """Wait for the next sound, which must not begin within this one's tail."""
        self._start = None
        self._drop(self._levelled)

    def _drop(self, count: int) -> None:
        if count > 0:
            self._held = self._held[count:]
            self._levelled -= count
