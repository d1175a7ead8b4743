"""Rows beside one of the model's own targets: they veto what the owner called wrong and support what was right. Pure.

Each row acts on its own side only (`edge.decision.targets.Correction`), so that a veto raises nothing and a support
silences nothing. A veto points from the mean of what the target hears of the bank to the mean of what was wrong, by Fisher's
discriminant (1936) with much ridge: what varies among the sounds heard, or from patch to patch of a wrong one, counts less.
It begins where it costs the bank little. Wrong ones that lie in different directions get a veto each. The support is fitted
by logistic regression whose fixed part is what the target says already, against a bank of sounds that must keep their
present answers (soft targets: Hinton, Vinyals and Dean, 2015).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.learn.regression import Floats, fit_rows
from edge.model.head import logistic

RIDGE = 1.0
"""Beside thousands of sounds that hold their answers. Under a stronger one too little was supported."""
NARROWEST = 0.1
PRESENT_WEIGHT = 40.0
"""What a sound of the bank that the target hears weighs beside one that it does not: there are few."""
STEPS = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
"""What a judgement weighs, tried in this order: the first under which all that are right are heard."""
BEGINS = (0.5, 0.65, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 1.0)
"""Shares of what the target hears of the bank that lie before a veto, tried in this order."""
RAMP = 0.3
"""A veto is in full force so far behind its beginning, in spreads of what the target hears of the bank."""
EVEN = 10.0
"""Ridge beside the scatters, in mean variances of what the target hears. On training sources held out: with 5,
1.4 points of recall went instead of 1.2, for 4 more silent playbacks of 438."""
MARGIN = 0.5
"""In logits: so far under the threshold the wrong one that was surest is brought."""
ALIKE = 0.5
"""Cosine between directions of wrong ones that share a veto."""
CLEARLY = 0.5
"""In logits over the threshold: what of the bank counts as heard. Nearer to it, the next playback decides."""
MOST_LOST = 0.03
"""Share of the bank's sounds over the threshold that vetoes may cost: two points of a recall of two thirds. On training
sources held out, of 146 false alarms: nothing lost at the median, 1.2 points on average, of small classes most; 392 of 438
playbacks that nobody judged were silent (0.05: 1.9 points, 402)."""
FEWEST = 5
"""Sounds of the bank that the target hears: where there are fewer, the ten nearest to its threshold stand in."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How sounds stand with a target now. embeddings: float32 `(n, E)`. power: float32 `(n,)`, logit of the probability
    less that of the threshold: over 0 it is heard."""

    embeddings: Floats
    power: Floats

    def moved(self, by: Floats) -> Standing:
        """The same with so much added to each power, `(n,)`."""
        return Standing(self.embeddings, np.asarray(self.power + by, np.float32))

    def only(self, chosen: NDArray[np.bool_]) -> Standing:
        """Those that were chosen, bool `(n,)`."""
        return Standing(self.embeddings[chosen], self.power[chosen])


@dataclass(frozen=True, slots=True)
class Corrected:
    """A fitted correction of the power: rows float32 `(1 + vetoes, E)` and bias float32, the support first.

    silenced, supported: events judged wrong and right that come out so now, of `wrong` and `right`. kept: sounds of the bank
    clearly over the threshold that are still over it, of `present`. price: share of them that silencing every wrong one
    costs; None where no veto could.
    """

    rows: Floats
    bias: Floats
    silenced: int
    wrong: int
    supported: int
    right: int
    kept: int
    present: int
    price: float | None


def fit_correction(bank: Standing, judged: Standing, right: NDArray[np.bool_], patches: NDArray[np.intp] | None = None, *,
                   force: bool = False) -> Corrected:
    """Correct a target by judgements of events. right: bool `(events,)`. patches: int `(events,)`, how many of `judged` are
    each one's, in order; None: one each. A wrong one is silenced where none of its patches is heard.

    The vetoes that reach farthest without costing more than MOST_LOST of what is heard of the bank, or none where those
    would silence nothing; force: those that cost least of the ones that silence every wrong one.
    """
    event = np.repeat(np.arange(len(right)), 1 if patches is None else patches)
    mine, of = judged.only(right[event]), event[~right[event]]
    row, bias = _support(bank, mine)
    raised, wrong = (one.moved(_side(one.embeddings, row[None], np.array([bias])))
                     for one in (bank, judged.only(~right[event])))
    none = np.zeros((0, bank.embeddings.shape[1]), np.float32), np.zeros(0, np.float32)
    tried = [*_vetoes(raised, wrong), none]
    clear = raised.only(bank.power >= CLEARLY)
    costs = [float(np.mean(_after(clear, veto) < 0.0)) if len(clear.power) else 0.0 for veto in tried]
    silenced = [int((~right).sum()) - len(np.unique(of[_after(wrong, veto) >= 0.0])) for veto in tried]
    complete = [number for number, count in enumerate(silenced) if count == (~right).sum()]
    chosen = next(number for number, cost in enumerate(costs) if cost <= MOST_LOST)  # none costs nothing
    if not silenced[chosen]:
        chosen = len(tried) - 1
    if force and complete:
        chosen = min(complete, key=lambda number: (costs[number], number))
    rows, biases = tried[chosen]
    supported = _after(mine.moved(_side(mine.embeddings, row[None], np.array([bias]))), tried[chosen]) >= 0.0
    return Corrected(
        np.concatenate((row[None], rows)), np.concatenate(([bias], biases)).astype(np.float32), silenced[chosen],
        int((~right).sum()), len(np.unique(event[right[event]][supported])), int(right.sum()),
        len(clear.power) - round(costs[chosen] * len(clear.power)), len(clear.power),
        min((costs[number] for number in complete), default=None))


def _side(embeddings: Floats, rows: Floats, bias: Floats) -> Floats:
    """float32 `(n,)`: how far each lies on the side of the row where it is farthest; 0 where on none's."""
    if not len(rows):
        return np.zeros(len(embeddings), np.float32)
    farthest: Floats = np.maximum((embeddings @ rows.T + bias).max(axis=1), 0.0).astype(np.float32)
    return farthest


