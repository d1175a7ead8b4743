"""Regularised logistic regression, many rows at once: how every row of a head, and every correction, is fitted.

Pure numpy, float64 inside, deterministic. For each row the convex objective is

    sum_i weight_i * cross_entropy(wanted_i, logistic(given_i + row @ z_i + bias)) + ridge / 2 * |row|^2

with z the embeddings, centred and divided by their spread. The bias is free. Minimised by L-BFGS (Nocedal, Math. Comp. 35,
1980), all rows side by side, each with a step of its own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.model.head import logistic

Wide = NDArray[np.float64]
Floats = NDArray[np.float32]

SLAB = 1024
"""Embeddings widened to float64 at a time: the whole of a bank in float64 would not fit a small board."""
MEMORY = 12
"""Steps that L-BFGS remembers."""
LONGEST = 500
"""Iterations: far more than any fit has needed."""
FLAT = 1e-5
"""A row is done when its gradient has shrunk to this share of what it was at the start."""
NARROWEST = 0.1
"""Unless another is asked for: a column that hardly moved must not decide."""


def fit_rows(embeddings: Floats, wanted: Floats, weights: Floats, *, ridge: float,
             given: Floats | None = None, narrowest: float = NARROWEST) -> tuple[Floats, Floats]:
    """Rows float32 `(k, E)` and biases float32 `(k,)` for embeddings as they are (not centred).

    embeddings: float32 `(n, E)`. wanted: float32 `(n, k)`, 0 to 1 (soft targets are welcome). weights: float32 `(n, k)`, 0
    or more; an embedding of weight 0 is left out of that row. ridge: over 0. given: float32 `(n, k)`, logits that are added
    and stay as they are; None: 0. narrowest: share of the mean spread that a column is at least divided by. Raises
    ValueError for shapes that do not fit, values that are not finite or out of range, and for a row of which every weight
    is 0.
    """
    _check(embeddings, wanted, weights, ridge, given)
    target, weight = wanted.astype(np.float64), weights.astype(np.float64)
    z = _Standardised(embeddings, narrowest)
    columns, count = embeddings.shape[1], target.shape[1]
    point = np.zeros((columns + 1, count))
    logits = np.zeros_like(target) if given is None else given.astype(np.float64)
    penalty = np.full((columns + 1, 1), ridge)
    penalty[-1] = 0.0
    gradient = z.transposed(weight * (logistic(logits) - target))
    enough = FLAT * np.maximum(np.linalg.norm(gradient, axis=0), 1e-12)
    steps: list[tuple[Wide, Wide, Wide]] = []
    for _ in range(LONGEST):
        moving = np.linalg.norm(gradient, axis=0) > enough
        if not moving.any():
            break
        direction = -_inverse_hessian(gradient, steps) * moving
        if not steps:  # nothing is known of the curvature yet: the line search finds the length
            direction /= np.maximum(np.linalg.norm(direction, axis=0), 1e-30)
        along = z.times(direction)
        length = _line_search(logits, along, target, weight, (penalty * point * direction).sum(axis=0),
                              (penalty * direction * direction).sum(axis=0))
        step = direction * length
        point += step
        logits += along * length
        before, gradient = gradient, z.transposed(weight * (logistic(logits) - target)) + penalty * point
        change = gradient - before
        curvature = (step * change).sum(axis=0)
        if (moving & (curvature <= 0.0)).all():  # only rounding is left
            break
        steps = [*steps[-MEMORY + 1:], (step, change, np.where(curvature > 0.0, curvature, np.inf))]
    rows = point[:-1] / z.spread[:, None]
    bias = point[-1] - z.centre @ rows
    return np.ascontiguousarray(rows.T, np.float32), bias.astype(np.float32)


class _Standardised:
    """Embeddings centred and divided by their spread, with a column of ones; made slab by slab, never whole."""

    def __init__(self, embeddings: Floats, narrowest: float) -> None:
        self._embeddings = embeddings
        self.centre = embeddings.mean(axis=0, dtype=np.float64)
        variance = np.zeros(embeddings.shape[1])
        for slab, _ in self._slabs():
            variance += ((slab - self.centre) ** 2).sum(axis=0)
        variance /= len(embeddings)
        mean = float(np.sqrt(variance.mean()))
        self.spread: Wide = np.maximum(np.sqrt(variance), narrowest * mean) if mean > 0.0 else np.ones_like(variance)

    def _slabs(self) -> list[tuple[Floats, slice]]:
        places = [slice(start, start + SLAB) for start in range(0, len(self._embeddings), SLAB)]
        return [(self._embeddings[place], place) for place in places]

    def times(self, point: Wide) -> Wide:
        """(n, k): z @ point, for point (E + 1, k)."""
        rows = point[:-1] / self.spread[:, None]
        shift = point[-1] - self.centre @ rows
        out = np.empty((len(self._embeddings), point.shape[1]))
        for slab, place in self._slabs():
            out[place] = slab.astype(np.float64) @ rows + shift
        return out

    def transposed(self, residual: Wide) -> Wide:
        """(E + 1, k): z.T @ residual, for residual (n, k)."""
        sums = residual.sum(axis=0)
        out = np.zeros((len(self.spread) + 1, residual.shape[1]))
        for slab, place in self._slabs():
            out[:-1] += slab.astype(np.float64).T @ residual[place]
        out[:-1] = (out[:-1] - self.centre[:, None] * sums) / self.spread[:, None]
        out[-1] = sums
        return out


def _inverse_hessian(gradient: Wide, steps: list[tuple[Wide, Wide, Wide]]) -> Wide:
    """L-BFGS's two loops (Nocedal and Wright, algorithm 7.4), for k rows side by side; all (E + 1, k)."""
    work = gradient.copy()
    shares = []
    for step, change, curvature in reversed(steps):
        share = (step * work).sum(axis=0) / curvature
        work -= share * change
        shares.append(share)
    if steps:
        _, change, curvature = steps[-1]
        scale = curvature / np.maximum((change * change).sum(axis=0), 1e-300)
        work *= np.where(np.isfinite(scale), scale, 1.0)
    for (step, change, curvature), share in zip(steps, reversed(shares), strict=True):
        work += step * (share - (change * work).sum(axis=0) / curvature)
    return work


