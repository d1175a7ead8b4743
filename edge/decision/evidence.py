"""The patches that an event's feedback learns from. Pure."""

from __future__ import annotations

import math

from edge.decision.calibration import Heard
from edge.stream import Scores

NEAR = 1.0
"""Logits under the threshold: a patch that came so near may be over it when the sound comes again, cut otherwise."""


class Evidence:
    """Three patches of one event at most: the surest, and the first and the last that came near the threshold.

    The first may be one before the event's start that shares sound with the patch that began it.
    """

    def __init__(self, threshold: float, patch_samples: int) -> None:
        """threshold: a probability. patch_samples: at 16 kHz."""
        self._patch_samples = patch_samples
        self._odds = threshold * math.exp(-NEAR)
        self._rest = 1.0 - threshold
        self.reset()

    def reset(self) -> None:
        """Back to the state after construction."""
        self._before: Heard | None = None
        self._edges: tuple[Heard, ...] = ()
        self.best: Heard | None = None

    def wait(self, heard: Heard) -> None:
        """No event holds this patch; the next may begin one."""
        if self._near(heard):
            self._before = heard

    def begin(self, heard: Heard) -> None:
        """An event starts with this patch."""
        self.best = heard
        before, self._before = self._before, None
        if before is None or heard.scores.position - before.scores.position >= self._patch_samples:
            before = heard
        self._edges = (before, heard)

    def go_on(self, heard: Heard) -> None:
        """A later patch of the same event."""
        assert self.best is not None
        if heard.probability > self.best.probability:
            self.best = heard
        if self._near(heard):
            self._edges = (self._edges[0], heard)

    @property
    def beside(self) -> tuple[Scores, ...]:
        """The first and the last, as far as they are others than the surest."""
        others = {each.scores.position: each.scores for each in self._edges if each is not self.best}
        return tuple(others.values())

    def _near(self, heard: Heard) -> bool:
        return heard.probability * self._rest >= self._odds * (1.0 - heard.probability)  # NaN is not
