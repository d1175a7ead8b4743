"""Rows on their way through the decision: some are still to be judged, and some that were are kept for looks. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.stream import BANDS, FRAME_SAMPLES, FRAME_STEP


class Rows:
    """Log-mel rows by position. `first` is that of the oldest kept, `next` that of the first still to be judged."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """No row is known; the next one that comes may lie anywhere."""
        self._rows: NDArray[np.float32] = np.empty((0, BANDS), np.float32)
        self.first = self.next = 0

    @property
    def end(self) -> int:
        """Position after the newest row."""
        return self.first + FRAME_STEP * len(self._rows)

    def hear(self, rows: NDArray[np.float32], position: int) -> None:
        """Take rows float32 `(k, 64)`. Where they do not follow, and all before them are judged, those are forgotten."""
        if self.next == self.end and position != self.end:
            self._rows, self.first, self.next = self._rows[:0], position, position
        self._rows = np.concatenate((self._rows, rows))

    def complete(self, until: int | None) -> int:
        """Position after the last row that sound before `until` completes; None: after the newest row."""
        if until is None:
            return self.end
        count = (until - FRAME_SAMPLES - self.next) // FRAME_STEP + 1
        return min(self.next + FRAME_STEP * max(count, 0), self.end)

    def take(self, stop: int) -> NDArray[np.float32]:
        """The rows from `next` to position `stop`, which becomes `next`."""
        taken = self.cut(self.next, stop)
        self.next = stop
        return taken

    def cut(self, start: int, stop: int) -> NDArray[np.float32]:
        """Rows from position `start`, or the oldest that is kept, to position `stop`."""
        return self._rows[max(start - self.first, 0) // FRAME_STEP: (stop - self.first) // FRAME_STEP]

    def forget(self, before: int) -> None:
        """Let go of judged rows before a position."""
        count = max(min(before, self.next) - self.first, 0) // FRAME_STEP
        self._rows, self.first = self._rows[count:], self.first + FRAME_STEP * count
