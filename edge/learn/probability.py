"""Logits to probabilities: Platt's logistic fit and beta calibration, chosen out of fold. Pure numpy.

Recordings with the target and without it weigh the same in a fit, however many of each there are. So a
probability is that of a sound which, before it is heard, is as likely the target as not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.decision.targets import Target
from edge.model.calibration import TargetCalibration
from edge.model.head import logistic

Floats = NDArray[np.float64]
Truth = NDArray[np.bool_]

RELEASE_LOGITS = 1.5
"""How far a calibrated or taught release threshold lies under its threshold, in logits."""
_WINS_BY = 0.01
"""Share of the log loss by which a curve with more parameters must be better."""
_FLATTEST = 0.05
"""Share of Platt's slope that each of beta's slopes needs: on a flat curve a threshold has no place."""
_STEPS = 100


@dataclass(frozen=True, slots=True)
class Curve:
    """probability = logistic(scale * softplus(logit) - scale_below * softplus(-logit) + offset).

    softplus(x) is log(1 + exp(x)); as softplus(x) - softplus(-x) = x, equal scales are Platt's logistic(scale * logit
    + offset). Of the score s = logistic(logit) it is beta calibration: logistic(scale_below * ln s - scale * ln(1 - s)
    + offset) (Kull, Silva Filho and Flach, AISTATS 2017).
    """

    scale: float = 1.0
    scale_below: float = 1.0
    offset: float = 0.0

    @classmethod
    def of(cls, found: Target | TargetCalibration) -> Curve:
        """The curve of a target, or of a calibration's entry."""
        return cls(found.scale, found.scale if found.scale_below is None else found.scale_below, found.offset)

    def powers(self, logits: Floats) -> Floats:
        """The probability's own logits, `(n,)`."""
        values: Floats = (self.scale * np.logaddexp(0.0, logits) - self.scale_below * np.logaddexp(0.0, -logits)
                          + self.offset)
        return values

    def probabilities(self, logits: Floats) -> Floats:
        """`(n,)`, 0 to 1, rising with the logit."""
        return logistic(self.powers(np.asarray(logits, np.float64)))

    def logit_at(self, probability: float) -> float:
        """The logit that has this probability, by halving: -100 to 100."""
        return float(self.logits_at(np.array([probability]))[0])

    def logits_at(self, probabilities: Floats) -> Floats:
        """The same of each, `(n,)`."""
        low, high = np.full(len(probabilities), -100.0), np.full(len(probabilities), 100.0)
        for _ in range(100):
            middle = (low + high) / 2.0
            under = self.probabilities(middle) < probabilities
            low, high = np.where(under, middle, low), np.where(under, high, middle)
        return high

    def slope(self, logit: float) -> float:
        """How steeply the probability's own logit rises at this one."""
        above = float(logistic(np.array([logit]))[0])
        return self.scale * above + self.scale_below * (1.0 - above)


@dataclass(frozen=True, slots=True)
class Fitted:
    """A curve fitted on all, and each sound's probability by a curve that was fitted without its fold, `(n,)`.

    form: "platt", "beta", or "bare" for a score that no curve makes better.
    """

    curve: Curve
    form: str
    out_of_fold: Floats


def balanced(truth: Truth) -> Floats:
    """Weights `(n,)` that give both sides half of n. Raises ValueError where one is empty."""
    positives, count = int(truth.sum()), len(truth)
    if not 0 < positives < count:
        raise ValueError(f"{positives} positives of {count}: wanted some of both")
    return np.where(truth, count / (2.0 * positives), count / (2.0 * (count - positives)))


def fit_platt(logits: Floats, truth: Truth) -> Curve:
    """Scale and offset by Platt's method (Advances in Large Margin Classifiers, 1999), both sides weighing the same.

    logits, truth: `(n,)`. His targets, (N+ + 1) / (N+ + 2) and 1 / (N- + 2), keep the fit finite where all positives
    lie over all negatives. A scale under 0 (positives lie lower) is given as it is: the caller refuses it.
    """
    scale, offset = _fit(logits[:, None], truth)
    return Curve(scale, scale, offset)