def _line_search(logits: Wide, along: Wide, target: Wide, weight: Wide, slope: Wide, bend: Wide) -> Wide:
    """(k,) lengths that minimise the objective along each direction: Newton in one dimension, kept inside a bracket.

    slope, bend: (k,) first and second derivative of the penalty at length 0. No embedding is touched.
    """
    length = np.ones(logits.shape[1])
    low, high = np.zeros_like(length), np.full_like(length, np.inf)
    first = None
    for _ in range(30):
        chance = logistic(logits + along * length)
        derivative = (weight * (chance - target) * along).sum(axis=0) + slope + bend * length
        second = (weight * chance * (1.0 - chance) * along * along).sum(axis=0) + bend
        first = np.abs(derivative) if first is None else np.maximum(first, np.abs(derivative))
        if (np.abs(derivative) <= 1e-2 * first).all():
            break
        low, high = np.where(derivative < 0.0, length, low), np.where(derivative > 0.0, length, high)
        newton = length - derivative / np.maximum(second, 1e-300)
        middle = np.where(np.isfinite(high), (low + high) / 2.0, 4.0 * length)
        inside = (newton > low) & (newton < np.where(np.isfinite(high), high, 16.0 * length))
        length = np.where(np.abs(derivative) <= 1e-2 * first, length, np.where(inside, newton, middle))
    return length


def _check(embeddings: Floats, wanted: Floats, weights: Floats, ridge: float, given: Floats | None) -> None:
    count = len(embeddings)
    tables = [wanted, weights] + ([] if given is None else [given])
    if embeddings.ndim != 2 or not count or {each.shape for each in tables} != {(count, wanted.shape[-1])}:
        shapes = [each.shape for each in tables]
        raise ValueError(f"embeddings {embeddings.shape}, tables {shapes}: wanted (n, E), (n, k) each")
    if not all(np.isfinite(each).all() for each in (embeddings, *tables)):
        raise ValueError("embeddings, wanted, weights or given hold values that are not finite")
    if wanted.min() < 0.0 or wanted.max() > 1.0 or weights.min() < 0.0 or not ridge > 0.0:
        raise ValueError("wanted must be 0 to 1, weights 0 or more, ridge over 0")
    if not weights.any(axis=0).all():
        raise ValueError("a row has nothing to be fitted to: all of its weights are 0")
