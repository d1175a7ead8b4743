"""A target calibrated on labelled sound: curve out of fold, threshold for a budget, what it is worth. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edge.errors import SourceError
from edge.learn.calibrate import Basis, Budget, peaks_of, positives_of, set_threshold, threshold_logit
from edge.learn.figures import area_under_curve, expected_calibration_error, poisson_upper, wilson_interval
from edge.learn.probability import Curve, balanced, fit_curve
from edge.learn.tail import Share, fit_tail, threshold_for
from edge.model.calibration import Peaks, TargetCalibration

FOLDS = 5
FEWEST = 5
"""Recordings of each side that a curve needs."""


@dataclass(frozen=True, slots=True)
class Sound:
    """One labelled recording as a target hears it: logits float32 `(patches,)`.

    group: recordings of one group are not independent and stay in one fold. everyday: False for a sound that
    is heard in no household (one hand clap after another for a sample library); such a negative counts for
    the curve, but not for false alarms an hour.
    """

    logits: NDArray[np.float32]
    present: bool
    group: str
    everyday: bool = True


@dataclass(frozen=True, slots=True)
class Worth:
    """What the labelled sound says of a calibrated target.

    highest float64, present bool, before and after float64 (probabilities: bare score, out of fold):
    `(recordings,)`. recall: share of the recordings with the target over the threshold, and its 95 %
    interval, which takes recordings of one group for fewer. alarms: false ones in `hours` of sound without
    the target, each fold's at a threshold that was set without that fold; upper: the 95 % bound of alarms an
    hour. form: of the curve (`Fitted`). groups: how many of each side.
    """

    highest: NDArray[np.float64]
    present: NDArray[np.bool_]
    before: NDArray[np.float64]
    after: NDArray[np.float64]
    form: str
    recall: tuple[float, float, float]
    alarms: int
    hours: float
    upper: float
    groups: tuple[int, int]


def calibrate_labelled(sounds: Sequence[Sound], basis: Basis, budget: Budget, *, hop_seconds: float, patch_samples: int,
                       made: str = "clips", pooled: Peaks | None = None,
                       room: Peaks | None = None) -> tuple[TargetCalibration, Worth]:
    """Fit the curve, set the threshold, and measure both out of fold.

    pooled: peaks of other labelled sound without the target (the model's own), counted with these. room: peaks of the room.
    Raises SourceError for too few recordings of a side, and where positives do not lie over negatives.
    """
    thing = f"target {', '.join(basis.labels)}"
    present = np.array([sound.present for sound in sounds], np.bool_)
    for side, count in (("with", int(present.sum())), ("without", int((~present).sum()))):
        if count < FEWEST:
            raise SourceError(thing, found=f"{count} recordings {side} it", wanted=f"{FEWEST} or more of each side")
    highest = np.array([float(sound.logits.max()) for sound in sounds])
    folds = fold_numbers([sound.group for sound in sounds], present)
    fitted = fit_curve(highest, present, folds)
    if not area_under_curve(highest.astype(np.float32), present) > 0.5 or not fitted.curve.scale > 0.0:
        raise SourceError(thing, found="recordings with it that score no higher than those without",
                          wanted="recordings that hold the sound, or another label")
    weights = balanced(present)
    before = Curve().probabilities(highest)
    errors = tuple(round(expected_calibration_error(values, present, weights), 4) for values in (before, fitted.out_of_fold))
    quiet = [(sound.logits, fold) for sound, fold in zip(sounds, folds, strict=True) if not sound.present and sound.everyday]

    def peaks(stretches: Sequence[NDArray[np.float32]]) -> Peaks:
        return peaks_of(stretches, hop_seconds=hop_seconds, patch_samples=patch_samples)

    negatives = peaks([logits for logits, _ in quiet])
    positives = positives_of(highest[present], [sound.group for sound in sounds if sound.present])
    basis = replace(basis, curve=fitted.curve, positives=positives,
                    negatives=negatives if pooled is None else pool(negatives, pooled), errors=(errors[0], errors[1]))
    entry = set_threshold(basis, budget, made=made, room=room)
    alarms = 0
    for fold in np.unique(folds):
        own, rest = ([logits for logits, other in quiet if (other == fold) == mine] for mine in (True, False))
        if own and rest:
            shares = [Share(fit_tail(peaks(rest)), max(budget.varied_hours, 1e-6))]
            alarms += fit_tail(peaks(own)).counted(threshold_for(shares, budget.per_day))
    recall, witnesses = float(np.mean(highest[present] >= threshold_logit(entry))), positives.count * positives.apart
    groups = tuple(len({sound.group for sound in sounds if sound.present is side}) for side in (True, False))
    return entry, Worth(
        highest, present, before, fitted.out_of_fold, fitted.form,
        (recall, *wilson_interval(recall * witnesses, witnesses)),
        alarms, negatives.hours, poisson_upper(alarms) / negatives.hours, (groups[0], groups[1]))


def pool(one: Peaks, other: Peaks) -> Peaks:
    """Peaks of two lots of sound together; no more of them are kept than both lots hold in full."""
    lowest = max((peaks.logits[-1] for peaks in (one, other) if len(peaks.logits) < peaks.count), default=-np.inf)
    both = sorted((logit for logit in (*one.logits, *other.logits) if logit >= lowest), reverse=True)
    return Peaks(tuple(both), one.count + other.count, one.hours + other.hours,
                 float(np.average([one.apart, other.apart], weights=[one.count + 1, other.count + 1])))


def fold_numbers(groups: Sequence[str], present: NDArray[np.bool_], count: int = FOLDS) -> NDArray[np.int64]:
    """A fold for each recording, `(n,)`: groups stay whole, both sides are spread, the largest groups first.

    Where a side is one group only, that group is dealt out recording by recording: nothing could be left out otherwise.
    """
    sides = [{group for group, side in zip(groups, present, strict=True) if side == wanted} for wanted in (True, False)]
    alone = set().union(*(side for side in sides if len(side) == 1))
    names = [f"{group}\0{number}" if group in alone else group for number, group in enumerate(groups)]
    sizes = Counter(zip(names, present.tolist(), strict=True))
    held = np.zeros((count, 2))
    fold_of: dict[str, int] = {}
    for name in sorted(dict.fromkeys(names), key=lambda name: (-sizes[name, True], -sizes[name, False], name)):
        own = np.array([sizes[name, True], sizes[name, False]])
        fold_of[name] = int(np.lexsort((held.sum(axis=1), held @ own))[0])
        held[fold_of[name]] += own
    return np.array([fold_of[name] for name in names], np.int64)
