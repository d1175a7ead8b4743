"""The head: one row of float weights per label. YAMNet's classes, targets and learnt sounds are all rows of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.model.arrays import reading_arrays

Real = TypeVar("Real", np.float32, np.float64)

_FARTHEST = np.float32(88.0)
"""exp of more overflows a float32; the logistic is 0 or 1 to the last bit long before."""
_SLAB_VALUES = 8_192
"""Weights multiplied at a time. OpenBLAS spreads larger products over threads, which wait for each other: with the
other cores busy, 521 rows then take 1.3 ms instead of 0.04."""


def logistic(logits: NDArray[Real]) -> NDArray[Real]:
    """1 / (1 + exp(-logit)), float32 or float64 in and the same out, any shape, no overflow."""
    bounded = np.minimum(np.maximum(logits, -_FARTHEST), _FARTHEST)
    return np.asarray(np.float32(1.0) / (np.float32(1.0) + np.exp(-bounded)), dtype=logits.dtype)


def against_the_others(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logit of each label against all others together, of what a multinomial regression gives: float32 `(..., L)`, L over 1.

    The softmax of the values is the logistic of these logits: value less log(sum over the others of exp(value)).
    """
    others = values[..., np.newaxis, :] + _not_itself(values.shape[-1])
    highest = others.max(axis=-1, keepdims=True)
    together = highest[..., 0] + np.log(np.exp(others - highest).sum(axis=-1))
    return np.asarray(values - together, np.float32)


@cache
def _not_itself(count: int) -> NDArray[np.float32]:
    """float32 `(count, count)`: -inf on the diagonal, 0 elsewhere."""
    return np.diag(np.full(count, -np.inf, np.float32))


class Head:
    """Only the rows in use: weights float32 (L, E), bias float32 (L,)."""

    def __init__(self, weights: NDArray[np.float32], bias: NDArray[np.float32]) -> None:
        """Raises ModelError if the arrays do not fit each other or are not finite."""
        if weights.ndim != 2 or bias.shape != weights.shape[:1]:
            raise ModelError("head", found=f"weights {list(weights.shape)}, bias {list(bias.shape)}",
                             wanted="weights (rows, columns), bias (rows)")
        if not (np.isfinite(weights).all() and np.isfinite(bias).all()):
            raise ModelError("head", found="values that are not finite", wanted="finite weights and bias")
        count, columns = weights.shape
        rows = max(1, _SLAB_VALUES // max(columns, 1))
        self._slabs = np.zeros((-(-count // rows), rows, columns), dtype=np.float32)
        self.weights: NDArray[np.float32] = self._slabs.reshape(-1, columns)[:count]
        self.weights[...] = weights
        self.bias = np.ascontiguousarray(bias, dtype=np.float32)

    def rows(self, indices: Sequence[int]) -> Head:
        """A head of these rows, in this order; the others are let go."""
        chosen = np.asarray(indices, dtype=np.intp)
        return Head(self.weights[chosen], self.bias[chosen])

    def logits(self, embedding: NDArray[np.float32]) -> NDArray[np.float32]:
        """weights @ embedding + bias: float32 (E,) to float32 (L,)."""
        product: NDArray[np.float32] = np.matmul(self._slabs, embedding).reshape(-1)[: len(self.bias)]
        return product + self.bias


def load_head(path: Path, *, rows: int, columns: int) -> Head:
    """Read head.npz. Raises ModelError if it is none, or not `rows` x `columns`."""
    wanted = f"weights float32 [{rows}, {columns}], bias float32 [{rows}]"
    with reading_arrays(path, found="no NumPy archive", wanted=wanted) as arrays:
        weights, bias = arrays["weights"], arrays["bias"]
    if weights.dtype != np.float32 or bias.dtype != np.float32 or weights.shape != (rows, columns) \
            or bias.shape != (rows,):
        raise ModelError(str(path), found=f"weights {weights.dtype} {list(weights.shape)}, bias {bias.dtype} "
                                          f"{list(bias.shape)}", wanted=wanted)
    return Head(weights, bias)


def save_head(path: Path, head: Head) -> None:
    """Write head.npz, the same bytes for the same head."""
    with path.open("wb") as file:
        np.savez(file, weights=head.weights, bias=head.bias)
