"""Feedback on a target that looks decide: how far looks bring it over its threshold, and rows that correct it. Pure.

Vetoes are those of `edge.learn.feedback`. A logistic regression, as supports patches, raised too much of the rooms that the
bank does not know. The support of looks is a ramp as a veto is: it points from the sounds that come nearest to the target to
the mean of what was right, and begins where it raises few of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge.decision.targets import Target
from edge.learn.feedback import EVEN, MARGIN, Corrected, Standing, fit_correction, scatter
from edge.learn.look_bank import LookBank
from edge.learn.probability import Curve
from edge.learn.regression import Floats

MOST_LOST = (0.005, 0.01)
"""Shares of the target's own sounds that vetoes may cost: the second where the first leaves a wrong event heard.
models/README.md has the measurements."""
NEAREST = 1_500
"""Looks of the bank, of those that the target does not hear, that a support is fitted against."""
MOST_RAISED = 0.002
"""Share of what the target does not hear that a support may raise."""
FIRST, LAST, BEGINNINGS = 0.5, 0.999, 60
"""Where a support may begin: behind these shares of the bank, and how many of them are tried."""


class Network(Protocol):
    """The look network, as far as feedback needs it."""

    def logits(self, embeddings: Floats) -> Floats:
        """Of looks float32 `(..., E)`: `(..., labels)`, those of taught rows behind its own."""


@dataclass(frozen=True, slots=True)
class Event:
    """What was said of one event. embeddings: float32 `(k, E)` of its looks, the surest first. bare: the highest logit
    that the target had with each, alone or beside a patch (`Scores.bare`); none where that is not known."""

    right: bool
    embeddings: Floats
    bare: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class _Row:
    """The target's own row, or an added one: its place; scale and offset of either look, float32 `(2,)`."""

    row: int
    scales: Floats
    offsets: Floats


class LookFit:
    """One target, and what its logits are made of. network: the look network."""

    def __init__(self, target: Target, network: Network) -> None:
        """Raises ValueError for a target that patches decide."""
        if target.stages is None:
            raise ValueError(f"{target.name}: patches decide it")
        self._target, self._network = target, network
        rows = [(int(target.rows[0]), target.stages)]
        if target.added is not None:
            rows.append((target.added.row, target.added.stages))
        self._rows = [_Row(row, np.array([one.scale for one in stages], np.float32),
                           np.array([one.offset for one in stages], np.float32)) for row, stages in rows]
        # As for patches, the fit takes the curve's slope at the threshold for all of the curve.
        curve = Curve.of(target)
        self._start = curve.logit_at(target.threshold)
        self.slope = np.float32(curve.slope(self._start))
        """Of the target's calibration: a correction is added before the calibration, so its rows are divided by this."""

    def bank(self, bank: LookBank, own: Floats) -> Standing:
        """What should keep the answers that it has: sounds of the target's own, float32 `(n, 2, E)`, and of the bank what
        the target does not hear.

        A patch may raise any of them: each counts as if one in two minds (logit 0) lay beside it. What the target hears of
        the bank is none of its own sounds, and need not be kept.
        """
        others = bank.embeddings[~np.isin(bank.labels, self._target.labels)]
        other = self._standing(others)
        kept = self._standing(own)
        silent = other.only(other.power < 0.0)
        return Standing(np.concatenate((kept.embeddings, silent.embeddings)), np.concatenate((kept.power, silent.power)))

    def correct(self, bank: Standing, events: Sequence[Event], *, force: bool = False) -> Corrected:
        """Rows for all that was said of the target's events. bank: as `bank` gives it.

        A right event is to be heard at its surest look, a wrong one silent at each, and beside the patches that it had.
        """
        looks = [event.embeddings[:1] if event.right else event.embeddings for event in events]
        power = [self._power(each, bare, event.right) for event, own in zip(events, looks, strict=True)
                 for each, bare in zip(own, event.bare or (None,) * len(own), strict=False)]
        right, count = np.array([event.right for event in events]), np.array([len(own) for own in looks])
        return fit_correction(bank, Standing(np.concatenate(looks), np.array(power, np.float32)), right, count, force=force,
                              most_lost=MOST_LOST, support=ramp)

    def _standing(self, embeddings: Floats) -> Standing:
        """Looks float32 `(n, 2, E)`, the first look's and the second's, as if their onsets rose as is typical."""
        logits = self._network.logits(embeddings)
        over = np.max([one.scales * logits[..., one.row] + one.offsets for one in self._rows], axis=0)
        if (beside := self._target.beside) is not None:
            over = np.maximum(over, beside.look * logits[..., self._rows[0].row] + beside.offset)
        return Standing(embeddings.reshape(-1, embeddings.shape[2]), self._powers(over.reshape(-1)))

    def _power(self, embedding: Floats, bare: float | None, right: bool) -> np.float32:
        """How far one look `(E,)` came over the threshold. Which of the two looks it was is not known: the higher counts for
        a wrong event, the lower for a right one."""
        logits = self._network.logits(embedding)
        alone = np.max([one.scales * logits[one.row] + one.offsets for one in self._rows], axis=0)
        least = float(alone.min() if right else alone.max())
        return np.float32(self._powers(np.array([least if bare is None else max(least, bare)], np.float32))[0])

    def _powers(self, logits: NDArray[np.floating]) -> Floats:
        return np.asarray(self.slope * (logits - np.float32(self._start)), np.float32)


def ramp(bank: Standing, right: Standing) -> tuple[Floats, float]:
    """Row and bias of a support that raises at most MOST_RAISED of what the target does not hear of the bank.

    Of the supports that do, the one that gets most right events heard, and of these the one that begins first; zeros where
    all are heard, and where none does.
    """
    missed, others = right.only(right.power < 0.0), bank.only(bank.power < 0.0)
    none: tuple[Floats, float] = np.zeros(bank.embeddings.shape[1], np.float32), 0.0
    if not len(missed.power) or not len(others.power):
        return none
    near = others.embeddings[np.argsort(-others.power)[:NEAREST]].astype(np.float64)
    centre = near.mean(axis=0)
    spread = scatter(near - centre) + EVEN * max(float(near.var(axis=0).mean()), 1e-9) * np.eye(len(centre))
    row = np.linalg.solve(spread, missed.embeddings.mean(axis=0) - centre)
    row /= max(float(np.linalg.norm(row)), 1e-9)
    theirs, mine = others.embeddings @ row, missed.embeddings @ row
    best = (0, 0.0, 0.0)
    for begin in np.quantile(theirs, np.linspace(FIRST, LAST, BEGINNINGS)):
        behind = mine > begin + 1e-6
        if behind.sum() > best[0]:
            steep = float(((MARGIN - missed.power[behind]) / (mine[behind] - begin)).max())
            if np.mean(others.power + steep * np.maximum(theirs - begin, 0.0) >= 0.0) <= MOST_RAISED:
                best = int(behind.sum()), steep, float(begin)
    return np.asarray(best[1] * row, np.float32), -best[1] * best[2]
