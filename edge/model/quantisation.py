"""Between real values and the integers of a quantised tensor: real = (integer - zero_point) * scale."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError

QUANTISED = ("int8", "uint8", "int16")
"""Integer dtypes that a model's input or output may have."""


@cache
def limits(dtype: str) -> tuple[int, int]:
    """Smallest and largest integer of one of `QUANTISED`. Raises ModelError for any other dtype."""
    if dtype not in QUANTISED:
        raise ModelError("quantised tensor", found=f"dtype {dtype}", wanted=" or ".join(QUANTISED))
    info = np.iinfo(dtype)
    return int(info.min), int(info.max)


def quantise(values: NDArray[np.float32], *, scale: float, zero_point: int, dtype: str,
             scratch: NDArray[np.float32] | None = None) -> NDArray[Any]:
    """Round, clip, cast: float32 of any shape to integers of the same shape.

    Halves round to even. What lies outside the range takes the range's end (a bare cast would wrap: 130.4 to -126).
    Values must be finite: no integer stands for NaN.
    scratch: float32 of the same shape to work in, so that a hot loop allocates the result only.
    Raises ModelError for a dtype that is not in `QUANTISED`.
    """
    low, high = limits(dtype)
    # The file's own QUANTIZE divides in float32; multiplying by 1 / scale would differ in the last bit.
    work = np.divide(values, np.float32(scale), out=scratch, dtype=np.float32)
    work = np.asarray(work)
    np.rint(work, out=work)
    work += np.float32(zero_point)
    np.maximum(work, np.float32(low), out=work)  # half the cost of np.clip
    np.minimum(work, np.float32(high), out=work)
    return work.astype(dtype)


def dequantise(values: NDArray[Any], *, scale: float, zero_point: int) -> NDArray[np.float32]:
    """Widen, subtract, scale: integers of any shape to float32 of the same shape.

    Widened first: -128 - 100 does not fit an int8. The difference is exact in float32, for it has 17 bits at most.
    """
    real: NDArray[np.float32] = np.subtract(values, np.float32(zero_point), dtype=np.float32)
    real *= np.float32(scale)
    return real
