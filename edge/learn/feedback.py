"""Rows beside one of the model's own targets, fitted to what the owner said of its events. Pure.

A veto silences what was wrong and raises nothing; the support raises what was right and silences nothing
(`edge.decision.targets.Correction`). Both are fitted against the bank, whose sounds should keep the answers
that they have.

A veto points from the mean of the bank's sounds that the target hears to the mean of what was wrong. The
direction is Fisher's discriminant (1936) with a large ridge: a direction counts for less where the heard
sounds vary among themselves, or where the patches of one wrong event do. The veto begins where it costs few
sounds of the bank. Wrong events that lie in different directions get a veto each.

The support of a target that patches decide is a logistic regression (of looks: `edge.learn.look_feedback`). What the
target says without it is a fixed part of the sum, and the bank's sounds are fitted to their present probabilities (soft
targets: Hinton, Vinyals and Dean, 2015).

models/README.md has the measurements behind the constants.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.learn.regression import Floats, fit_rows
from edge.model.head import logistic

RIDGE = 1.0
"""Of a regressed support. It is small, for thousands of sounds of the bank hold the row back already."""
PRESENT_WEIGHT = 40.0
"""How much more a sound of the bank counts if the target hears it: few do."""
STEPS = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
"""Weights of a judgement, tried in this order; the first that gets all right events heard is taken."""
BEGINS = (0.5, 0.65, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 1.0)
"""Where a veto may begin, tried in this order: behind this share of the bank's heard sounds."""
RAMP = 0.3
"""How far behind its beginning a veto is in full force, in standard deviations of the heard sounds."""
EVEN = 10.0
"""Ridge of Fisher's discriminant, in mean variances of the heard sounds."""
MARGIN = 0.5
"""In logits: a veto in full force brings the surest wrong event so far under the threshold."""
ALIKE = 0.5
"""Wrong events share a veto where the cosine between their directions is at least this."""
CLEARLY = 0.5
"""In logits over the threshold: the cost of a veto counts sounds of the bank that are surer than this."""
MOST_LOST = (0.03,)
"""Share of the bank's heard sounds that vetoes may cost."""
FEWEST = 5
"""Where the target hears fewer sounds of the bank, twice as many that come nearest stand in for them."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Sounds, and how far each is over a target's threshold. embeddings: float32 `(n, E)`. power: float32
    `(n,)`, the logit of the probability less the logit of the threshold; from 0 up the target hears the
    sound."""

    embeddings: Floats
    power: Floats

    def moved(self, by: Floats) -> Standing:
        """The same with so much added to each power, `(n,)`."""
        return Standing(self.embeddings, np.asarray(self.power + by, np.float32))

    def only(self, chosen: NDArray[np.bool_]) -> Standing:
        """Those that were chosen, bool `(n,)`."""
        return Standing(self.embeddings[chosen], self.power[chosen])


@dataclass(frozen=True, slots=True)
class Counts:
    """How a refit came out. silenced: wrong events that are not heard now, of `wrong`. supported: right
    events that are heard now, of `right`. kept: of the bank's sounds (or a taught sound's recordings) that
    are still heard, of `present`.

    price: share of the bank's heard sounds that silencing every wrong event would cost; None where no veto
    can, and for a taught sound.
    """

    silenced: int
    wrong: int
    supported: int
    right: int
    kept: int
    present: int
    price: float | None


@dataclass(frozen=True, slots=True)
class Corrected(Counts):
    """A correction of the power: rows float32 `(1 + vetoes, E)`, bias float32 `(1 + vetoes,)`, the support first."""

    rows: Floats
    bias: Floats


Support = Callable[[Standing, Standing], tuple[Floats, float]]
"""Row float32 `(E,)` and bias that raise right events (the second) and leave the bank (the first) as it is; zeros where
all are heard."""


def regressed(bank: Standing, right: Standing) -> tuple[Floats, float]:
    """The row of the smallest weight in STEPS that gets all right events heard; zeros where all are heard."""
    row, bias = np.zeros(bank.embeddings.shape[1], np.float32), 0.0
    for weight in STEPS if (right.power < 0.0).any() else ():
        row, bias = _fit(bank, right, weight)
        if (right.power + _side(right.embeddings, row[None], np.array([bias])) >= 0.0).all():
            break
    return row, bias


