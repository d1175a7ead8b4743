"""A second row for one of the model's own targets: it vetoes what the owner called wrong and supports what was right. Pure.

The row is added to the target's logit (`edge.decision.targets.Correction`). It is fitted by logistic regression whose fixed
part is what the target says already, against a bank of sounds that must keep their present answers (soft targets: Hinton,
Vinyals and Dean, 2015), so that it stays zero wherever the owner said nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.learn.regression import Floats, fit_rows, logistic

RIDGE = 1.0
"""Beside thousands of sounds that hold their answers. Under a stronger one too little was silenced."""
NARROWEST = 0.1
PRESENT_WEIGHT = 40.0
"""What a sound of the bank that the target hears weighs beside one that it does not: there are few."""
STEPS = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
"""What a judgement weighs, tried in this order: the first under which all of them hold."""
CLEARLY = 0.5
"""In logits over the threshold: what of the bank counts as heard. Nearer to it, the next playback decides."""
MARGIN = 0.0
"""In logits: so far under its release threshold a wrong one must come, or over the threshold a right one."""
MOST_LOST = 0.02
"""Share of the bank's sounds over the threshold that a correction may cost."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How sounds stand with a target now. embeddings: float32 `(n, E)`. power: float32 `(n,)`, logit of the probability
    less that of the threshold: over 0 it is heard."""

    embeddings: Floats
    power: Floats


@dataclass(frozen=True, slots=True)
class Corrected:
    """A fitted correction of the power: row float32 `(E,)` and bias.

    silenced, supported: judged wrong and right that come out so now, of `wrong` and `right`. kept: sounds of the bank over
    the threshold that are still over it, of `present`.
    """

    row: Floats
    bias: float
    silenced: int
    wrong: int
    supported: int
    right: int
    kept: int
    present: int


def fit_correction(bank: Standing, judged: Standing, right: NDArray[np.bool_], *, release: float) -> Corrected:
    """Correct a target by judgements. right: bool `(m,)`, of `judged`. release: power of the release threshold, under 0.

    The lightest correction that makes all judgements hold; where that costs more than MOST_LOST of what is heard of the
    bank, the one that makes most of them hold and does not.
    """
    best: Corrected | None = None
    for weight in STEPS:
        row, bias = _fit(bank, judged, right, weight)
        found = _judge(bank, judged, right, row, bias, release)
        cheap = found.kept >= (1.0 - MOST_LOST) * found.present
        if best is None or (cheap and found.silenced + found.supported > best.silenced + best.supported):
            best = found
        if cheap and found.silenced + found.supported == len(right):
            break
    assert best is not None  # STEPS is not empty
    return best


def _fit(bank: Standing, judged: Standing, right: NDArray[np.bool_], weight: float) -> tuple[Floats, float]:
    embeddings = np.concatenate((bank.embeddings, judged.embeddings))
    given = np.concatenate((bank.power, judged.power))[:, None]
    wanted = np.concatenate((logistic(bank.power), right.astype(np.float64)))[:, None]
    weights = np.concatenate((np.where(bank.power > 0.0, PRESENT_WEIGHT, 1.0), np.full(len(right), weight)))[:, None]
    rows, bias = fit_rows(embeddings, wanted.astype(np.float32), weights.astype(np.float32), ridge=RIDGE,
                          given=given.astype(np.float32), narrowest=NARROWEST)
    return rows[0], float(bias[0])


def _judge(bank: Standing, judged: Standing, right: NDArray[np.bool_], row: Floats, bias: float,
           release: float) -> Corrected:
    after = judged.power + judged.embeddings @ row + bias
    still = bank.power + bank.embeddings @ row + bias
    present = bank.power >= CLEARLY
    return Corrected(
        row, bias, silenced=int((after[~right] < release - MARGIN).sum()), wrong=int((~right).sum()),
        supported=int((after[right] >= MARGIN).sum()), right=int(right.sum()), kept=int((still[present] >= 0.0).sum()),
        present=int(present.sum()))
