"""From what was heard to an entry: the curve from labelled sound, the threshold for a budget of false alarms.
Pure.

A day is taken to hold 24 hours of the room's own sound and, beside them, `varied_hours` of sound as varied as
the labelled negatives: some minutes of a quiet room say nothing of such sound. The false alarms of both
together must stay within the budget. So the room can raise a threshold, but never lower it under what
labelled sound demands. The room raises it only until that would cost too many of the target's own sounds.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from edge.errors import SettingsError
from edge.learn.figures import alarm_places, heard_hours, share_apart, wilson_interval
from edge.learn.probability import RELEASE_LOGITS, Curve
from edge.learn.tail import COUNTED, Share, alarms_per_day, alarms_upper, fit_tail, tail_size, threshold_for
from edge.model.calibration import Expected, Peaks, Positives, TargetCalibration

VARIED_HOURS = 0.2
"""Hours of varied sound (speech, dishes, doors, music, the street) that a day is taken to hold: 12 minutes. A
budget of one false alarm a day allows five in an hour of such sound."""

MOST_COST = 0.1
"""Share of the labelled recordings of a target that the room may cost. Without a limit, ten lively minutes
taken for a whole day would put the threshold over most claps."""

BURST_SECONDS = 30.0
"""Peaks nearer to each other than this may come from one and the same cause."""

_MOST_PEAKS, _MOST_POSITIVES = 300, 200
_HOURS = {"minute": 1 / 60, "hour": 1.0, "day": 24.0, "week": 168.0}


@dataclass(frozen=True, slots=True)
class Budget:
    """False alarms that a target may raise a day, and the hours of varied sound in it.

    most_cost: share of the recordings with the target that the room may cost; 1: the budget is kept whatever it costs.
    """

    per_day: float = 1.0
    varied_hours: float = VARIED_HOURS
    most_cost: float = MOST_COST


def parse_budget(text: str, varied_minutes: float = VARIED_HOURS * 60, most_cost: float = MOST_COST) -> Budget:
    """"1/day", "5/hour", "0.2/week". Raises SettingsError for anything else, and for none at all."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*/\s*(minute|hour|day|week)s?\s*", text)
    if not found or not 0.0 < float(found[1]) < 1e6:
        raise SettingsError("--budget", found=repr(text), wanted="false alarms over time, such as 1/day, 5/hour or 0.2/week")
    if not 0.0 <= varied_minutes <= 1440.0:
        raise SettingsError("--varied-minutes", found=f"{varied_minutes:g}", wanted="0 to 1440, minutes a day")
    if not 0.0 <= most_cost <= 1.0:
        raise SettingsError("--cost", found=f"{most_cost:g}", wanted="0 to 1, a share of the recordings with the target")
    return Budget(float(found[1]) * 24.0 / _HOURS[found[2]], varied_minutes / 60.0, most_cost)


@dataclass(frozen=True, slots=True)
class Basis:
    """What is known of a target before its threshold is set.

    own_threshold: logit where its events start without a calibration. errors: expected calibration error of the bare
    score and of the probability.
    """

    labels: tuple[str, ...]
    row_sha256: str
    own_threshold: float
    curve: Curve = field(default_factory=Curve)
    positives: Positives | None = None
    negatives: Peaks | None = None
    errors: tuple[float, float] | None = None
    network: str = ""
    """Digest of the look network, where looks decide the target."""

    def known_from(self, entry: TargetCalibration) -> Basis:
        """The same with what an entry of these rows knows."""
        before, after = entry.expected.error_before, entry.expected.error_after
        return replace(self, curve=Curve.of(entry), positives=entry.positives,
                       negatives=entry.negatives, errors=None if before is None or after is None else (before, after))


