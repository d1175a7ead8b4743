"""How often a target's logit will rise over a threshold, counted where it did, drawn out where it did not.
Pure.

Peaks over a high threshold fall off exponentially where the logit's tail is of the Gumbel kind (Pickands,
Ann. Stat. 3, 1975, with shape 0; Davison and Smith, J. R. Stat. Soc. B 52, 1990). Up to the tenth highest
peak, a, alarms are counted. Over it they are drawn out: rate(t) = 10 / hours * exp(-(t - a) / beta), where
beta is the mean excess of the highest peaks. The bound says how uncertain such a rate is. Both hold for sound
of the kind that was heard; other days may bring other sound.
"""

from __future__ import annotations

import math
import operator
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge.learn.figures import poisson_upper
from edge.model.calibration import Peaks

_Z = 1.645
"""One-sided 95 %."""
_FEWEST, _MOST = 5, 100
"""Peaks that a tail is drawn from."""
COUNTED = 10
"""Where at least so many alarms were heard, they are counted; where fewer were, the tail is drawn."""
_STEEPEST = 0.05
"""In logits: the least beta. Scores in steps of 1/256 may make all peaks equal, and beta would be 0."""


@dataclass(frozen=True, slots=True)
class Tail:
    """Peaks with their tail. start: the peak from which it is drawn on, the `anchor`-th; beta: logits by which the rate
    falls to 1/e; over: peaks that beta comes from, 0 for no tail.
    """

    peaks: Peaks
    start: float
    beta: float
    over: int
    anchor: int

    @property
    def hours(self) -> float:
        """Hours of sound."""
        return self.peaks.hours

    def counted(self, threshold: float) -> int:
        """Peaks that reached the threshold; at least the stored ones where it lies under them all."""
        if self.peaks.logits and threshold <= self.peaks.logits[-1]:
            return self.peaks.count
        return bisect_right(self.peaks.logits, -threshold, key=operator.neg)  # they descend

    def extrapolated(self, threshold: float) -> bool:
        """Too few peaks reached the threshold to count them."""
        return threshold > self.start if self.over else self.counted(threshold) < COUNTED

    def rate(self, threshold: float) -> float:
        """Alarms an hour to expect."""
        if not self.over or threshold <= self.start:
            return self.counted(threshold) / self.hours
        return self.anchor / self.hours * math.exp(-(threshold - self.start) / self.beta)

    def upper(self, threshold: float) -> float:
        """The upper 95 % bound of `rate`: Poisson's for what was counted, or the tail's (delta method on its
        log), and at least `rate`.

        Peaks of one burst have one cause: only the share `apart` counts as independent.
        """
        apart = self.peaks.apart
        counted = poisson_upper(math.ceil(self.counted(threshold) * apart)) / apart / self.hours
        if not self.over or threshold <= self.start:
            return counted
        away = (threshold - self.start) / self.beta
        drawn = self.rate(threshold) * math.exp(_Z * math.sqrt((1.0 / self.anchor + away * away / self.over) / apart))
        return max(min(drawn, counted), self.rate(threshold))


def fit_tail(peaks: Peaks) -> Tail:
    """The tail of some peaks: of their highest tenth, 20 to 100 of them; of the higher half where they are few.

    Raises ValueError for no sound.
    """
    if not peaks.hours > 0.0:
        raise ValueError("no sound: wanted more than 0 hours")
    over = min(tail_size(peaks.count), len(peaks.logits) - 1)
    if over < _FEWEST:
        return Tail(peaks, math.inf, math.nan, 0, 0)
    beta = float(np.mean(peaks.logits[:over])) - peaks.logits[over]
    anchor = min(COUNTED, over)
    return Tail(peaks, peaks.logits[anchor - 1], max(beta, _STEEPEST), over, anchor)


def tail_size(count: int) -> int:
    """Of so many peaks, how many a tail is drawn from."""
    over = min(max(count // 10, 20), _MOST)
    return count // 2 if count < 2 * over else over


@dataclass(frozen=True, slots=True)
class Share:
    """Sound of one kind, and how many hours a day hold it."""

    tail: Tail
    hours_per_day: float


def alarms_per_day(shares: Sequence[Share], threshold: float) -> float:
    """False alarms a day to expect, all kinds of sound together."""
    return sum(share.hours_per_day * share.tail.rate(threshold) for share in shares)


def alarms_upper(shares: Sequence[Share], threshold: float) -> float:
    """Their upper 95 % bound; the bounds of all kinds added, which is on the safe side."""
    return sum(share.hours_per_day * share.tail.upper(threshold) for share in shares)


def threshold_for(shares: Sequence[Share], per_day: float, *, floor: float = -math.inf) -> float:
    """The lowest logit, from `floor` up, at which at most so many false alarms a day are to be expected.

    No kind of sound with peaks and no floor: -inf. Found by halving, as the rate only falls.
    """
    highest = [share.tail.peaks.logits[0] for share in shares if share.tail.peaks.logits]
    lowest = [share.tail.peaks.logits[-1] for share in shares if share.tail.peaks.logits]
    if not highest:
        return floor
    betas = [share.tail.beta for share in shares if share.tail.over]
    low, high = max(floor, min(lowest) - 1.0), max(*highest, floor) + 40.0 * max([1.0, *betas])
    if alarms_per_day(shares, low) <= per_day:
        return low
    for _ in range(80):
        middle = (low + high) / 2.0
        if alarms_per_day(shares, middle) <= per_day:
            high = middle
        else:
            low = middle
    return high
