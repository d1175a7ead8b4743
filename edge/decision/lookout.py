"""Which looks are due, and when: an early and a late one at each onset, bounded in a second. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.decision.onset import CENTRE, PEAK_FRAMES, Onset
from edge.stream import FRAME_SAMPLES, FRAME_STEP, SAMPLE_RATE

FIRST, SECOND = 0, 1
"""Stages of looking: the early look, and the one that sees all rows."""
MOST_A_SECOND = 12
"""Looks in a second of sound, at most."""
KEPT = 2
"""Of a second's onsets that are looked at, so many are kept for one louder than all others of that second."""

LEAST_FLUX_DB = 5.0
"""An onset that rises less is not looked at. A third of the onsets in talk and music rise less, a clap at 10 dB over them
hardly ever (models/impulse/MODEL_CARD.md)."""


@dataclass(frozen=True, slots=True)
class LookShape:
    """Rows of a look. early, after: from the onset's row on, at the first and the second look. history: before it."""

    early: int
    after: int
    history: int

    def __post_init__(self) -> None:
        """An onset is known PEAK_FRAMES rows after its own; the first look must come later."""
        if not PEAK_FRAMES < self.early < self.after:
            raise ValueError(f"looks of {self.early} and {self.after} rows: wanted more than {PEAK_FRAMES}, then more still")


@dataclass(frozen=True, slots=True)
class Look:
    """A look that is due. rows: log-mel float32 `(k, 64)` up to the newest that counts; row: the onset's place in them."""

    onset: Onset
    stage: int
    rows: NDArray[np.float32]
    row: int

    @property
    def heard(self) -> int:
        """Rows from the onset's on."""
        return len(self.rows) - self.row


@dataclass(slots=True)
class _Waiting:
    onset: Onset
    start: int
    """Position of the onset's row."""
    stage: int = FIRST


class Lookout:
    """Onsets wait here for their two looks. An echo gets none, nor a weak rise, nor an onset of a second that has had its
    share."""

    def __init__(self, shape: LookShape) -> None:
        self.shape = shape
        self.left_out = 0
        """Onsets that were not looked at because of the bound."""
        self.reset()

    def reset(self) -> None:
        """Nothing waits."""
        self._waiting: list[_Waiting] = []
        self._lately: deque[tuple[Onset, bool]] = deque()

    def take_over(self, other: Lookout) -> None:
        """Go on where another stands; the other is done with."""
        self._waiting, self._lately = other._waiting, other._lately

    def onsets(self, found: Sequence[Onset]) -> None:
        """Onsets that are new, in order. Whether one is looked at depends on those before it alone."""
        for onset in found:
            if onset.echo or onset.flux_db < LEAST_FLUX_DB:
                continue
            while self._lately and self._lately[0][0].position <= onset.position - SAMPLE_RATE:
                self._lately.popleft()
            places = MOST_A_SECOND // 2 - sum(admitted for _, admitted in self._lately)
            loudest = all(onset.level_db > other.level_db for other, _ in self._lately)
            admitted = places > (0 if loudest else KEPT)
            self._lately.append((onset, admitted))
            if admitted:
                self._waiting.append(_Waiting(onset, onset.position - CENTRE))
            else:
                self.left_out += 1

    def next_due(self) -> int | None:
        """Position after the row that completes the next look; None where nothing waits."""
        return min((self._due(each) for each in self._waiting), default=None)

    def wanted(self) -> int | None:
        """Position after the last sample of that row; None where nothing waits."""
        due = self.next_due()
        return None if due is None else due + FRAME_SAMPLES - FRAME_STEP

    def _due(self, each: _Waiting) -> int:
        return each.start + FRAME_STEP * (self.shape.early if each.stage == FIRST else self.shape.after)

    def due(self, at: int, *, last: bool = False) -> list[tuple[Onset, int, int, int]]:
        """Looks that rows before position `at` complete, in order: onset, stage, positions of the onset's row and after
        the look's last one.

        Each is told once. last: no row will follow, so second looks are made of the rows that there are.
        """
        found: list[tuple[Onset, int, int, int]] = []
        for each in self._waiting:
            if (due := self._due(each)) <= at or (last and each.stage == SECOND and at > each.start + FRAME_STEP
                                                  * self.shape.early):
                found.append((each.onset, each.stage, each.start, min(due, at)))
                each.stage += 1
        self._waiting = [each for each in self._waiting if each.stage <= SECOND]
        return found

    def settle(self, onset: Onset) -> None:
        """No further look at an onset is wanted."""
        self._waiting = [each for each in self._waiting if each.onset is not onset]

    @property
    def waiting(self) -> list[Onset]:
        """Onsets whose second look is still to come, in order."""
        return [each.onset for each in self._waiting]

    def oldest_row(self, at: int) -> int:
        """Position of the oldest row that a look after position `at` may still need."""
        first = min([at - FRAME_STEP * PEAK_FRAMES, *(each.start for each in self._waiting)])
        return first - FRAME_STEP * self.shape.history
