"""Scores by rows that saw nothing of a clip's source, of clips as they are and of altered windows."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt
from clips import Clip
from evidence import judge
from fit import fit_rows, folds_of
from labels import Label, absent_in, staged
from material import Material
from measure import alarm_peaks, hours
from rows import FOLDS, answers

Floats = npt.NDArray[np.float32]
BUDGETS = (2, 5, 10)  # false alarms an hour at which windows are counted: their mean chooses


def left_out(features: Floats, found: Material, clips: list[Clip], labels: tuple[Label, ...], ridge: Floats) -> Floats:
    """Logits float32 (n, labels) of all material, each fold by rows fitted on the others."""
    wanted, weights = answers(found.rows, clips, labels)
    fold_of = folds_of([clip.group for clip in clips], [clip.label for clip in clips], FOLDS)
    of_window = np.where(found.rows.clip >= 0, fold_of[found.rows.clip], -1)
    of_behind = np.where(found.rows.behind >= 0, fold_of[found.rows.behind], -1)
    logits = np.zeros((len(features), len(labels)), np.float32)
    for fold in range(FOLDS):
        used = (of_window != fold) & (of_behind != fold)
        rows, bias = fit_rows(features[used], wanted[used], weights[used], ridge)
        logits[of_window == fold] = features[of_window == fold] @ rows.T + bias
    return logits


def verdict(logits: Floats, found: Material, clips: list[Clip], label: Label) -> dict[str, Any]:
    """One label's logits (n,) judged: the evidence on clips, and `windows_of`, each source's share of altered windows heard.

    The mean over the thresholds that give 2, 5 and 10 false alarms an hour on whole clips: clips are few, windows are many,
    quieter, noisier and further away. `windows` is the mean of the sources, which count alike.
    """
    by_clip = found.by_clip(logits)
    everyday = [own for own, clip in zip(by_clip, clips, strict=True) if absent_in(clip, label) and not staged(clip)]
    peaks = np.sort(alarm_peaks(everyday))[::-1]
    names = np.array([clip.label for clip in clips] + ["noise"])[found.rows.clip]
    sources = np.array([clip.source for clip in clips] + ["noise"])[found.rows.clip]
    present = np.isin(names, label.classes) & ~np.isin(sources, label.not_from) & (found.rows.presence == 1)
    present[found.windows :] = False
    limits = [peaks[int(budget * hours(everyday))] for budget in BUDGETS]
    heard = {
        str(one): round(float(np.mean([(logits[present & (sources == one)] > limit).mean() for limit in limits])), 4)
        for one in np.unique(sources[present])
    }
    windows = round(float(np.mean(list(heard.values()))), 4)
    return asdict(judge(by_clip, clips, label)) | {"windows": windows, "windows_of": heard}
