"""The false alarms and recordings that a lesson's figures are counted from, at its threshold and at others. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.learn.figures import ALARM_SECONDS, poisson_upper
from edge.model.foreseen import Tally

Values = NDArray[np.floating[Any]]
MOST = 200
"""Sounds without the target that are kept, the highest."""


def alarms_with_bound(over: Values, seconds: Values) -> tuple[float, float]:
    """How many false alarms `over` makes, and the upper 95 % bound of their number.

    over: seconds of each negative over the threshold, `(k,)`; seconds: of all negatives, `(n,)`. Negatives
    stand for different lengths of sound, so an alarm has a weight. The exact Poisson bound is taken for
    counts of the mean weight, rounded up (Dobson et al., Stat. Med. 10, 1991, simplified to the safe side).
    The mean is that of the negatives over the threshold or that of all, whichever gives the higher bound.
    """
    return _bounded(float(over.sum(dtype=np.float64)), _mean_weight(over), _mean_weight(seconds))


def tally_of(recordings: Values, others: Values, seconds: Values, hours: float) -> Tally:
    """What is kept of a lesson. recordings: each one's highest logit, `(clips,)`; others, seconds: of the negatives, `(n,)`,
    0 s for one that makes no alarm; hours: of sound that these stand for."""
    counts = np.flatnonzero(seconds > 0.0)
    kept = counts[np.argsort(-others[counts], kind="stable")][:MOST]
    return Tally(_rounded(np.sort(recordings)), _rounded(others[kept]), _rounded(seconds[kept]), _mean_weight(seconds),
                 float(seconds.sum(dtype=np.float64)), float(hours))


def alarms_at(tally: Tally, logit: float) -> tuple[float, float, bool]:
    """False alarms an hour from this logit on, and their upper 95 % bound. True: there are more, as none so low was kept."""
    over = np.array([each for other, each in zip(tally.others, tally.seconds, strict=False) if other >= logit])
    alarms, upper = _bounded(float(over.sum()), _mean_weight(over), tally.usual_seconds)
    more = bool(tally.others) and logit <= tally.others[-1] and sum(tally.seconds) < 0.999 * tally.all_seconds
    if more:
        upper = _bounded(tally.all_seconds, tally.usual_seconds)[1]
    return alarms / tally.hours, upper / tally.hours, more


def _bounded(seconds: float, *weights: float) -> tuple[float, float]:
    """Alarms, and the bound of their number. weights: mean lengths of negatives, in seconds."""
    alarms = seconds / ALARM_SECONDS
    units = [weight / ALARM_SECONDS for weight in weights if weight > 0.0] or [1.0]
    return alarms, max(unit * poisson_upper(int(np.ceil(alarms / unit - 1e-9))) for unit in units)


def _rounded(values: Values) -> tuple[float, ...]:
    return tuple(round(float(value), 4) for value in values)


def _mean_weight(seconds: Values) -> float:
    """The mean length of the negative that a second of all this sound lies in; 0 for none."""
    total = float(seconds.sum(dtype=np.float64))
    return float((seconds.astype(np.float64) ** 2).sum()) / total if total > 0.0 else 0.0
