"""An event in the making, and the patches that its feedback learns from. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from edge.decision.calibration import Heard
from edge.stream import Phase, Scores

NEAR = 1.0
"""Logits under the threshold. A patch that comes so near may be over the threshold when the sound is cut
otherwise.
"""


@dataclass(frozen=True, slots=True)
class Detection:
    """Start or end of one event: what every detector gives, and what the listener dates, numbers and sends.

    Positions at 16 kHz; probability and score, 0 to 1, are the highest so far. peak: what the model said of
    the patch that gave them; None where no patch did (loudness, a pattern). beside: what the model said of two
    other patches at most (`Evidence`).
    """

    phase: Phase
    target: str
    label: str
    probability: float
    score: float
    start: int
    end: int | None
    peak: Scores | None = None
    beside: tuple[Scores, ...] = field(default=(), compare=False)


class Evidence:
    """Three patches of one event at most: the surest, and the first and last that came near the threshold.

    The first may lie before the patch that began the event, where the two share sound.
    """

    def __init__(self, target: str, threshold: float, patch_samples: int) -> None:
        """target: its name. threshold: a probability. patch_samples: at 16 kHz."""
        self._target = target
        self._patch_samples = patch_samples
        self._odds = threshold * math.exp(-NEAR)
        self._rest = 1.0 - threshold
        self._before: Heard | None = None
        self._edges: tuple[Heard, ...] = ()
        self._best: Heard | None = None

    def wait(self, heard: Heard) -> None:
        """No event holds this patch; the next may begin one."""
        if self._near(heard):
            self._before = heard

    def begin(self, heard: Heard) -> None:
        """An event starts with this patch."""
        self._best = heard
        before, self._before = self._before, None
        if before is None or heard.scores.position - before.scores.position >= self._patch_samples:
            before = heard
        self._edges = (before, heard)

    def go_on(self, heard: Heard) -> bool:
        """A later patch of the same event. True where it is the surest so far."""
        surest = heard.probability > self.best.probability
        if surest:
            self._best = heard
        if self._near(heard):
            self._edges = (self._edges[0], heard)
        return surest

    @property
    def best(self) -> Heard:
        """The surest patch of the event that began last."""
        assert self._best is not None
        return self._best

    def detection(self, phase: Phase, start: int, end: int | None) -> Detection:
        """Start or end of the event that began last. Positions at 16 kHz."""
        best = self.best
        others = {each.scores.position: each.scores for each in self._edges if each is not best}
        return Detection(phase, self._target, best.label, best.probability, best.score, start, end, best.scores,
                         tuple(others.values()))

    def _near(self, heard: Heard) -> bool:
        return heard.probability * self._rest >= self._odds * (1.0 - heard.probability)  # NaN is not
