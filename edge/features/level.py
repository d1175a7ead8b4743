"""How loud the newest samples are: integer sums, decibels last."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from edge.stream import SILENCE_DBFS, Level

_FULL_SCALE = 32_768
_LOWEST, _HIGHEST = -32_768, 32_767


def _dbfs(ratio: float) -> float:
    """Decibels of an amplitude ratio (1.0 is full scale), never under SILENCE_DBFS."""
    return max(20.0 * math.log10(ratio), SILENCE_DBFS) if ratio > 0.0 else SILENCE_DBFS


def count_clipped(samples: NDArray[np.int16]) -> int:
    """How many of int16 `(n,)` are at either end of the range."""
    return _count_clipped(samples, *_extremes(samples)) if len(samples) else 0


def _extremes(samples: NDArray[np.int16]) -> tuple[int, int]:
    """The lowest and the highest of int16 `(n,)`, n > 0."""
    return int(np.minimum.reduce(samples)), int(np.maximum.reduce(samples))


def _count_clipped(samples: NDArray[np.int16], lowest: int, highest: int) -> int:
    if highest < _HIGHEST and lowest > _LOWEST:
        return 0  # the usual case: knowing the extremes costs a third of counting
    return int(np.count_nonzero(samples == _LOWEST) + np.count_nonzero(samples == _HIGHEST))


def level_of(samples: NDArray[np.int16], *, clipped: int | None = None) -> Level:
    """RMS and peak in dBFS of int16 `(n,)`, n > 0; the mean square and the peak are exact integers.

    clipped: how many samples were clipped before the resampler, which rounds them off; None counts them here.
    """
    # Squares of 31 bits are whole numbers in float64, and so are sums under 2**53: exact in any order up to 2**23
    # samples, and four times faster than int64. -32768 is widened before it is negated.
    wide = samples.astype(np.float64)
    energy = float(np.dot(wide, wide))
    lowest, highest = _extremes(samples)
    return Level(rms_dbfs=_dbfs(math.sqrt(energy / len(samples)) / _FULL_SCALE),
                 peak_dbfs=_dbfs(max(highest, -lowest) / _FULL_SCALE),
                 clipped=_count_clipped(samples, lowest, highest) if clipped is None else clipped)
