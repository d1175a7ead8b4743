"""An event in the making: what every detector gives, and what the listener dates, numbers and sends."""

from __future__ import annotations

from dataclasses import dataclass, field

from edge.stream import Phase, Scores


@dataclass(frozen=True, slots=True)
class Detection:
    """Start or end of one event. Positions at 16 kHz; probability and score, 0 to 1, are the highest so far.

    peak: what the model said of the patch that gave them; None where no patch did (loudness, a pattern). beside: of two
    others at most (`edge.decision.evidence`).
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
