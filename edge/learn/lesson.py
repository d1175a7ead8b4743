"""One sound learnt from its examples: a row against everything else, and how well it will be heard. Pure.

All figures are out of fold. An example is judged by a row that was fitted without everything made of its
recording and of those that sound like it, a negative by a row that was fitted without everything of its
source. Where all recordings sound alike, an example is judged without its own recording only, and the figure
covers no other kind of recording. models/README.md has the measurements behind the constants.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.learn.figures import ALARM_SECONDS, area_under_curve
from edge.learn.probability import RELEASE_LOGITS, fit_platt
from edge.learn.regression import Floats, fit_rows
from edge.learn.tally import alarms_with_bound, tally_of
from edge.model.foreseen import Tally
from edge.model.head import logistic

HEARD, PLACED, ALTERED, QUIET = range(4)
"""Kinds of embedding that an example gives: see `edge.learn.examples.Stretches`."""
FORMS = ((0.04, 0.1), (0.1, 1.0))
"""Ridge for each value of an embedding, and `narrowest` of fit_rows, in two forms. Both are fitted; the form
that hears more examples out of fold is taken."""
PRESENT_SHARE = 0.1
"""What all examples weigh together, as a share of what all negatives weigh together."""
QUIET_WEIGHT = 2.0
"""Weight of a stretch of an example's own room without the sound; a negative of the bank weighs 1."""
MOST_FOLDS = 20
LONGEST_ALARM = 2.0
"""Seconds of false alarm that one negative counts for at most: one that stands for more sound stands for
sounds that differ, and not all of those would be alarms."""
LOWEST_RECALL = 0.5
"""Share of the examples: a sound of which less is heard cannot be told apart."""
LIKE = 0.5
"""A negative collides with the sound where its score is over this quantile of the examples' scores."""


@dataclass(frozen=True, slots=True)
class Examples:
    """What was made of the recordings of one sound. embeddings float32 `(m, E)`; clip, kind: int `(m,)`.

    clip: which recording; kind: HEARD, PLACED, ALTERED or QUIET. groups: of each recording, int `(clips,)`
    from 0 on: those of one number sound alike (`edge.learn.alike`). None: no two do.
    """

    embeddings: Floats
    clip: NDArray[np.intp]
    kind: NDArray[np.intp]
    groups: NDArray[np.intp] | None = None

    @property
    def clips(self) -> int:
        """How many recordings."""
        return int(self.clip.max()) + 1

    @property
    def kinds(self) -> int:
        """How many groups of recordings."""
        return self.clips if self.groups is None else int(self.groups.max()) + 1

    @property
    def partners(self) -> NDArray[np.intp]:
        """int `(clips,)`: a fold for each recording, the same one for all that sound alike. Empty where all
        recordings do, or no two."""
        if self.groups is None or self.kinds in (1, self.clips):
            return np.empty(0, np.intp)
        return self.groups % MOST_FOLDS


@dataclass(frozen=True, slots=True)
class Negatives:
    """Everything else: embeddings float32 `(n, E)`. names: what each is of; sources: whose recording;
    seconds: how much sound it stands for; weights: 1 for an ordinary one; `(n,)` each."""

    embeddings: Floats
    names: NDArray[np.str_]
    sources: NDArray[np.str_]
    seconds: Floats
    weights: Floats

    def only(self, kept: NDArray[np.bool_]) -> Negatives:
        """Those of them that are to be kept, bool `(n,)`."""
        return Negatives(self.embeddings[kept], self.names[kept], self.sources[kept], self.seconds[kept], self.weights[kept])


@dataclass(frozen=True, slots=True)
class Lesson:
    """What was learnt. row float32 `(E,)`; probability = logistic(scale * logit + offset).

    heard: examples over the threshold, of `clips`, each judged without itself and without those that sound like it;
    alone: each judged without itself only. groups: of examples; no example of one sounds like one of another.
    alarms_per_hour: on the negatives, and its upper bound. collisions: names of negatives that look like the sound, worst
    first, with the seconds of each.
    """

    row: Floats
    bias: float
    scale: float
    offset: float
    threshold: float
    release_threshold: float
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
        """Share of the examples that would have been heard, each judged without itself only."""
        return self.alone / self.clips

    def probabilities(self, embeddings: Floats) -> NDArray[np.float64]:
        """float64 `(n,)` of float32 `(n, E)`."""
        power = self.scale * (embeddings @ self.row + self.bias).astype(np.float64) + self.offset
        return logistic(power)


