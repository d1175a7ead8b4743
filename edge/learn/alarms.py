"""False alarms an hour at the threshold that serves, counted on labelled clips. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.learn.figures import alarm_places, poisson_upper, wilson_interval


@dataclass(frozen=True, slots=True)
class Alarms:
    """One target at its threshold (a probability).

    of: clips that hold the target. heard: those of them with a patch over the threshold. hours: of clips
    without the target. alarms: peaks over the threshold in those clips, at most one a second. mistaken: the
    classes of the clips that the alarms came in, with their numbers.
    """

    target: str
    threshold: float
    heard: int
    of: int
    alarms: int
    hours: float
    mistaken: tuple[tuple[str, int], ...] = ()

    @property
    def heard_interval(self) -> tuple[float, float]:
        """The interval that holds the share heard with 95 % (Wilson)."""
        return wilson_interval(self.heard, self.of)

    @property
    def per_hour(self) -> float:
        """False alarms an hour; NaN for no hours."""
        return self.alarms / self.hours if self.hours else float("nan")

    @property
    def per_hour_upper(self) -> float:
        """Their upper 95 % bound (Poisson, exact); infinite for no hours."""
        return poisson_upper(self.alarms) / self.hours if self.hours else float("inf")


def count_alarms(target: str, threshold: float, probabilities: Sequence[NDArray[np.float64]], present: Sequence[bool | None],
                 names: Sequence[str], seconds: Sequence[float], *, hop_seconds: float) -> Alarms:
    """Count the clips that a target at its threshold hears, and the false alarms that it raises.

    For each clip: probabilities of the target, float64 `(patches,)`; present, whether the clip holds the
    target (True, False, or None for a clip that may, which is passed over); names, its class; seconds, its
    length.
    """
    heard, mistaken = 0, Counter[str]()
    for values, holds, name in zip(probabilities, present, names, strict=True):
        if holds:
            heard += bool((values >= threshold).any())
        elif holds is False:
            # In float64: float32 would round a probability near 1 up to a threshold that lies just over it.
            mistaken[name] += int((values[alarm_places(values, hop_seconds=hop_seconds)] >= threshold).sum())
    without = [each for each, holds in zip(seconds, present, strict=True) if holds is False]
    return Alarms(target, threshold, heard, sum(holds is True for holds in present), mistaken.total(), sum(without) / 3600.0,
                  tuple((name, count) for name, count in mistaken.most_common() if count))