def _after(sounds: Standing, veto: tuple[Floats, Floats]) -> Floats:
    after: Floats = sounds.power - _side(sounds.embeddings, *veto)
    return after


def _vetoes(bank: Standing, wrong: Standing) -> list[tuple[Floats, Floats]]:
    """For each share of BEGINS a row for each group of wrong ones that lie in one direction, beginning behind that share."""
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
    scatter = _scatter(held - centre) + _scatter(np.concatenate([part - part.mean(axis=0) for part in parts]))
    scatter += EVEN * max(float(held.var(axis=0).mean()), 1e-9) * np.eye(len(centre))
    directions = np.linalg.solve(scatter, np.stack([part.mean(axis=0) - centre for part in parts]).T).T
    for group, direction in zip(groups, directions, strict=True):
        direction /= max(float(np.linalg.norm(direction)), 1e-9)
        along.append(held @ direction)
        steep = (float(wrong.power[group].max()) + MARGIN) / max(RAMP * float(along[-1].std()), 1e-6)
        rows.append(direction * max(steep, 0.0))
    at = -np.quantile(np.stack(along), BEGINS, axis=1) * np.linalg.norm(rows, axis=1)
    return [(np.array(rows, np.float32), bias) for bias in at.astype(np.float32)]


def _scatter(away: NDArray[np.float64]) -> NDArray[np.float64]:
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


def _support(bank: Standing, right: Standing) -> tuple[Floats, float]:
    """The lightest row under which all that are right are heard; zeros where they are already."""
    row, bias = np.zeros(bank.embeddings.shape[1], np.float32), 0.0
    for weight in STEPS if (right.power < 0.0).any() else ():
        row, bias = _fit(bank, right, weight)
        if (right.power + _side(right.embeddings, row[None], np.array([bias])) >= 0.0).all():
            break
    return row, bias


def _fit(bank: Standing, right: Standing, weight: float) -> tuple[Floats, float]:
    embeddings = np.concatenate((bank.embeddings, right.embeddings))
    given = np.concatenate((bank.power, right.power))[:, None]
    wanted = np.concatenate((logistic(bank.power.astype(np.float64)), np.ones(len(right.power))))[:, None]
    weights = np.concatenate((np.where(bank.power > 0.0, PRESENT_WEIGHT, 1.0), np.full(len(right.power), weight)))[:, None]
    rows, bias = fit_rows(embeddings, wanted.astype(np.float32), weights.astype(np.float32), ridge=RIDGE,
                          given=given.astype(np.float32), narrowest=NARROWEST)
    return rows[0], float(bias[0])
