"""Where sounds begin: spectral flux of the log-mel rows against an adaptive floor. Pure.

Time is the position of the rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.stream import BANDS, FRAME_STEP

DB_PER_NEPER = 20.0 / float(np.log(10.0))
"""Rows are natural logarithms of magnitudes: one unit is 8.69 dB."""
SILENT_ROW = float(np.log(0.001))
"""What digital silence gives in every band. Silence is taken to lie before the first row."""

LAG = 2
"""Frames between the two rows whose difference is the flux. An attack fills a frame (25 ms) in two steps."""
NARROW_BANDS, NARROW_WEIGHT = 6, 0.25 / 6
"""A beep rises in few bands only, so a quarter of the mean rise of the six that rise most is flux too."""
PEAK_FRAMES = 3
"""A peak is the highest flux within so many frames (30 ms) on either side."""
FLOOR_FRAMES = 100
"""The floor is the median flux of the last second: steady noise, hum and rain raise it."""
OVER_FLOOR_DB = 2.0
FLOOR_SHARE = 1.5
"""A peak counts from FLOOR_SHARE times the floor and OVER_FLOOR_DB more, in the mean of all bands."""
FALLING_DB = 6.0
"""A peak with so much less power after it than before it is an end, which splashes into all bands."""
APART = 960
"""Samples (60 ms): peaks nearer than that are one onset. An attack has more than one edge."""
ECHO_WITHIN, ECHO_DB = 1_920, 6.0
"""An onset within so many samples (120 ms) of a stronger one, and so much weaker than it, is its echo."""
CENTRE = 200
"""Samples from a frame's start to its middle, where its Hann window weighs most."""
KEPT_FRAMES = 200
"""Frames remembered (2 s): an onset may wait 1.5 s for the patch that names it."""
_SILENT_DB = 10.0 * math.log10(BANDS) + DB_PER_NEPER * SILENT_ROW
_TURN = KEPT_FRAMES - FLOOR_FRAMES - 2 * PEAK_FRAMES
"""Frames judged at a time: all of the floor before them is still remembered."""
DECAY_DB = 20.0
LONGEST_DECAY = 8_000
"""An impulsive sound is over when it has fallen by DECAY_DB, or to the level before it, or after LONGEST_DECAY
samples (0.5 s)."""


@dataclass(frozen=True, slots=True)
class Onset:
    """Something began at `position` (16 kHz).

    flux_db: mean rise over the bands. level_db: power of the attack, to the same reference for all onsets.
    before_db: power just before it. echo: this onset is weaker than another just before it.
    """

    position: int
    flux_db: float
    level_db: float
    before_db: float
    echo: bool


