"""How good scores are: area under the curve, false alarms an hour, the threshold for a budget of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from appliance import area_under_curve

Floats = npt.NDArray[np.float32]

HOP_SECONDS = 0.24
REFRACTORY_SECONDS = 1.0
PATCH_SECONDS = 0.975


def area(present: Floats, absent: Floats) -> float:
    """Area under the ROC curve of clips that hold a sound against clips that do not, float32 (n,) and (m,)."""
    truth = np.arange(len(present) + len(absent)) < len(present)
    return area_under_curve(np.concatenate([present, absent]), truth)


def hours(clips: Sequence[Floats]) -> float:
    """How long the clips sound, one score per patch, patches every 0.24 s."""
    return sum(PATCH_SECONDS + (len(scores) - 1) * HOP_SECONDS for scores in clips) / 3600.0


def alarm_peaks(clips: Sequence[Floats]) -> Floats:
    """The alarms at a threshold are the peaks above it: each clip's highest score, then the highest a second away, ..."""
    apart = round(REFRACTORY_SECONDS / HOP_SECONDS)
    peaks = []
    for scores in clips:
        left = scores.astype(np.float32).copy()
        while len(left) and np.isfinite(left.max()):
            place = int(left.argmax())
            peaks.append(float(left[place]))
            left[max(0, place - apart) : place + apart + 1] = -np.inf
    return np.array(peaks, np.float32)


def threshold_for(absent: Sequence[Floats], alarms_per_hour: float) -> float:
    """The lowest threshold that gives at most so many false alarms an hour on these clips."""
    peaks = np.sort(alarm_peaks(absent))[::-1]
    allowed = int(alarms_per_hour * hours(absent))
    if allowed >= len(peaks):
        return float(peaks[-1])
    return float(np.nextafter(peaks[allowed], np.float32(np.inf)))


def alarms(absent: Sequence[Floats], threshold: float) -> float:
    """False alarms an hour at a threshold."""
    return float((alarm_peaks(absent) >= threshold).sum() / hours(absent))
