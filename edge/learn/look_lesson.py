"""One sound without length learnt from its onsets: a row on the look network's embeddings, and how well it will be heard.

Pure. One row is fitted to both looks; each look has its own scale and offset, and one threshold serves both. An onset counts
once, however many looks are sure. All figures are out of fold, as those of `edge.learn.lesson` are. models/README.md has the
measurements behind the constants.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.learn.figures import ALARM_SECONDS
from edge.learn.lesson import HEARD, LIKE, MOST_FOLDS, PRESENT_SHARE, collisions, source_folds
from edge.learn.probability import fit_platt
from edge.learn.regression import Floats, fit_rows
from edge.learn.tally import alarms_with_bound, tally_of
from edge.model.foreseen import Tally
from edge.model.head import logistic

Wide = NDArray[np.float64]
Numbers = NDArray[np.intp]
Stages = tuple[tuple[float, float], tuple[float, float]]
STAGES = 2
RIDGE, NARROWEST = 1.0, 1.0
"""Ridge for each value of an embedding, and `narrowest` of fit_rows."""
FLATTEST = 0.05
"""A scale is at least so much: on a flat curve a threshold has no place."""
MOST_STANDING = 3.0
"""Onsets that a negative counts for at most: one that stands for more stands for onsets that differ."""
LOWEST_RECALL = 0.4
"""Of the recordings, each judged by the others: a sound of which less is heard cannot be told apart. Where two of five were
heard, a row of all five heard as many of the source's other sounds in noise, and patches none."""
LONE_SHARE = 0.01
"""Of the onsets of other single sounds (a step, a cup), so many may raise the sound."""


@dataclass(frozen=True, slots=True)
class LookExamples:
    """The onsets of the recordings of one sound. embeddings float32 `(m, 2, E)`, of both looks; clip, kind int `(m,)`:
    which recording; HEARD, or ALTERED, by which nothing is judged. groups: of each recording, int `(clips,)`; those of one
    number sound alike.
    """

    embeddings: Floats
    clip: Numbers
    kind: Numbers
    groups: Numbers

    @property
    def clips(self) -> int:
        """How many recordings, those without an onset too."""
        return len(self.groups)

    @property
    def kinds(self) -> int:
        """How many groups of recordings."""
        return int(self.groups.max()) + 1


@dataclass(frozen=True, slots=True)
class LookNegatives:
    """Every other onset: embeddings float32 `(n, 2, E)`; `(n,)` each: names, what it is of; sources: whose recording;
    onsets: how many recorded ones it stands for; lone: of a recording of single sounds; weights: 1 for an ordinary one.

    hours: of the recordings that go on, those that are not lone.
    """

    embeddings: Floats
    names: NDArray[np.str_]
    sources: NDArray[np.str_]
    onsets: Floats
    lone: NDArray[np.bool_]
    weights: Floats
    hours: float

    def with_hard(self, embeddings: Floats, name: str, weight: float) -> LookNegatives:
        """These, and float32 `(k, 2, E)` that weigh so much each and stand for no recorded onset."""
        many, none = len(embeddings), np.zeros(len(embeddings), np.float32)
        names = np.full(many, name)
        return LookNegatives(
            np.concatenate((self.embeddings, embeddings)), np.concatenate((self.names, names)),
            np.concatenate((self.sources, names)), np.concatenate((self.onsets, none)),
            np.concatenate((self.lone, np.ones(many, np.bool_))),
            np.concatenate((self.weights, none + np.float32(weight))), self.hours)


@dataclass(frozen=True, slots=True)
class LookLesson:
    """What was learnt. row float32 `(E,)`; probability of a look = logistic(scale * logit + offset), stage by stage.

    alarms_per_hour: of sound that goes on, and its upper bound. Other fields as those of `edge.learn.lesson.Lesson`.
    """

    row: Floats
    bias: float
    stages: Stages
    threshold: float
    heard: int
    alone: int
    clips: int
    groups: int
    alarms_per_hour: float
    alarms_upper: float
    collisions: tuple[tuple[str, float], ...]
    tally: Tally

    lowest_recall = LOWEST_RECALL

    @property
    def recall(self) -> float:
        """Share of the recordings that would have been heard, each judged without itself only."""
        return self.alone / self.clips


