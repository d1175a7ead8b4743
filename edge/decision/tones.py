"""Pulses of narrow tones in the log-mel rows: where one stands out of the bands around it, and how long. Pure.

An alarm's horn puts all its power into two neighbouring bands, so it stands out even where the room is as loud as
the horn. A pulse ends where the tone has fallen so far from its own level, so a reverberant room lengthens a pulse by a
share of its reverberation time (8 dB: 0.13 of it).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.stream import FRAME_SAMPLES, FRAME_STEP

PIEZO, LOW = range(36, 49), range(8, 11)
"""Lower bands of the channels: 2.35 to 4.13 kHz (piezo horns have 2.8 to 3.6 kHz), and 430 to 606 Hz, for the 520 Hz
that NFPA 72 wants where people sleep. A channel is two neighbouring bands, for a tone may lie between two."""
LONG = range(len(PIEZO) + len(LOW))
SHORT = range(len(LONG), len(LONG) + len(PIEZO))
"""Channels for pulses of half a second, and for those of a tenth, which only piezo horns have: four short pulses of a low
tone are in many a machine."""
CHANNELS = (*PIEZO, *LOW, *PIEZO)
"""The lower band of each channel."""
STEPS = 4_096
"""A row's value is counted in steps of 1/4096 neper: sums of whole numbers are the same however rows are batched. They are
kept as float32, exact to 16 million."""
DECIBEL = STEPS * float(np.log(10.0)) / 20.0
SMOOTH = 3
"""Rows that are summed up, for noise flickers."""
STANDS_OUT_DB = 6.0
"""A tone is so much louder than the bands beside it: the mean of the third and the fourth, on either side."""
FALL_LONG_DB, FALL_SHORT_DB = 8.0, 9.0
"""What ends a pulse. In a reverberant room a tone wavers, which must not part a long pulse."""
SWAY_DB, SWAY_ROWS = 2.5, 10
"""In a reverberant room a tone hardly falls in the short pause after a short pulse. So a short pulse ends too where the tone
has fallen by so much within so many rows (100 ms), and the next begins where the tone has risen by as much."""
FORGET_DB = 3.0
"""A tone's own level is the loudest that its channel had, less so many dB for each second since."""
BRIDGED_LONG, BRIDGED_SHORT = 3, 1
"""A dropout of so many rows (30 ms) is part of a long pulse. The shortest pause of T4 has 75 ms, of which a room leaves
a little."""
SHORTEST = 4
"""Rows of the shortest pulse that is told."""