def set_threshold(basis: Basis, budget: Budget, *, made: str, room: Peaks | None = None) -> TargetCalibration:
    """The entry whose threshold keeps the budget. Raises SettingsError where neither labelled sound nor room was heard.

    A target without labelled negatives (or with varied_hours 0) is never let under its own threshold by a quiet room. The
    room raises a threshold no further than where it costs `budget.most_cost` of the recordings with the target, where
    there are any: then more false alarms are to be expected than were allowed.
    """
    shares = shares_of(basis.negatives, budget.varied_hours)
    floor = -math.inf if shares else basis.own_threshold
    alone = max(threshold_for(shares, budget.per_day, floor=floor), floor)
    shares += shares_of(room, 24.0)
    if not shares:
        raise SettingsError("calibrate", found=f"nothing to set a threshold of {', '.join(basis.labels)} by",
                            wanted="sound of the room, or labelled clips")
    logit = threshold_for(shares, budget.per_day, floor=floor)
    if not math.isfinite(logit):
        logit = basis.own_threshold
    elif room is not None and basis.positives is not None:
        logit = min(logit, max(alone, _farthest(basis.positives, alone, budget.most_cost)))
    starts, ends = (float(value) for value in basis.curve.probabilities(np.array([logit, logit - RELEASE_LOGITS])))
    misses = None if basis.positives is None else misses_at(basis.positives, logit)
    before, after = basis.errors or (None, None)
    expected = Expected(
        alarms_per_day(shares, logit), alarms_upper(shares, logit),
        any(share.tail.extrapolated(logit) for share in shares), misses, before, after)
    return TargetCalibration(
        basis.labels, basis.row_sha256, made, basis.curve.scale, basis.curve.scale_below, basis.curve.offset, starts, ends,
        budget.per_day, budget.varied_hours, expected, basis.positives, basis.negatives, room,
        basis.network)


def shares_of(peaks: Peaks | None, hours_per_day: float) -> list[Share]:
    """Sound of one kind as a share of a day; none where none was heard, or a day holds none."""
    return [] if peaks is None or not hours_per_day else [Share(fit_tail(peaks), hours_per_day)]


def misses_at(positives: Positives, logit: float) -> tuple[float, float, float]:
    """Share of the recordings with the target that stay under this logit, and its 95 % interval."""
    share, worth = _missed(positives, logit), positives.count * positives.apart
    low, high = wilson_interval(share * worth, worth)
    return round(share, 4), round(low, 4), round(high, 4)


def _missed(positives: Positives, logit: float) -> float:
    return float(np.mean(np.array(positives.logits) < logit))


def _farthest(positives: Positives, alone: float, most_cost: float) -> float:
    """The highest logit that costs no more than such a share of the recordings beyond what `alone` misses."""
    place = math.floor((_missed(positives, alone) + most_cost) * len(positives.logits) + 1e-9)
    return positives.logits[place] if place < len(positives.logits) else math.inf


def threshold_logit(entry: TargetCalibration) -> float:
    """The logit at which an entry's events start: its threshold taken back through its curve."""
    return Curve.of(entry).logit_at(entry.threshold)


def peaks_of(stretches: Sequence[NDArray[np.float32]], *, hop_seconds: float, patch_samples: int,
             hours: float | None = None) -> Peaks:
    """The peaks of a target's logits in stretches of sound without it, `(patches,)` each.

    hours: of sound, where it is known better than from the patches (a closed gate leaves some out).
    """
    places = [alarm_places(stretch, hop_seconds=hop_seconds) for stretch in stretches]
    logits = np.concatenate([np.zeros(0), *(stretch[at] for stretch, at in zip(stretches, places, strict=True))])
    order = np.argsort(-logits, kind="stable")
    # Stretches lie far apart; within one, peaks of one burst lie near each other.
    far = 10.0 * BURST_SECONDS + max([0.0, *(len(stretch) * hop_seconds for stretch in stretches)])
    at = np.concatenate([np.zeros(0), *(far * number + one * hop_seconds for number, one in enumerate(places))])
    found = logits[order]
    highest = found[:_MOST_PEAKS]
    apart = min(_share_of_bursts(at[order[:size]]) for size in (COUNTED, max(tail_size(len(found)), 1)))
    if hours is None:
        hours = heard_hours([len(stretch) for stretch in stretches], hop_seconds=hop_seconds, patch_samples=patch_samples)
    return Peaks(tuple(round(float(logit), 4) for logit in highest), len(found), round(hours, 5), round(apart, 4))


def _share_of_bursts(seconds: NDArray[np.float64]) -> float:
    """Bursts over peaks, of peaks at these times; 1 for none."""
    return float(1 + (np.diff(np.sort(seconds)) > BURST_SECONDS).sum()) / len(seconds) if len(seconds) else 1.0


def positives_of(highest: NDArray[np.float64], groups: Sequence[str]) -> Positives:
    """Each recording's highest logit, `(n,)`, quantiles where there are many; groups: of each, what it belongs to."""
    ordered = np.sort(highest)
    if len(ordered) > _MOST_POSITIVES:
        ordered = np.quantile(ordered, np.linspace(0.0, 1.0, _MOST_POSITIVES + 1))
    apart = round(max(share_apart(highest, groups), 1e-3), 4)
    return Positives(tuple(round(float(logit), 4) for logit in ordered), len(highest), apart)