def learn_look(examples: LookExamples, negatives: LookNegatives, *, alarms_per_hour: float) -> LookLesson:
    """Fit a row, and judge it out of fold. alarms_per_hour: false alarms allowed in an hour of sound that goes on; over 0.

    Every recording weighs the same, and all of them PRESENT_SHARE of the negatives. Raises ValueError for no onset at all.
    """
    if not len(examples.clip):
        raise ValueError("no recording has an onset")
    count, columns = len(examples.clip), examples.embeddings.shape[2]
    embeddings = np.concatenate((examples.embeddings, negatives.embeddings))
    fold, alike, left_out = _folds(examples, negatives)
    each = np.bincount(examples.clip, minlength=examples.clips)
    share = PRESENT_SHARE * float(negatives.weights.sum()) / np.count_nonzero(each) / np.maximum(each, 1)
    weights = np.concatenate((share[examples.clip], negatives.weights))
    used = (weights[:, None] * left_out).astype(np.float32)
    wanted = np.arange(len(embeddings)) < count
    truth = np.repeat(wanted.astype(np.float32), STAGES)[:, None].repeat(used.shape[1], axis=1)
    rows, bias = fit_rows(embeddings.reshape(-1, columns), truth, np.repeat(used, STAGES, axis=0), ridge=RIDGE * columns,
                          narrowest=NARROWEST)
    without = _logits(embeddings, rows, bias, fold)
    stages = _stage(without[:, 0], wanted), _stage(without[:, 1], wanted)
    surest = powers(without, stages)
    alone, other = _highest(examples, surest[:count]), surest[count:]
    heard = _highest(examples, powers(_logits(examples.embeddings, rows, bias, alike), stages))
    start = _start(other, negatives, alarms_per_hour)
    standing = np.minimum(negatives.onsets, np.float32(MOST_STANDING)) * ~negatives.lone * np.float32(ALARM_SECONDS)
    alarms, upper = alarms_with_bound(standing[other >= start], standing)
    return LookLesson(
        rows[-1], float(bias[-1]), stages, float(logistic(np.array([start]))[0]), int((heard >= start).sum()),
        int((alone >= start).sum()), examples.clips, examples.kinds, alarms / negatives.hours, upper / negatives.hours,
        collisions((other >= min(start, float(np.quantile(heard, LIKE)))) & (negatives.onsets > 0.0), negatives.names,
                   negatives.onsets),
        tally_of(heard, other, standing, negatives.hours))


def powers(logits: Wide, stages: Stages) -> Wide:
    """float64 `(n,)`: scaled logit of the surer look. logits: float64 `(n, 2)`."""
    scales, offsets = np.array(stages).T
    highest: Wide = (logits * scales + offsets).max(axis=1)
    return highest


def _folds(examples: LookExamples, negatives: LookNegatives) -> tuple[Numbers, Numbers, NDArray[np.bool_]]:
    """The row that judges each onset, int `(m + n,)`; that which judges each example without what sounds like it, `(m,)`;
    and which row is fitted to which onsets, bool `(m + n, rows)`. The last row is fitted to all."""
    folds = min(examples.clips, MOST_FOLDS)
    fold = np.concatenate((examples.clip % folds, source_folds(negatives.sources, folds)))
    left_out, alike = [fold != number for number in range(folds)], fold[: len(examples.clip)]
    if 1 < examples.kinds < examples.clips:
        group = examples.groups[examples.clip] % MOST_FOLDS
        others = np.ones(len(negatives.names), np.bool_)
        left_out += [np.concatenate((group != number, others)) for number in range(int(group.max()) + 1)]
        alike = folds + group
    return fold, alike, np.stack([*left_out, np.ones(len(fold), np.bool_)], axis=1)


def _logits(embeddings: Floats, rows: Floats, bias: Floats, row: Numbers) -> Wide:
    """float64 `(n, 2)`: each onset's logits by the row of its number."""
    found: Wide = (np.einsum("nse,ne->ns", embeddings, rows[row]) + bias[row][:, None]).astype(np.float64)
    return found


def _stage(logits: Wide, wanted: NDArray[np.bool_]) -> tuple[float, float]:
    curve = fit_platt(logits, wanted)
    scale = max(curve.scale, FLATTEST)
    return scale, curve.offset if curve.scale == scale else 0.0


def _highest(examples: LookExamples, found: Wide) -> Wide:
    """float64 `(clips,)`: of each recording's onsets as it is the surest; very low for a recording without one."""
    highest = np.full(examples.clips, -1e9)
    heard = examples.kind == HEARD
    np.maximum.at(highest, examples.clip[heard], found[heard])
    return highest


def _start(other: Wide, negatives: LookNegatives, alarms_per_hour: float) -> float:
    """The power over which sounds that go on keep alarms_per_hour, and other single sounds LONE_SHARE."""
    going = np.where(negatives.lone, 0.0, np.minimum(negatives.onsets, MOST_STANDING))
    lone = np.where(negatives.lone, negatives.onsets, 0.0)
    return max(_over(other, going, alarms_per_hour * negatives.hours), _over(other, lone, LONE_SHARE * float(lone.sum())))


def _over(values: Wide, weights: Wide, most: float) -> float:
    """A value such that those from it up weigh at most so much together."""
    order = np.argsort(-values, kind="stable")
    order = order[weights[order] > 0.0]
    if not len(order):
        return float(values.min(initial=0.0))
    first = int(np.searchsorted(np.cumsum(weights[order]), most, side="right"))
    return float(np.nextafter(values[order[min(first, len(order) - 1)]], np.inf))