_AWAY = 4
"""A channel lies so many bands from the pairs of bands beside it that it is set against."""
_FIRST, _LAST = min(CHANNELS) - _AWAY, max(CHANNELS) + _AWAY + 2
_COLUMNS = np.array((*PIEZO, *LOW), np.intp) - min(CHANNELS)
_OUT = round(2 * SMOOTH * STANDS_OUT_DB * DECIBEL)
_FALL_LONG, _FALL_SHORT = (round(SMOOTH * each * DECIBEL) for each in (FALL_LONG_DB, FALL_SHORT_DB))
_SWAY = round(SMOOTH * SWAY_DB * DECIBEL)
_BRIDGED = (BRIDGED_LONG,) * len(LONG) + (BRIDGED_SHORT,) * len(SHORT)
_FORGET = round(SMOOTH * FORGET_DB * DECIBEL * FRAME_STEP / 16_000)
_STRIDES = (1, 2, 4, SWAY_ROWS - 7)
"""Extremes of 2, 4, 8, and SWAY_ROWS + 1 rows, each of the ones before."""
_NEVER = np.float32(-4_000_000)
_NO_STEPS: NDArray[np.float32] = np.empty((0, _LAST - _FIRST), np.float32)
_PIEZO = slice(len(PIEZO))
_TURN = 6_000
"""Rows judged at a time: what a level is said to fall in them stays exact."""
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
    """Rows in, pulses out: each when its tone has been away for longer than a dropout."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Back to the state after construction: what comes does not follow what came."""
        self._before: NDArray[np.float32] = _NO_STEPS
        self._recent: NDArray[np.float32] = np.empty((0, len(SHORT)), np.float32)
        self._level: NDArray[np.float32] = np.full(len(LONG), _NEVER, np.float32)
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
        found: list[Pulse] = []
        for start in range(0, len(rows), _TURN):
            part = rows[start:start + _TURN]
            tones = self._tones(part)
            if tones is None and self._open:
                tones = np.zeros((len(part), len(CHANNELS)), np.bool_)
            found += self._segment(tones) if tones is not None else []
            self._row += len(part)
        return found

    def _tones(self, rows: NDArray[np.float32]) -> NDArray[np.bool_] | None:
        """bool `(k, channels)`: where a tone stands out, and is near its own level. None where none stands out."""
        steps = rows[:, _FIRST:_LAST] * np.float32(STEPS)
        np.rint(steps, out=steps)
        if not len(self._before):
            self._before = np.repeat(steps[:1], SMOOTH - 1, axis=0)
        steps = np.concatenate((self._before, steps))
        self._before = steps[-(SMOOTH - 1):]
        sums = steps[2:] + steps[1:-1]
        sums += steps[:-2]
        lower, upper = sums[:, :-1], sums[:, 1:]
        pairs = lower + upper
        tone = np.maximum(lower[:, _AWAY:-_AWAY], upper[:, _AWAY:-_AWAY]).take(_COLUMNS, axis=1)
        out = tone + tone
        out -= np.maximum(pairs[:, :-2 * _AWAY], pairs[:, 2 * _AWAY:]).take(_COLUMNS, axis=1)
        if not len(self._recent):
            self._recent = np.repeat(tone[:1, _PIEZO], SWAY_ROWS, axis=0)
        recent = np.concatenate((self._recent, tone[:, _PIEZO]))
        self._recent = recent[-SWAY_ROWS:]
        if np.maximum.reduce(out, axis=None) >= _OUT:
            return self._near_their_level(tone, out >= _OUT, recent)
        self._level = np.maximum(self._level - np.float32(_FORGET * len(rows)), _NEVER)
        return None

    def _near_their_level(self, tone: NDArray[np.float32], tones: NDArray[np.bool_], recent: NDArray[np.float32]
                          ) -> NDArray[np.bool_]:
        """tone: float32 `(k, columns)`, and `tones`, where it stands out. recent: with the SWAY_ROWS rows before."""
        forgotten = np.float32(_FORGET) * np.arange(1, len(tone) + 1, dtype=np.float32)[:, np.newaxis]
        heard = np.where(tones, tone, _NEVER) + forgotten
        heard[0] = np.maximum(heard[0], self._level)
        level = np.maximum.accumulate(heard, axis=0) - forgotten
        self._level = np.maximum(level[-1], _NEVER)
        short = tones[:, _PIEZO] & (tone[:, _PIEZO] >= level[:, _PIEZO] - _FALL_SHORT)
        if short.any():
            short &= _risen(recent)
        return np.concatenate((tones & (tone >= level - _FALL_LONG), short), axis=1)

    def _segment(self, tones: NDArray[np.bool_]) -> list[Pulse]:
        found: list[Pulse] = []
        # One channel after another, with a row of silence before each: where a tone begins, and where it is over.
        width = len(tones) + 1
        line = np.zeros(len(CHANNELS) * width + 1, np.bool_)
        line[:-1].reshape(-1, width)[:, 1:] = tones.T
        edges = np.flatnonzero(line[1:] != line[:-1]).tolist()
        for begin, over in zip(edges[::2], edges[1::2], strict=True):
            channel, first = divmod(begin, width)
            first, last = first + self._row, over - channel * width - 1 + self._row
            now = self._open.get(channel)
            if now is not None and first - now[1] <= _BRIDGED[channel] + 1:
                now[1] = last
                continue
            if now is not None:
                found += self._pulse(channel, *now)
            self._open[channel] = [first, last]
        for channel, (first, last) in list(self._open.items()):
            if self._row + len(tones) - 1 - last > _BRIDGED[channel]:
                del self._open[channel]
                found += self._pulse(channel, first, last)
        return sorted(found, key=lambda pulse: (pulse.heard, pulse.channel))

    def _pulse(self, channel: int, first: int, last: int) -> list[Pulse]:
        if last - first + 1 < SHORTEST:
            return []
        start = self._origin + _CENTRE
        heard = self._origin + FRAME_STEP * (last + _BRIDGED[channel] + 1) + FRAME_SAMPLES
        return [Pulse(channel, start + FRAME_STEP * first, start + FRAME_STEP * (last + 1), heard)]


def _risen(rows: NDArray[np.float32]) -> NDArray[np.bool_]:
    """bool `(k, channels)` for rows float32 `(SWAY_ROWS + k, channels)`: a tone has risen of late, or has not fallen."""
    highest = lowest = rows
    for step in _STRIDES:
        highest = np.maximum(highest[:-step], highest[step:])
        lowest = np.minimum(lowest[:-step], lowest[step:])
    risen: NDArray[np.bool_] = rows[SWAY_ROWS:] >= np.minimum(lowest + _SWAY, highest - _SWAY)
    return risen
