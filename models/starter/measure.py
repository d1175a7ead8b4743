"""How good scores are: area under the curve, false alarms an hour, recall at a threshold, and how sure a share is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

HOP_SECONDS = 0.24
REFRACTORY_SECONDS = 1.0
PATCH_SECONDS = 0.975


def area(present: Floats, absent: Floats) -> float:
    """Area under the ROC curve: how often a present clip scores above an absent one; ties count half; nan without any."""
    if not len(present) or not len(absent):
        return float("nan")
    ordered = np.sort(absent)
    below = np.searchsorted(ordered, present, "left") + np.searchsorted(ordered, present, "right")
    return float(below.sum() / (2 * len(present) * len(absent)))


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


def wilson(found: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share."""
    if of == 0:
        return 0.0, 1.0
    z, share = 1.96, found / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * np.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return float(middle - half), float(middle + half)
