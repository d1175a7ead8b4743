"""Why something heard became no event: one line for a stretch of hops, not one for each. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from edge.sinks.watching.messages import Message, message
from edge.stream import Hearing, TargetHearing

TAIL = ("under the threshold", "the same onset", "no onset")
"""Reasons that are not shown for a stretch from which an event came: every sound passes through them when it
rises and fades."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a target made no event of a stretch of hops, and the highest probability in the stretch.

    position: where the stretch's first patch ends; the sound lies just before. at: when that patch was told,
    None in a recording.
    """

    target: str
    label: str
    reason: str
    probability: float
    threshold: float
    position: int
    at: str | None

    def message(self) -> Message:
        """For the JSON lines."""
        return message("refusal", self.at, target=self.target, label=self.label, reason=self.reason,
                       probability=round(self.probability, 4), threshold=round(self.threshold, 4), end=self.position)


@dataclass(slots=True)
class _Stretch:
    raised: bool = False
    """An event came from it."""
    refusal: Refusal | None = None


class Refusals:
    """Hearings in, refusals out, each when its stretch of hops is over."""

    def __init__(self) -> None:
        self._stretches: dict[str, _Stretch] = {}

    @property
    def open(self) -> tuple[Refusal, ...]:
        """The refusals whose stretch goes on."""
        return tuple(stretch.refusal for stretch in self._stretches.values() if stretch.refusal is not None)

    def push(self, hearing: Hearing, end: int, at: str | None) -> list[Refusal]:
        """Take the next hop, whose patch ends at position `end`; returns the refusals whose stretch is over."""
        ended: list[Refusal] = []
        for target in hearing.targets:
            if target.refused or target.running:
                self._go_on(target, end, at)
            elif (stretch := self._stretches.pop(target.target, None)) is not None and stretch.refusal is not None:
                ended.append(stretch.refusal)
        return ended

    def raised(self, target: str) -> None:
        """An event of this target has started: what rises and fades around it is no refusal."""
        stretch = self._stretches.setdefault(target, _Stretch())
        stretch.raised = True
        if stretch.refusal is not None and stretch.refusal.reason in TAIL:
            stretch.refusal = None

    def finish(self) -> list[Refusal]:
        """End the stream. Returns the refusals that were open."""
        left = list(self.open)
        self._stretches.clear()
        return left

    def _go_on(self, target: TargetHearing, end: int, at: str | None) -> None:
        stretch = self._stretches.setdefault(target.target, _Stretch())
        if target.running:
            self.raised(target.target)
        if not target.refused or (stretch.raised and target.refused in TAIL):
            return
        probability = target.probability if target.probability is not None else 0.0
        known = stretch.refusal
        if known is None or (known.reason in TAIL and target.refused not in TAIL):
            known = Refusal(target.target, target.label, target.refused, probability, target.threshold, end, at)
        elif probability > known.probability:
            known = replace(known, probability=probability, label=target.label)
        stretch.refusal = known
