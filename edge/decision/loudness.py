"""How loud it is against the room: the tracked noise floor, and targets that need no class. Pure."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.decision.detection import Detection
from edge.decision.targets import LoudnessTarget
from edge.stream import FRAME_STEP, SAMPLE_RATE, Phase, TargetHearing

FLOOR_SECONDS = 15.0
"""The room's noise is the quietest STEP_SECONDS of the last FLOOR_SECONDS. A longer sound is noise."""
STEP_SECONDS = 0.5
RELEASE_DB = 3.0
"""An event goes on while its sound is louder than `louder_db` less this."""


class NoiseFloor:
    """Tracks the quietest mean power of 0.5 s in the last 15 s, in dB of any reference."""

    def __init__(self) -> None:
        self._step = round(STEP_SECONDS * SAMPLE_RATE / FRAME_STEP)
        self._means: deque[float] = deque(maxlen=round(FLOOR_SECONDS / STEP_SECONDS))
        self._open, self._count = 0.0, 0

    @property
    def db(self) -> float | None:
        """The floor; None until the first 0.5 s have been heard."""
        return min(self._means, default=None)

    def push(self, power: NDArray[np.float32]) -> None:
        """Frames' power, linear, float32 `(k,)`, 10 ms apart."""
        while len(power):
            taken = power[: self._step - self._count]
            self._add(float(taken.sum()), len(taken))
            power = power[len(taken):]

    def push_level(self, dbfs: float, samples: int) -> None:
        """A stretch of so many samples (16 kHz) at one level."""
        power, left = 10.0 ** (dbfs / 10.0), max(samples // FRAME_STEP, 1)
        while left:
            taken = min(self._step - self._count, left)
            self._add(power * taken, taken)
            left -= taken

    def _add(self, power: float, frames: int) -> None:
        """The summed power of frames that fit into the open step."""
        self._open, self._count = self._open + power, self._count + frames
        if self._count == self._step:
            self._means.append(10.0 * math.log10(max(self._open / self._step, 1e-12)))
            self._open, self._count = 0.0, 0


class LoudnessDetector:
    """Anything louder than the room by so many dB: one event from start to end, to the frame (10 ms)."""

    def __init__(self, target: LoudnessTarget) -> None:
        self.target = target
        self.refused = ""
        self.over_db = 0.0
        self._since: int | None = None
        self._last = 0
        self._loudest = 0.0
        self.running = False  # an event has started and not ended
        self._deaf_until: int | None = None

    def push(self, position: int, level_db: float, floor_db: float | None) -> list[Detection]:
        """One frame, its first sample at `position`; level and floor in dB of the same reference."""
        self.refused = ""
        target = self.target
        self.over_db = level_db - floor_db if floor_db is not None else 0.0
        if self._since is not None and self.over_db >= target.louder_db - RELEASE_DB:
            self._last, self._loudest = position, max(self._loudest, self.over_db)
        elif floor_db is not None and self._since is None and self.over_db >= target.louder_db:
            if self._deaf_until is not None and position < self._deaf_until:
                self.refused = "within the refractory time"
                return []
            self._since, self._last, self._loudest = position, position, self.over_db
        elif self._since is not None and position - self._last > target.release:
            return self.interrupt()
        if self._since is None or self.running or self._last - self._since < target.minimum_duration:
            return []
        self.running = True
        return [self._detection("start", None)]

    def interrupt(self) -> list[Detection]:
        """The sound is over, by a pause, a gap or the end of the stream: the end of a running event."""
        found = [self._detection("end", self._last + FRAME_STEP)] if self.running else []
        if self.running:
            self._deaf_until = self._last + FRAME_STEP + self.target.refractory
        self._since, self.running = None, False
        return found

    def _detection(self, phase: Phase, end: int | None) -> Detection:
        assert self._since is not None
        return Detection(phase, self.target.name, "", 1.0, 1.0, self._since, end)


class Loudnesses:
    """All loudness targets, and the floor that they share."""

    def __init__(self, targets: Sequence[LoudnessTarget]) -> None:
        self._floor = NoiseFloor()
        self._all = [LoudnessDetector(target) for target in targets]

    def take_over(self, other: Loudnesses) -> None:
        """Go on with another's floor; the other is done with."""
        self._floor = other._floor

    def push(self, levels: NDArray[np.float32], at: int) -> list[Detection]:
        """Judge rows by their power in dB, float32 `(k,)`. at: position of the first."""
        if not self._all:
            return []
        floor = self._floor.db
        found = [each for number, level in enumerate(levels.tolist()) for loud in self._all
                 for each in loud.push(at + FRAME_STEP * number, level, floor)]
        self._floor.push(np.power(np.float32(10.0), levels / np.float32(10.0)))
        return found

    def interrupt(self) -> list[Detection]:
        """A gap, or the end of the stream: running events end."""
        return [each for loud in self._all for each in loud.interrupt()]

    def hearing(self) -> list[TargetHearing]:
        """How every target stands, in order."""
        return [TargetHearing(loud.target.name, "", min(max(loud.over_db / loud.target.louder_db, 0.0), 1.0), 1.0,
                              loud.running, loud.refused) for loud in self._all]
