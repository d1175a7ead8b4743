"""What int8 costs: the float student against the written backbone, on the same patches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from backbone import Backbone
from bands import dequantised
from student import Student, multiplies


def agreement(student: Student, folder: Path, patches: npt.NDArray[np.int8]) -> dict[str, float]:
    """Compare embeddings and, through head.npz, scores; patches int8 (n, 96, 64)."""
    with torch.no_grad():
        exact = np.concatenate(
            [student(torch.from_numpy(dequantised(part))[:, None]).numpy() for part in np.array_split(patches, 8)]
        )
    written = Backbone(folder / "backbone.tflite").embeddings(patches)
    with np.load(folder / "head.npz") as head:
        scores = [1.0 / (1.0 + np.exp(-(found @ head["weights"].T + head["bias"]))) for found in (exact, written)]
    difference = np.abs(scores[0] - scores[1])
    return {
        "multiplies": multiplies(),
        "compared": len(patches),
        "correlation": round(float(np.corrcoef(exact.ravel(), written.ravel())[0, 1]), 5),
        "explained": round(float(1.0 - np.mean((exact - written) ** 2) / exact.var()), 5),
        "score_difference_mean": round(float(difference.mean()), 5),
        "score_difference_most": round(float(difference.max()), 4),
    }
