"""Figures of merit. Pure numpy; each names the source of its formula."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def area_under_curve(scores: NDArray[np.float32], truth: NDArray[np.bool_]) -> float:
    """Area under the ROC curve: the chance that a positive scores above a negative, ties counted half.

    scores, truth: `(n,)`. NaN where one side is empty. Mann and Whitney's U over the number of pairs (1947).
    """
    positives, negatives = int(truth.sum()), int((~truth).sum())
    if not positives or not negatives:
        return math.nan
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    below = np.cumsum(counts) - counts
    ranks = below + (counts + 1) / 2.0
    u = float(ranks[inverse][truth].sum()) - positives * (positives + 1) / 2.0
    return u / (positives * negatives)


def wilson_interval(successes: int, trials: int, z: float = 1.96) -> tuple[float, float]:
    """The interval that holds a share with 95 % (z = 1.96). Wilson, J. Am. Stat. Assoc. 22 (1927). (0, 1) for no trials."""
    if trials == 0:
        return 0.0, 1.0
    share = successes / trials
    centre = share + z * z / (2 * trials)
    spread = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    return max((centre - spread) / scale, 0.0), min((centre + spread) / scale, 1.0)
