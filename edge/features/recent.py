"""The last seconds of sound, in memory only: for an owner who asked for the sound of events to be kept."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.stream import SAMPLE_RATE


class RecentSound:
    """A ring of the newest samples, mono, 16 kHz, found by position. What a gap lost is silence."""

    def __init__(self, seconds: float) -> None:
        """seconds: how much is remembered, more than 0. Raises ValueError for less."""
        if not seconds > 0.0:
            raise ValueError(f"recent sound: found {seconds} seconds, wanted more than 0")
        self._begin, self._end = 0, -1
        self._ring = np.zeros(max(round(seconds * SAMPLE_RATE), 1), np.int16)

    def push(self, samples: NDArray[np.int16], position: int) -> None:
        """Take samples int16 `(n,)`, the first of them at `position`, which lies nowhere before what was taken."""
        if self._end < 0:
            self._begin = self._end = position
        self._write(np.zeros(max(min(position - self._end, len(self._ring)), 0), np.int16), position)
        self._write(samples[-len(self._ring):], position + len(samples))

    def lengthen(self, seconds: float) -> None:
        """Remember at least `seconds` from now on. What is known stays; a ring never gets shorter."""
        length = round(seconds * SAMPLE_RATE)
        if length > len(self._ring):
            kept = self.cut(self._begin, self._end)
            self._ring, self._begin = np.zeros(length, np.int16), self._end - len(kept)
            self._write(kept, self._end)

    def cut(self, start: int, end: int) -> NDArray[np.int16]:
        """What is left of the sound from position `start` to `end`: a copy, int16 `(k,)`, k from 0 to end - start."""
        start = max(start, self._begin, self._end - len(self._ring))
        return np.take(self._ring, np.arange(start, max(min(end, self._end), start)), mode="wrap")

    def _write(self, samples: NDArray[np.int16], end: int) -> None:
        """The samples before position `end`, no more of them than the ring holds."""
        self._ring[np.arange(end - len(samples), end) % len(self._ring)] = samples
        self._end = end
