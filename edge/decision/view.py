"""What a watcher is shown once a hop: the level, what the model says, and how every target stands. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edge.decision.loudness import NoiseFloor
from edge.stream import SILENCE_DBFS, Hearing, Scores, TargetHearing

LABELS = 10
"""Labels, highest first, that a watcher is told of."""


class View:
    """Follows the level of every block, so that what is shown is the loudest since it was last asked."""

    def __init__(self) -> None:
        self._room = NoiseFloor()
        self._loudest_dbfs, self._shown = SILENCE_DBFS, False

    def level(self, rms_dbfs: float, samples: int) -> None:
        """A block of so many samples (16 kHz) at one level."""
        self._loudest_dbfs = rms_dbfs if self._shown else max(self._loudest_dbfs, rms_dbfs)
        self._shown = False
        self._room.push_level(rms_dbfs, samples)

    def hearing(self, position: int, scores: Scores | None, labels: Sequence[str],
                targets: tuple[TargetHearing, ...]) -> Hearing:
        """What is heard with the patch at `position`. scores: of `labels`; None while the gate is closed."""
        level, noise = self._loudest_dbfs, self._room.db
        best = () if scores is None else np.argsort(-scores.values, kind="stable")[:LABELS]
        top = () if scores is None else tuple((labels[row], float(scores.values[row])) for row in best)
        self._shown = True
        return Hearing(position, level, level if noise is None else noise, scores is not None, top, targets)