def learn_sound(examples: Examples, negatives: Negatives, *, alarms_per_hour: float) -> Lesson:
    """Fit a row, and judge it out of fold. alarms_per_hour: false alarms allowed in an hour of varied sound;
    over 0."""
    folds = min(examples.clips, MOST_FOLDS)
    positive = examples.kind != QUIET
    embeddings = np.concatenate((examples.embeddings, negatives.embeddings))
    fold = np.concatenate((examples.clip % folds, source_folds(negatives.sources, folds)))
    partners = examples.partners
    left_out = [fold != number for number in range(folds)]
    for number in range(int(partners.max(initial=-1)) + 1):
        alike = partners[examples.clip] == number
        left_out.append(np.concatenate((~alike, np.ones(len(negatives.names), np.bool_))))
    wanted = np.concatenate((positive, np.zeros(len(negatives.names), np.bool_))).astype(np.float32)
    weights = np.concatenate((_example_weights(examples, float(negatives.weights.sum())), negatives.weights))
    # The last column is fitted to all; each before it leaves one fold out.
    used = weights[:, None] * np.stack([*left_out, np.ones(len(fold), np.bool_)], axis=1)
    best: tuple[tuple[float, float], float, Floats, float, tuple[Floats, Floats], Floats] | None = None
    for ridge, narrowest in FORMS:
        rows, bias = fit_rows(embeddings, np.repeat(wanted[:, None], used.shape[1], axis=1), used.astype(np.float32),
                              ridge=ridge * embeddings.shape[1], narrowest=narrowest)
        logits = np.einsum("ij,ij->i", embeddings, rows[fold]) + bias[fold]
        own, other = logits[: len(positive)], logits[len(positive):]
        heard = alone = _highest(examples, own)
        if len(partners):
            column = folds + partners[examples.clip]
            heard = _highest(examples, np.einsum("ij,ij->i", examples.embeddings, rows[column]) + bias[column])
        start = start_logit(heard, other, negatives.seconds, alarms_per_hour)
        merit = (float((heard >= start).sum()), _area(heard, other))
        if best is None or merit > best[0]:
            best = merit, start, rows[-1], float(bias[-1]), (heard, alone), other
    assert best is not None  # FORMS is not empty
    _, start, row, row_bias, (heard, alone), other = best
    curve = fit_platt(np.concatenate((heard, other)).astype(np.float64), np.arange(len(heard) + len(other)) < len(heard))
    hours = float(negatives.seconds.sum(dtype=np.float64)) / 3600.0
    capped = np.minimum(negatives.seconds, np.float32(LONGEST_ALARM))
    alarms, upper = alarms_with_bound(capped[other >= start], capped)
    scale = max(curve.scale, 0.05)
    offset = curve.offset if curve.scale == scale else 0.0
    threshold, release = logistic(scale * np.array([start, start - RELEASE_LOGITS]) + offset)
    return Lesson(
        row=row, bias=row_bias, scale=scale, offset=offset,
        threshold=float(threshold), release_threshold=float(release),
        heard=int((heard >= start).sum()), alone=int((alone >= start).sum()), clips=examples.clips, groups=examples.kinds,
        alarms_per_hour=alarms / hours, alarms_upper=upper / hours,
        collisions=collisions(other >= min(start, float(np.quantile(heard, LIKE))), negatives.names, negatives.seconds),
        tally=tally_of(scale * heard.astype(np.float64) + offset, scale * other.astype(np.float64) + offset, capped, hours))


def _highest(examples: Examples, logits: Floats) -> Floats:
    """float32 `(clips,)`: the highest logit of each recording as it is heard. logits: float32 `(m,)`."""
    heard = examples.kind == HEARD
    return np.array([logits[(examples.clip == clip) & heard].max() for clip in range(examples.clips)], np.float32)


def _area(heard: Floats, other: Floats) -> float:
    return area_under_curve(np.concatenate((heard, other)), np.arange(len(heard) + len(other)) < len(heard))


def start_logit(heard: Floats, other: Floats, seconds: Floats, alarms_per_hour: float) -> float:
    """The logit from which an embedding is the sound: so high that the negatives over it keep
    alarms_per_hour, and half way to the weakest example where that lies higher still."""
    order = np.argsort(-other, kind="stable")
    alarms = np.cumsum(np.minimum(seconds[order], LONGEST_ALARM), dtype=np.float64) / ALARM_SECONDS
    allowed = alarms_per_hour * float(seconds.sum(dtype=np.float64)) / 3600.0
    first = int(np.searchsorted(alarms, allowed, side="right"))
    budget = float(other[order[min(first, len(order) - 1)]])
    lowest = float(np.min(heard))
    # Only half way: on another day the sound will be weaker, and the noise louder.
    return float(np.nextafter(np.float32(max(budget, (budget + lowest) / 2.0)), np.float32(np.inf)))


def source_folds(sources: NDArray[np.str_], folds: int) -> NDArray[np.intp]:
    """int `(n,)`: a fold for each, all of one source together, filled evenly (the largest source first)."""
    names, inverse, counts = np.unique(sources, return_inverse=True, return_counts=True)
    place = np.zeros(len(names), np.intp)
    filled = np.zeros(folds)
    for number in np.argsort(-counts, kind="stable"):
        place[number] = int(filled.argmin())
        filled[place[number]] += counts[number]
    return place[inverse]


def _example_weights(examples: Examples, negatives: float) -> Floats:
    """float32 `(m,)`: every recording weighs the same, however many embeddings it gave. All together weigh
    PRESENT_SHARE of `negatives`, the negatives' weights in all."""
    positive = examples.kind != QUIET
    each = np.bincount(examples.clip[positive], minlength=examples.clips)
    share = PRESENT_SHARE * negatives / examples.clips / np.maximum(each, 1)
    return np.where(positive, share[examples.clip], QUIET_WEIGHT).astype(np.float32)


def collisions(taken: NDArray[np.bool_], names: NDArray[np.str_], much: Floats) -> tuple[tuple[str, float], ...]:
    """Names of the negatives that are taken for the sound, five at most, worst first, with how much of each. taken, names,
    much: `(n,)`, of all negatives."""
    found: dict[str, float] = {}
    for place in np.flatnonzero(taken):
        name = str(names[place])
        found[name] = found.get(name, 0.0) + float(much[place])
    return tuple(sorted(found.items(), key=lambda one: -one[1])[:5])


def concatenated(parts: Sequence[Negatives]) -> Negatives:
    """Several sets of negatives as one."""
    return Negatives(*(np.concatenate([getattr(part, name) for part in parts])
                       for name in ("embeddings", "names", "sources", "seconds", "weights")))