class OnsetDetector:
    """Rows in, onsets out, each 30 ms after its peak. Böck and Widmer's SuperFlux (DAFx 2013), causal.

    flux[t] = mean over bands of max(0, row[t] - max over neighbouring bands of row[t - LAG]). Because of that
    maximum, a voice that glides from one band to the next does not look like attacks. For a narrow sound, the
    mean is taken over the few bands that rise most.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Back to the state after construction: silence lies before what comes."""
        self._rows: NDArray[np.float32] = np.full((LAG + _TURN, BANDS + 2), -np.inf, np.float32)
        """The newest LAG rows, and room for those of a turn; no band lies beside the first and the last."""
        self._rows[:LAG, 1:-1] = SILENT_ROW
        self._flux: NDArray[np.float32] = np.zeros(KEPT_FRAMES, np.float32)
        self._power: NDArray[np.float32] = np.full(KEPT_FRAMES, _SILENT_DB, np.float32)
        self._next, self._begin = -1, 0
        self._last: Onset | None = None

    def take_over(self, other: OnsetDetector) -> None:
        """Go on where another detector stands. The other is done with."""
        self._rows, self._flux, self._power = other._rows, other._flux, other._power
        self._next, self._last, self._begin = other._next, other._last, other._begin

    def push(self, rows: NDArray[np.float32], position: int, power: NDArray[np.float32] | None = None) -> list[Onset]:
        """Onsets that rows float32 `(k, 64)` complete; `position` of the first row's first sample.

        power: `decibels(rows)`, where the caller has it. Rows that do not follow the last reset the detector.
        """
        if position != self._next:
            self.reset()
        self._next = position + FRAME_STEP * len(rows)
        if power is None:
            power = decibels(rows)
        found: list[Onset] = []
        for start in range(0, len(rows), _TURN):
            stop = start + _TURN
            found += self._push(rows[start:stop], position + FRAME_STEP * start, power[start:stop])
        return found

    def _push(self, rows: NDArray[np.float32], position: int, power: NDArray[np.float32]) -> list[Onset]:
        count = len(rows)
        own = self._rows[:LAG + count]
        own[LAG:, 1:-1] = rows
        before = own[:count]
        wide = np.maximum(before[:, :-2], before[:, 2:])
        np.maximum(wide, before[:, 1:-1], out=wide)
        rise = np.subtract(rows, wide, out=wide)
        np.maximum(rise, 0.0, out=rise)
        own[:LAG] = own[count:]
        mean = np.add.reduce(rise, axis=1) * np.float32(1.0 / BANDS)
        rise.partition(BANDS - NARROW_BANDS, axis=1)
        narrow = np.add.reduce(rise[:, BANDS - NARROW_BANDS:], axis=1) * np.float32(NARROW_WEIGHT)
        flux = np.maximum(mean, narrow) * np.float32(DB_PER_NEPER)
        self._flux = np.concatenate((self._flux[count:], flux))
        self._power = np.concatenate((self._power[count:], power))
        self._begin = position + FRAME_STEP * (count - KEPT_FRAMES)
        found = []
        # A peak needs PEAK_FRAMES after it: what is judged now lags behind by as many.
        first, last = KEPT_FRAMES - count - PEAK_FRAMES, KEPT_FRAMES - PEAK_FRAMES
        for frame in (self._flux[first:last] >= OVER_FLOOR_DB).nonzero()[0].tolist():
            if (onset := self._judge(first + frame)) is not None:
                found.append(onset)
        return found

    def decayed(self, onset: Onset, stop: int) -> int | None:
        """Position where an impulsive sound is over, by what was heard up to `stop`; None while that is not known."""
        end = min(onset.position + LONGEST_DECAY, stop)
        quiet = max(onset.level_db - DECAY_DB, onset.before_db + 3.0)
        first = max((onset.position - self._begin) // FRAME_STEP + PEAK_FRAMES, 0)
        last = (end - self._begin) // FRAME_STEP
        under = np.flatnonzero(self._power[first:last] < quiet)
        if len(under):
            return int(self._begin + FRAME_STEP * (first + int(under[0])) + CENTRE)
        return end if end == onset.position + LONGEST_DECAY else None

    def _judge(self, frame: int) -> Onset | None:
        """The onset at a frame whose flux is a peak; None where it is none."""
        here = self._flux[frame]
        earlier, later = self._flux[frame - PEAK_FRAMES: frame], self._flux[frame + 1: frame + PEAK_FRAMES + 1]
        if here <= earlier.max() or here < later.max():
            return None
        floor = float(np.sort(self._flux[frame - FLOOR_FRAMES: frame])[FLOOR_FRAMES // 2])
        if here < FLOOR_SHARE * floor + OVER_FLOOR_DB:
            return None
        found = self._onset(frame, echo=False)
        if self._power[frame + PEAK_FRAMES] < found.before_db - FALLING_DB:
            return None
        last = self._last
        if last is not None and found.position - last.position < APART:
            return None
        if last is not None and found.position - last.position <= ECHO_WITHIN and found.level_db <= last.level_db - ECHO_DB:
            return self._onset(frame, echo=True)
        self._last = found
        return found

    def _onset(self, frame: int, *, echo: bool) -> Onset:
        return Onset(
            position=self._begin + FRAME_STEP * frame + CENTRE, flux_db=float(self._flux[frame]),
            level_db=float(self._power[frame: frame + PEAK_FRAMES + 1].max()),
            before_db=float(self._power[frame - LAG]), echo=echo)


def decibels(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Power of log-mel rows `(k, 64)` in dB: float32 `(k,)`, 10 log10 of the sum over bands of squared magnitudes."""
    power: NDArray[np.float32] = np.add.reduce(np.exp(rows + rows), axis=1)
    np.log10(power, out=power)
    power *= np.float32(10.0)
    return power