def fit_beta(logits: Floats, truth: Truth) -> Curve:
    """Beta calibration of the score, with the same targets and weights; a slope that would fall is held at 0."""
    features = np.stack([np.logaddexp(0.0, logits), -np.logaddexp(0.0, -logits)], axis=1)
    above, below, offset = _fit(features, truth)
    if above < 0.0:
        below, offset = _fit(features[:, 1:], truth)
        return Curve(0.0, below, offset)
    if below < 0.0:
        above, offset = _fit(features[:, :1], truth)
        return Curve(above, 0.0, offset)
    return Curve(above, below, offset)


def fit_curve(logits: Floats, truth: Truth, folds: NDArray[np.int64]) -> Fitted:
    """Platt's curve or beta's, by log loss out of fold; none where the bare score is as good as the better one.

    folds: int `(n,)`, those of one source together. A fold without which one side is empty is given the curve of all.
    Raises ValueError where one side is empty.
    """
    found = {}
    for form, fit in (("platt", fit_platt), ("beta", fit_beta)):
        whole = fit(logits, truth)
        outside = np.empty(len(logits))
        for fold in np.unique(folds):
            own, rest = folds == fold, folds != fold
            curve = fit(logits[rest], truth[rest]) if 0 < truth[rest].sum() < rest.sum() else whole
            outside[own] = curve.probabilities(logits[own])
        found[form] = Fitted(whole, form, outside)
    bare = Curve().probabilities(logits)
    if min(found["beta"].curve.scale, found["beta"].curve.scale_below) < _FLATTEST * found["platt"].curve.scale:
        found["beta"] = found["platt"]
    best = found["platt"]
    if log_loss(found["beta"].out_of_fold, truth) < log_loss(best.out_of_fold, truth) * (1.0 - _WINS_BY):
        best = found["beta"]
    return best if log_loss(best.out_of_fold, truth) < log_loss(bare, truth) * (1.0 - _WINS_BY) else Fitted(
        Curve(), "bare", bare)


def log_loss(probabilities: Floats, truth: Truth) -> float:
    """Mean of -ln(probability of what was), nats; both sides weigh the same."""
    right = np.clip(np.where(truth, probabilities, 1.0 - probabilities), 1e-15, 1.0)
    return float(np.average(-np.log(right), weights=balanced(truth)))


def _fit(features: Floats, truth: Truth) -> tuple[float, ...]:
    """Coefficients and offset of a logistic regression on `(n, k)` by Newton's method with halved steps."""
    positives, negatives = int(truth.sum()), int((~truth).sum())
    weights = balanced(truth)
    wanted = np.where(truth, (positives + 1.0) / (positives + 2.0), 1.0 / (negatives + 2.0))
    spread = np.maximum(features.std(axis=0), 1e-9)
    centre = features.mean(axis=0)
    inputs = np.concatenate([(features - centre) / spread, np.ones((len(features), 1))], axis=1)
    found = np.zeros(inputs.shape[1])
    loss = _loss(inputs, found, wanted, weights)
    for _ in range(_STEPS):
        power = inputs @ found
        share = logistic(power)
        slope = inputs.T @ (weights * (share - wanted))
        bend = (inputs * (weights * np.maximum(share * (1.0 - share), 1e-12))[:, None]).T @ inputs
        step = np.linalg.solve(bend + 1e-9 * len(inputs) * np.eye(len(found)), slope)
        length = 1.0
        while (fresh := _loss(inputs, found - length * step, wanted, weights)) > loss and length > 1e-6:
            length /= 2.0
        found, gained, loss = found - length * step, loss - fresh, fresh
        if gained < 1e-10 * len(inputs):
            break
    slopes = found[:-1] / spread
    return (*map(float, slopes), float(found[-1] - slopes @ centre))


def _loss(inputs: Floats, found: Floats, wanted: Floats, weights: Floats) -> float:
    power = inputs @ found
    return math.fsum(weights * (np.logaddexp(0.0, power) - wanted * power))
