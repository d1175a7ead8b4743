"""What int8 costs: the float student against the written backbone, on the same patches."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from backbone import Backbone
from bands import dequantised
from points import points
from student import Student, multiplies


def agreement(student: Student, folder: Path, patches: npt.NDArray[np.int8]) -> dict[str, Any]:
    """Compare embeddings and, through head.npz, scores, on patches int8 (n, 96, 64); and all that points.py measures."""
    backbone = Backbone(folder / "backbone.tflite")
    exact, written = embeddings(student, patches), backbone.embeddings(patches)
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
        "points": points(partial(embeddings, student), backbone.embeddings, folder),
    }


def embeddings(student: Student, patches: npt.NDArray[np.int8]) -> npt.NDArray[np.float32]:
    """Embeddings of the float student: int8 (n, 96, 64) to float32 (n, e)."""
    with torch.no_grad():
        parts = np.array_split(patches, max(1, len(patches) // 125))
        return np.concatenate([student(torch.from_numpy(dequantised(part))[:, None]).numpy() for part in parts])
