"""What to expect of a target at any threshold: false alarms a day, and the share of its sounds missed. Pure.

A calibration keeps the peaks and recordings that its threshold was set by. So the same sums give the figures of every other
threshold. Nothing is drawn out further than the calibration itself did it: over the highest peak that was heard, and over
the calibration's own threshold, there are fewer false alarms than there, and nobody knows how many.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edge.decision.calibration import logit_of
from edge.learn.calibrate import misses_at, shares_of, threshold_logit
from edge.learn.figures import wilson_interval
from edge.learn.probability import Curve
from edge.learn.tail import Share, alarms_upper
from edge.learn.tally import alarms_at
from edge.model.calibration import TargetCalibration
from edge.model.foreseen import Foreseen

COUNTED, DRAWN, FEWER, MORE = "counted", "drawn", "fewer", "more"
"""How false alarms are known: they were counted; the fall of the highest peaks was followed on; there are fewer than said,
or more, as no peak so high was heard, or none so low was kept."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What to expect at a threshold: false alarms a day with their upper 95 % bound, and how they are known.

    misses: share of the recordings with the target, and its 95 % interval; None where there is no recording.
    """

    threshold: float
    alarms_per_day: float
    alarms_upper: float
    known: str
    misses: tuple[float, float, float] | None


def outlooks(entry: TargetCalibration, thresholds: Sequence[float]) -> list[Outlook]:
    """What a calibration says of these thresholds; of its own what it said when it was made."""
    shares = [*shares_of(entry.negatives, entry.varied_hours), *shares_of(entry.room, 24.0)]
    if not shares:
        return []
    limit = max([threshold_logit(entry), *(share.tail.peaks.logits[0] for share in shares if share.tail.peaks.logits)])
    logits = Curve.of(entry).logits_at(np.array(thresholds, np.float64))
    return [_outlook(entry, shares, limit, threshold, float(logit))
            for threshold, logit in zip(thresholds, logits, strict=True)]


def lesson_outlooks(threshold: float, foreseen: Foreseen, varied_hours: float, thresholds: Sequence[float]) -> list[Outlook]:
    """What teaching foretold of a sound. threshold: that it was taught with, of which alone something is known where the
    lesson kept no tally. varied_hours: of varied sound in a day."""
    own = Outlook(threshold, foreseen.alarms_per_hour * varied_hours, foreseen.alarms_upper * varied_hours, COUNTED,
                  _share(foreseen.clips - foreseen.heard, foreseen.clips))
    tally = foreseen.tally
    if tally is None or not tally.recordings:
        return [own]
    found = []
    for each in thresholds:
        logit = logit_of(each) if each < 1.0 else math.inf
        alarms, upper, more = alarms_at(tally, logit)
        missed = _share(sum(one < logit for one in tally.recordings), len(tally.recordings))
        found.append(own if each == threshold else Outlook(each, alarms * varied_hours, upper * varied_hours,
                                                           MORE if more else COUNTED, missed))
    return found


def _share(missed: int, clips: int) -> tuple[float, float, float]:
    low, high = wilson_interval(missed, clips)
    return round(missed / clips, 4), round(low, 4), round(high, 4)


def _outlook(entry: TargetCalibration, shares: Sequence[Share], limit: float, threshold: float, logit: float) -> Outlook:
    misses = None if entry.positives is None else misses_at(entry.positives, logit)
    known = _known(shares, limit, logit)
    if threshold == entry.threshold and known in (COUNTED, DRAWN):  # its logit, taken back, may miss a peak by a rounding
        expected = entry.expected
        return Outlook(threshold, expected.alarms_per_day, expected.alarms_upper, known, expected.misses or misses)
    at = [min(logit, limit) if share.tail.over else logit for share in shares]
    return Outlook(threshold, sum(_per_day(share, each) for share, each in zip(shares, at, strict=True)),
                   sum(alarms_upper([share], each) for share, each in zip(shares, at, strict=True)), known, misses)


def _known(shares: Sequence[Share], limit: float, logit: float) -> str:
    if any(_unkept(share, logit) for share in shares):
        return MORE
    drawn = [share.tail for share in shares if share.tail.over and logit > share.tail.start]
    return COUNTED if not drawn else FEWER if logit > limit else DRAWN


def _unkept(share: Share, logit: float) -> bool:
    """Peaks lie here of which the height was not kept."""
    peaks = share.tail.peaks
    return len(peaks.logits) < peaks.count and (not peaks.logits or logit <= peaks.logits[-1])


def _per_day(share: Share, logit: float) -> float:
    kept = len(share.tail.peaks.logits)
    return share.hours_per_day * (kept / share.tail.hours if _unkept(share, logit) else share.tail.rate(logit))
