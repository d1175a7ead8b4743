"""What scores say of a label: how well it is told apart, its threshold for a budget, and how each source fares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from clips import Clip
from labels import Label, absent_in, present_in, staged
from measure import alarms, area, threshold_for

Floats = npt.NDArray[np.float32]
ALARMS_PER_HOUR = 5.0


@dataclass(frozen=True)
class Evidence:
    """One label, measured on clips. Thresholds are logits; a clip is heard when its highest patch reaches the threshold."""

    label: str
    area: float  # under the ROC curve, clips that hold it against clips that do not
    threshold: float
    recall: float
    alarms_per_hour: float  # on clips that do not hold it, sounds made on purpose left out
    staged_share: float  # of the sounds made on purpose (claps, slaps, stomps, drums) taken for it
    clips: int
    heard: int
    groups: int
    sources: dict[str, tuple[int, int]]  # of each source: clips heard, clips


def judge(scores: Sequence[Floats], clips: Sequence[Clip], label: Label, threshold: float | None = None) -> Evidence:
    """Measure a label from its logits on each clip, float32 (patches,) each; without a threshold, take the budget's own."""
    own = [(float(logits.max()), clip) for logits, clip in zip(scores, clips, strict=True) if present_in(clip, label)]
    absent = [(logits, clip) for logits, clip in zip(scores, clips, strict=True) if absent_in(clip, label)]
    everyday = [logits for logits, clip in absent if not staged(clip)]
    on_purpose = np.array([logits.max() for logits, clip in absent if staged(clip)], np.float32)
    present = np.array([score for score, _ in own], np.float32)
    if threshold is None:
        threshold = threshold_for(everyday, ALARMS_PER_HOUR)
    sources: dict[str, tuple[int, int]] = {}
    for score, clip in own:
        heard, count = sources.get(clip.source, (0, 0))
        sources[clip.source] = (heard + (score >= threshold), count + 1)
    return Evidence(
        label=label.name,
        area=area(present, np.array([logits.max() for logits, _ in absent], np.float32)),
        threshold=threshold,
        recall=float((present >= threshold).mean()) if len(present) else float("nan"),
        alarms_per_hour=alarms(everyday, threshold),
        staged_share=float((on_purpose >= threshold).mean()) if len(on_purpose) else float("nan"),
        clips=len(present),
        heard=int((present >= threshold).sum()),
        groups=len({clip.group for _, clip in own}),
        sources=sources,
    )