def fit_correction(bank: Standing, judged: Standing, right: NDArray[np.bool_], patches: NDArray[np.intp] | None = None, *,
                   force: bool = False, most_lost: Sequence[float] = MOST_LOST, support: Support = regressed) -> Corrected:
    """Correct a target by judgements of events.

    right: bool `(events,)`, what the owner said. patches: int `(events,)`, how many of `judged` belong to
    each event, in order; None: one each. A wrong event is silenced where none of its patches is heard.

    Of the vetoes that cost at most so much of the bank's heard sounds, those that begin first are taken, or none
    where those would silence nothing. most_lost: shares, tried in this order until every wrong event is silent.
    force: of the vetoes that silence every wrong event, those that cost least. support: what fits the support.
    """
    event = np.repeat(np.arange(len(right)), 1 if patches is None else patches)
    mine, of = judged.only(right[event]), event[~right[event]]
    row, bias = support(bank, mine)
    raised, wrong = (one.moved(_side(one.embeddings, row[None], np.array([bias])))
                     for one in (bank, judged.only(~right[event])))
    none = np.zeros((0, bank.embeddings.shape[1]), np.float32), np.zeros(0, np.float32)
    tried = [*_vetoes(raised, wrong), none]
    clear = raised.only(bank.power >= CLEARLY)
    costs = [float(np.mean(_after(clear, veto) < 0.0)) if len(clear.power) else 0.0 for veto in tried]
    silenced = [int((~right).sum()) - len(np.unique(of[_after(wrong, veto) >= 0.0])) for veto in tried]
    complete = [number for number, count in enumerate(silenced) if count == (~right).sum()]
    chosen = len(tried) - 1
    for limit in most_lost:
        chosen = next(number for number, cost in enumerate(costs) if cost <= limit)  # none costs nothing
        if chosen in complete:
            break
    if not silenced[chosen]:
        chosen = len(tried) - 1
    if force and complete:
        chosen = min(complete, key=lambda number: (costs[number], number))
    rows, biases = tried[chosen]
    supported = _after(mine.moved(_side(mine.embeddings, row[None], np.array([bias]))), tried[chosen]) >= 0.0
    return Corrected(
        silenced[chosen], int((~right).sum()), len(np.unique(event[right[event]][supported])), int(right.sum()),
        len(clear.power) - round(costs[chosen] * len(clear.power)), len(clear.power),
        min((costs[number] for number in complete), default=None),
        np.concatenate((row[None], rows)), np.concatenate(([bias], biases)).astype(np.float32))


def _side(embeddings: Floats, rows: Floats, bias: Floats) -> Floats:
    """float32 `(n,)`: each sound's largest row @ embedding + bias over the rows, and 0 where that is under
    0."""
    if not len(rows):
        return np.zeros(len(embeddings), np.float32)
    farthest: Floats = np.maximum((embeddings @ rows.T + bias).max(axis=1), 0.0).astype(np.float32)
    return farthest


def _after(sounds: Standing, veto: tuple[Floats, Floats]) -> Floats:
    after: Floats = sounds.power - _side(sounds.embeddings, *veto)
    return after


def _vetoes(bank: Standing, wrong: Standing) -> list[tuple[Floats, Floats]]:
    """Vetoes for each share of BEGINS: a row for each group of wrong events that lie in one direction."""
    heard = bank.power >= 0.0
    if heard.sum() < FEWEST:
        heard = bank.power >= np.sort(bank.power)[-min(2 * FEWEST, len(bank.power))]
    held = bank.embeddings[heard].astype(np.float64)
    centre = held.mean(axis=0)
    groups = _groups(wrong.embeddings - centre)
    parts = [wrong.embeddings[group].astype(np.float64) for group in groups]
    if not parts:
        return []
    rows, along = [], []
    spread = scatter(held - centre) + scatter(np.concatenate([part - part.mean(axis=0) for part in parts]))
    spread += EVEN * max(float(held.var(axis=0).mean()), 1e-9) * np.eye(len(centre))
    directions = np.linalg.solve(spread, np.stack([part.mean(axis=0) - centre for part in parts]).T).T
    for group, direction in zip(groups, directions, strict=True):
        direction /= max(float(np.linalg.norm(direction)), 1e-9)
        along.append(held @ direction)
        steep = (float(wrong.power[group].max()) + MARGIN) / max(RAMP * float(along[-1].std()), 1e-6)
        rows.append(direction * max(steep, 0.0))
    at = -np.quantile(np.stack(along), BEGINS, axis=1) * np.linalg.norm(rows, axis=1)
    return [(np.array(rows, np.float32), bias) for bias in at.astype(np.float32)]


def scatter(away: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of the outer products of vectors `(m, E)`: `(E, E)`."""
    product: NDArray[np.float64] = away.T @ away / len(away)
    return product


def _groups(away: NDArray[np.floating]) -> Sequence[list[int]]:
    """Places of vectors `(m, E)` that point alike: each joins the first group whose mean does."""
    groups: list[list[int]] = []
    for place, one in enumerate(away):
        for group in groups:
            mean = away[group].mean(axis=0)
            if one @ mean >= ALIKE * np.linalg.norm(one) * np.linalg.norm(mean):
                group.append(place)
                break
        else:
            groups.append([place])
    return groups


def _fit(bank: Standing, right: Standing, weight: float) -> tuple[Floats, float]:
    embeddings = np.concatenate((bank.embeddings, right.embeddings))
    given = np.concatenate((bank.power, right.power))[:, None]
    wanted = np.concatenate((logistic(bank.power.astype(np.float64)), np.ones(len(right.power))))[:, None]
    weights = np.concatenate((np.where(bank.power > 0.0, PRESENT_WEIGHT, 1.0), np.full(len(right.power), weight)))[:, None]
    rows, bias = fit_rows(embeddings, wanted.astype(np.float32), weights.astype(np.float32), ridge=RIDGE,
                          given=given.astype(np.float32))
    return rows[0], float(bias[0])
