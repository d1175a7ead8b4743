"""What training and measuring take from the appliance itself: its front end and its figures of merit, no copies."""

from __future__ import annotations

import sys

from clips import REPOSITORY

sys.path.insert(0, str(REPOSITORY))  # the package may not be installed where the training runs

from edge.features.logmel import LogMel
from edge.learn.figures import area_under_curve, wilson_interval
from edge.stream import BANDS, FRAME_SAMPLES, FRAME_STEP, PATCH_FRAMES, PATCH_SAMPLES

__all__ = [
    "BANDS",
    "FRAME_SAMPLES",
    "FRAME_STEP",
    "PATCH_FRAMES",
    "PATCH_SAMPLES",
    "LogMel",
    "area_under_curve",
    "wilson_interval",
]
