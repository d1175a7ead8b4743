"""From what the model says of a patch to the probability of a target. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from edge.decision.targets import Target
from edge.stream import Scores

FARTHEST_LOGIT = 16.0
"""Stands for a score of 0 or 1, whose logit is infinite."""
TYPICAL_RISE_DB, MOST_RISE_DB = 12.0, 30.0
"""The rise of an onset that changes no logit, and the rise from which more of it changes nothing."""
NOTHING_LOGIT = -3.5
"""Of a first look's probability (3 in a hundred): under this no second look follows. Nineteen of twenty onsets in talk and
music end so, and of the sounds that are heard none (models/impulse/MODEL_CARD.md)."""


def logits_of(scores: Scores) -> NDArray[np.float32]:
    """float32 `(labels,)`: the model's logits, or log(score / (1 - score)) of a model that gives scores alone."""
    if scores.logits is not None:
        return scores.logits
    values = scores.values.astype(np.float64)
    with np.errstate(divide="ignore"):
        logits = np.log(values) - np.log1p(-values)
    bounded: NDArray[np.float32] = np.clip(logits, -FARTHEST_LOGIT, FARTHEST_LOGIT).astype(np.float32)
    return bounded


def logit_of(probability: float) -> float:
    """log(p / (1 - p)), held within FARTHEST_LOGIT. NaN stays NaN."""
    if 0.0 < probability < 1.0:
        return min(max(math.log(probability) - math.log1p(-probability), -FARTHEST_LOGIT), FARTHEST_LOGIT)
    return probability if math.isnan(probability) else math.copysign(FARTHEST_LOGIT, probability - 0.5)


def probability_of(logit: float, scale: float = 1.0, offset: float = 0.0, scale_below: float | None = None) -> float:
    """logistic(scale * logit + offset), Platt (1999): 0 to 1. NaN stays NaN.

    scale_below: where it is not scale, logistic(scale * log(1 + exp(logit)) - scale_below * log(1 + exp(-logit)) +
    offset): beta calibration of the score (Kull, Silva Filho and Flach, AISTATS 2017), two slopes instead of one.
    """
    power = scale * logit + offset
    if scale_below is not None and scale_below != scale:
        power += (scale - scale_below) * (max(-logit, 0.0) + math.log1p(math.exp(-abs(logit))))
    if power >= 0.0:
        return 1.0 / (1.0 + math.exp(-min(power, 700.0)))
    return 1.0 - 1.0 / (1.0 + math.exp(max(power, -700.0))) if power < 0.0 else math.nan


class Heard(NamedTuple):  # made for every target and patch: a frozen dataclass takes four times as long
    """What a patch or a look says of one target: its highest label, that label's score, and the probability.

    since: from where on onsets count beside the patch; None: the patch alone decides. bare: of a target that looks
    decide, its logit before a correction and a calibration.
    """

    label: str
    score: float
    probability: float
    scores: Scores
    since: int | None = None
    bare: float | None = None


def heard(target: Target, labels: Sequence[str], scores: Scores, logits: Sequence[float]) -> Heard:
    """Judge one target. labels: the model's, in the order of `scores`; logits: `logits_of(scores)`, the same for all."""
    rows = target.numbers
    row = rows[0] if len(rows) == 1 else max(rows, key=logits.__getitem__)
    score = float(scores.values[row])
    if target.correction is None and target.unscaled:
        return Heard(labels[row], score, score, scores)
    logit = logits[row]
    if target.correction is not None and scores.embedding is not None:
        logit += target.correction.logit(scores.embedding)
    return Heard(labels[row], score, probability_of(logit, target.scale, target.offset, target.scale_below), scores)


def heard_beside(target: Target, labels: Sequence[str], look: Scores, patch: Sequence[float],
                 rise_db: float = TYPICAL_RISE_DB) -> Heard | None:
    """Judge one target by a look and a patch that holds its onset; None where patches do not count.

    labels: the look network's. patch: the model's logits of the patch. The look's are kept as what gave the event. rise_db:
    of the onset (`Onset.flux_db`).
    """
    if target.beside is None:
        return None
    own, rise = target.beside, _of_one_rise(target.rise, rise_db)
    offset = own.patch * max(patch[each] for each in target.patch_rows) + own.offset + own.look * rise
    return _of_row(target, labels, look, target.numbers[0], own.look, offset)


def heard_in_look(target: Target, labels: Sequence[str], stage: int, scores: Scores,
                  rise_db: float = TYPICAL_RISE_DB) -> Heard:
    """Judge one target by a look. labels: the look network's, in the order of `scores`.

    stage: 0 or 1, each with a scale and offset of its own. So both looks share one scale, and a calibration of the target
    applies to both alike. rise_db: as in `heard_beside`. Where the owner's examples are surer than the target's own row,
    they stand for the look.
    """
    assert target.stages is not None
    own = target.stages[stage]
    offset = own.offset + own.scale * _of_one_rise(target.rise, rise_db)
    found = _of_row(target, labels, scores, target.numbers[0], own.scale, offset)
    if target.added is None:
        return found
    more = target.added.stages[stage]
    added = _of_row(target, labels, scores, target.added.row, more.scale, more.offset)
    return added if added.probability > found.probability else found


def _of_one_rise(each_db: float, rise_db: float) -> float:
    """`of_rise` of one onset: a twentieth of the time."""
    return each_db * (min(rise_db, MOST_RISE_DB) - TYPICAL_RISE_DB)


def of_rise(each_db: float, rise_db: NDArray[np.floating]) -> NDArray[np.floating]:
    """What onsets' rises, in dB, add to the logits of looks at them: `each_db` for each dB over a typical one. In the shape
    of `rise_db`."""
    found: NDArray[np.floating] = each_db * (np.minimum(rise_db, MOST_RISE_DB) - TYPICAL_RISE_DB)
    return found


def says_nothing(target: Target, first: Heard) -> bool:
    """Whether a first look says clearly that a target is not there, so that a second need not be asked.

    A correction may make a sound likelier, never end its looks. A calibration has no part in this: what a room's calibration
    hears must not depend on the last one.
    """
    assert first.bare is not None
    own, embedding = target.correction, first.scores.embedding
    lifted = max(own.logit(embedding), 0.0) if own is not None and embedding is not None else 0.0
    return first.bare + lifted < NOTHING_LOGIT


def _of_row(target: Target, labels: Sequence[str], look: Scores, row: int, scale: float, offset: float) -> Heard:
    """row: among the look network's. scale, offset: what makes the target's logit of the row's, before a correction and a
    calibration."""
    assert look.logits is not None
    bare = scale * float(look.logits[row]) + offset
    logit = bare
    if target.correction is not None and look.embedding is not None:
        logit += target.correction.logit(look.embedding)
    return Heard(labels[row], float(look.values[row]),
                 probability_of(logit, target.scale, target.offset, target.scale_below), look, bare=bare)
