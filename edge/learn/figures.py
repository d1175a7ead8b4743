"""Figures of merit. Pure numpy; each function names the source of its formula."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.stream import SAMPLE_RATE

ALARM_SECONDS = 1.0
"""A false alarm is a peak over the threshold, at most one in so many seconds."""
_BINS = 10
"""Of a reliability diagram."""


def area_under_curve(scores: NDArray[np.float32], truth: NDArray[np.bool_]) -> float:
    """Area under the ROC curve: the chance that a positive scores above a negative; a tie counts half.

    scores: float32 `(n,)`. truth: bool `(n,)`. NaN where there is no positive or no negative. It is Mann and
    Whitney's U over the number of pairs (1947).
    """
    positives, negatives = int(truth.sum()), int((~truth).sum())
    if not positives or not negatives:
        return math.nan
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    below = np.cumsum(counts) - counts
    ranks = below + (counts + 1) / 2.0
    u = float(ranks[inverse][truth].sum()) - positives * (positives + 1) / 2.0
    return u / (positives * negatives)


def wilson_interval(successes: float, trials: float, z: float = 1.96) -> tuple[float, float]:
    """The interval of a share, 95 % for z = 1.96; (0, 1) for no trials. Wilson, J. Am. Stat. Assoc. 22
    (1927).

    successes, trials: fractions too, since trials that depend on one another are worth fewer (`share_apart`).
    """
    if trials == 0:
        return 0.0, 1.0
    share = successes / trials
    centre = share + z * z / (2 * trials)
    spread = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    return max((centre - spread) / scale, 0.0), min((centre + spread) / scale, 1.0)


def share_apart(values: NDArray[np.float64], groups: Sequence[str]) -> float:
    """How many independent recordings some are worth, over their number: 0 to 1, and 1 for a single group.

    Recordings of one group resemble one another. values: float64 `(n,)`. groups: the group of each. The share
    is the inverse of Kish's design effect (Survey Sampling, 1965), 1 + (m - 1) * rho. m is the size of a
    recording's group, averaged over recordings. rho is the correlation within groups, estimated by one-way
    analysis of variance (Donner, Int. Stat. Rev. 54, 1986) and held between 0 and 1.
    """
    number = np.unique(np.array(groups, str), return_inverse=True)[1]
    size = np.bincount(number).astype(np.float64)
    count, among = len(values), len(size)
    if among < 2 or count == among:
        return 1.0
    means = np.bincount(number, values) / size
    between = float(size @ (means - values.mean()) ** 2) / (among - 1)
    within = float(((values - means[number]) ** 2).sum()) / (count - among)
    own = float(size @ size) / count
    typical = (count - own) / (among - 1)
    spread = between + (typical - 1.0) * within
    rho = min(max((between - within) / spread, 0.0), 1.0) if spread > 0.0 else 0.0
    return 1.0 / (1.0 + (own - 1.0) * rho)


@functools.lru_cache(maxsize=1024)
def poisson_upper(count: int, confidence: float = 0.95) -> float:
    """The upper bound of a rate of which `count` events were seen: 3.0 for none, 4.74 for one.

    At this rate a count so low has the probability `1 - confidence`. The bound is exact and one-sided: half
    the chi-square quantile of 2 * (count + 1) degrees of freedom (Garwood, Biometrika 28, 1936), found by
    halving on the Poisson sum. Raises ValueError for a count under 0 and for a confidence that is not between
    0 and 1.
    """
    if count < 0 or not 0.0 < confidence < 1.0:
        raise ValueError(f"count {count}, confidence {confidence}: wanted 0 or more, and between 0 and 1")
    steps = np.arange(count + 1, dtype=np.float64)
    factorials = np.concatenate([[0.0], np.cumsum(np.log(steps[1:]))])
    low, high = float(count), count + 10.0 * math.sqrt(count + 1.0) - 4.0 * math.log(1.0 - confidence) + 10.0
    for _ in range(200):
        middle = (low + high) / 2.0
        terms = steps * math.log(middle) - factorials - middle if middle > 0.0 else -steps
        top = float(terms.max())
        if top + math.log(float(np.exp(terms - top).sum())) > math.log(1.0 - confidence):
            low = middle
        else:
            high = middle
    return high


def alarm_places(values: NDArray[np.floating[Any]], *, hop_seconds: float) -> NDArray[np.intp]:
    """Where the peaks of one stretch of sound are; those over a threshold are its alarms at that threshold.

    The first peak is the highest value, the next one the highest that is more than ALARM_SECONDS away from
    it, and so on. values: `(patches,)`, one patch a hop, of sound without a gap; NaN or -inf where nothing
    was scored. Gives indices into `values`, `(n,)`, that of the highest peak first.
    """
    apart = max(round(ALARM_SECONDS / hop_seconds), 1)
    free = np.isfinite(values)
    places = []
    for place in np.argsort(-np.where(free, values, -np.inf), kind="stable"):
        if free[place]:
            places.append(place)
            free[max(0, place - apart): place + apart + 1] = False
    return np.array(places, np.intp)


def heard_hours(patches: Sequence[int], *, hop_seconds: float, patch_samples: int) -> float:
    """Hours of sound that stretches of patches cover. patches: the number of patches in each stretch."""
    each = patch_samples / SAMPLE_RATE
    return sum(each + (count - 1) * hop_seconds for count in patches if count) / 3600.0


@dataclass(frozen=True, slots=True)
class Reliability:
    """A reliability diagram: mean probability, share of positives, weight of each bin; float64 `(n,)`."""

    probability: NDArray[np.float64]
    share: NDArray[np.float64]
    weight: NDArray[np.float64]


def reliability(probabilities: NDArray[np.float64], truth: NDArray[np.bool_], weights: NDArray[np.float64] | None = None,
                ) -> Reliability:
    """What share of the sounds of about the same probability was the target, in bins of equal width.

    probabilities: float64 `(n,)`. truth: bool `(n,)`. weights: float64 `(n,)`; None: each counts 1.
    """
    share = np.ones(len(truth)) if weights is None else weights
    place = np.minimum((np.asarray(probabilities, np.float64) * _BINS).astype(np.intp), _BINS - 1)
    weight = np.bincount(place, share, _BINS).astype(np.float64)
    held = weight > 0.0
    total = np.where(held, weight, 1.0)
    return Reliability((np.bincount(place, share * probabilities, _BINS) / total)[held],
                       (np.bincount(place, share * truth, _BINS) / total)[held], weight[held])


def expected_calibration_error(probabilities: NDArray[np.float64], truth: NDArray[np.bool_],
                               weights: NDArray[np.float64] | None = None) -> float:
    """How far a probability lies from the share of positives, on average over the sounds; NaN for no sound.

    Arguments as for `reliability`. Naeini, Cooper and Hauskrecht, AAAI 2015.
    """
    curve = reliability(probabilities, truth, weights)
    if not len(curve.weight):
        return math.nan
    return float(np.average(np.abs(curve.probability - curve.share), weights=curve.weight))
