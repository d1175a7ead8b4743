"""Pulses of narrow tones in the log-mel rows: where one stands out of the bands around it, and how long. Pure.

An alarm's horn puts all its power into two neighbouring bands, so it stands out even where the room is as loud as
the horn. A pulse ends where the tone has fallen by FALL from its own level, so a reverberant room lengthens a pulse by
a tenth of its reverberation time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.stream import BANDS, FRAME_SAMPLES, FRAME_STEP

PIEZO, LOW = range(36, 49), range(8, 11)
"""Lower bands of the channels: 2.35 to 4.13 kHz (piezo horns have 2.8 to 3.6 kHz), and 430 to 606 Hz, for the 520 Hz
that NFPA 72 wants where people sleep. A channel is two neighbouring bands, for a tone may lie between two."""
CHANNELS = (*PIEZO, *LOW)
STEPS = 4_096
"""A row's value is counted in steps of 1/4096 neper: sums of whole numbers are the same however rows are batched."""
DECIBEL = STEPS * float(np.log(10.0)) / 20.0
SMOOTH = 3
"""Rows that are summed up, for noise flickers."""
STANDS_OUT_DB = 6.0
"""A tone is so much louder than the bands beside it: the mean of the third and the fourth, on either side."""
FALL_DB = 6.0
FORGET_DB = 3.0
"""A tone's own level is the loudest that its channel had, less so many dB for each second since."""
BRIDGED = 3
"""A dropout of so many rows (30 ms) is part of the pulse. The shortest pause of T4 has 75 ms."""
SHORTEST = 4
"""Rows of the shortest pulse that is told."""

_LOWER = np.array(CHANNELS, np.intp)
_TAKEN = np.stack([_LOWER, _LOWER + 1, _LOWER - 4, _LOWER - 3, _LOWER + 4, _LOWER + 5])
_OUT, _FALL = round(2 * SMOOTH * STANDS_OUT_DB * DECIBEL), round(SMOOTH * FALL_DB * DECIBEL)
_FORGET = round(SMOOTH * FORGET_DB * DECIBEL * FRAME_STEP / 16_000)
_NEVER = np.iinfo(np.int32).min // 2
_NO_STEPS: NDArray[np.int32] = np.empty((0, BANDS), np.int32)
_CENTRE = (FRAME_SAMPLES - (SMOOTH - 1) * FRAME_STEP) // 2
"""Samples from the start of a row's frame to the middle of the sound that its sum of SMOOTH rows is of."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """A tone in one channel, from `start` to `end` (positions, 16 kHz). heard: position up to which rows were needed."""

    channel: int
    start: int
    end: int
    heard: int


class TonePulses:
    """Rows in, pulses out: each when its tone has been away for more than BRIDGED rows."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Back to the state after construction: what comes does not follow what came."""
        self._before: NDArray[np.int32] = _NO_STEPS
        self._level: NDArray[np.int32] = np.full(len(CHANNELS), _NEVER, np.int32)
        self._open: dict[int, list[int]] = {}  # by channel: the first row that has the tone, and the last so far
        self._row, self._origin, self._next = 0, 0, -1

    def push(self, rows: NDArray[np.float32], position: int) -> list[Pulse]:
        """Pulses that rows float32 `(k, 64)` complete, in order; `position` of the first row's first sample.

        Rows that do not follow the last ones reset the detector.
        """
        if position != self._next:
            self.reset()
            self._origin = position
        self._next = position + FRAME_STEP * len(rows)
        if not len(rows):
            return []
        tones = self._tones(rows)
        found = self._segment(tones) if self._open or tones.any() else []
        self._row += len(rows)
        return found

    def _tones(self, rows: NDArray[np.float32]) -> NDArray[np.bool_]:
        """bool `(k, channels)`: where a tone stands out, and is near its own level."""
        steps = np.rint(rows * np.float32(STEPS)).astype(np.int32)
        if not len(self._before):
            self._before = np.repeat(steps[:1], SMOOTH - 1, axis=0)
        steps = np.concatenate((self._before, steps))
        self._before = steps[-(SMOOTH - 1):]
        sums = steps[2:] + steps[1:-1] + steps[:-2]
        low, high, first, second, third, fourth = sums[:, _TAKEN].transpose(1, 0, 2)
        tone = np.maximum(low, high)
        tones: NDArray[np.bool_] = 2 * tone - np.maximum(first + second, third + fourth) >= _OUT
        forgotten = _FORGET * np.arange(1, len(rows) + 1, dtype=np.int32)[:, np.newaxis]
        heard = np.where(tones, tone, _NEVER) + forgotten
        heard[0] = np.maximum(heard[0], self._level)
        level = np.maximum.accumulate(heard, axis=0) - forgotten
        self._level = np.maximum(level[-1], _NEVER)
        tones &= tone >= level - _FALL
        return tones

    def _segment(self, tones: NDArray[np.bool_]) -> list[Pulse]:
        found: list[Pulse] = []
        for channel in np.flatnonzero(tones.any(axis=0)).tolist():
            rows = np.flatnonzero(tones[:, channel])
            edges = np.flatnonzero(np.diff(rows) > 1)
            firsts = rows[np.concatenate(([0], edges + 1))] + self._row
            lasts = rows[np.concatenate((edges, [len(rows) - 1]))] + self._row
            for first, last in zip(firsts.tolist(), lasts.tolist(), strict=True):
                now = self._open.get(channel)
                if now is not None and first - now[1] <= BRIDGED + 1:
                    now[1] = last
                    continue
                if now is not None:
                    found += self._pulse(channel, *now)
                self._open[channel] = [first, last]
        for channel, (first, last) in list(self._open.items()):
            if self._row + len(tones) - 1 - last > BRIDGED:
                del self._open[channel]
                found += self._pulse(channel, first, last)
        return sorted(found, key=lambda pulse: (pulse.heard, pulse.channel))

    def _pulse(self, channel: int, first: int, last: int) -> list[Pulse]:
        if last - first + 1 < SHORTEST:
            return []
        start = self._origin + _CENTRE
        heard = self._origin + FRAME_STEP * (last + BRIDGED + 1) + FRAME_SAMPLES
        return [Pulse(channel, start + FRAME_STEP * first, start + FRAME_STEP * (last + 1), heard)]
