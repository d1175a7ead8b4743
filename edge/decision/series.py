"""Lasting sounds that are a series of onsets, such as typing: onsets and looks at them count beside the patches. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from edge.decision.calibration import Heard, logit_of, probability_of
from edge.decision.onset import Onset
from edge.decision.targets import Target
from edge.stream import SAMPLE_RATE, Scores

WINDOW = 24_000
"""Onsets of the 1.5 s before a patch's end make a series."""
PATCHES = SAMPLE_RATE
"""Patches that begin within 1 s of each other count together."""
LEAST = 3
"""Onsets of a series, at least."""


class Series(Protocol):
    """How onsets count beside the patches of a lasting target, with one backbone.

    The probability is logistic(patch * mean logit of the patches + onset * number of onsets + look * sum of the looks'
    logits of the label + offset).
    """

    @property
    def target(self) -> str:
        """Name of the target."""

    @property
    def label(self) -> str:
        """The look network's label."""

    @property
    def patch(self) -> float:
        """Weight of the patches' mean logit."""

    @property
    def onset(self) -> float:
        """Weight of each onset, looked at or not."""

    @property
    def look(self) -> float:
        """Weight of the label's logit in the newest look at an onset."""

    @property
    def offset(self) -> float:
        """In logits."""


class SeriesJudge:
    """The newest onsets, looks and patches, and what they make of targets that are series.

    A series makes a patch surer, never less sure: slow typing has few onsets, and patches name that typing alone."""

    def __init__(self, targets: Sequence[Target], series: Sequence[Series], labels: Sequence[str]) -> None:
        """targets: the decision's; those that the patches decide from start to end take part, where a series has their name.

        labels: the look network's; every series has one of them.
        """
        named = {one.target: one for one in series}
        self._series = {number: (named[target.name], labels.index(named[target.name].label))
                        for number, target in enumerate(targets)
                        if target.name in named and not target.impulsive and not target.looked}
        self.reset()

    def __bool__(self) -> bool:
        """Some target is a series."""
        return bool(self._series)

    def reset(self) -> None:
        """No onset, look or patch is known."""
        self._onsets: list[int] = []
        self._looks: dict[int, Scores] = {}
        self._patches: dict[int, list[tuple[int, float]]] = {number: [] for number in self._series}

    def take_over(self, other: SeriesJudge) -> None:
        """Go on with the onsets and looks of another, which is done with. Its patches may be of another model."""
        self._onsets, self._looks = other._onsets, other._looks

    def onsets(self, found: Sequence[Onset]) -> None:
        """Onsets that are new, in order. Echoes do not count."""
        if self._series:
            self._onsets += [onset.position for onset in found if not onset.echo]

    def looked(self, onset: Onset, scores: Scores) -> None:
        """What the newest look at an onset says."""
        if self._series:
            self._looks[onset.position] = scores

    def judge(self, heard: Sequence[Heard | None], position: int, patch_samples: int) -> list[Heard | None]:
        """What the patch at `position` says of each target, onsets counted. heard: what the patch alone says, in order."""
        since = position + patch_samples - WINDOW
        self._onsets = [onset for onset in self._onsets if onset >= since]
        self._looks = {onset: scores for onset, scores in self._looks.items() if onset >= since}
        found = list(heard)
        for number in self._series:
            if (alone := found[number]) is not None:
                found[number] = self._together(number, alone, position, since)
        return found

    def _together(self, number: int, alone: Heard, position: int, since: int) -> Heard:
        one, label = self._series[number]
        patches = [each for each in self._patches[number] if each[0] > position - PATCHES]
        self._patches[number] = patches = [*patches, (position, logit_of(alone.probability))]
        if len(self._onsets) < LEAST or self._onsets[-1] < position:
            return alone
        said = [float(scores.logits[label]) for scores in self._looks.values() if scores.logits is not None]
        probability = probability_of(series_logit(one, [logit for _, logit in patches], len(self._onsets), said))
        if not probability > alone.probability:
            return alone
        return alone._replace(probability=probability, since=since)


def series_logit(one: Series, patches: Sequence[float], onsets: int, looks: Sequence[float]) -> float:
    """Logit of a target's probability. patches: the target's logits in the newest patches, at least one. onsets: how many.

    looks: logits of the label in the looks at these onsets; there may be fewer than onsets.
    """
    return one.patch * sum(patches) / len(patches) + one.onset * onsets + one.look * sum(looks) + one.offset
