"""Logits of training clips by rows that saw nothing of their source: `models/calibrate.py` calibrates on them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from clips import Clip

Floats = npt.NDArray[np.float32]


def write_left_out(path: Path, clips: Sequence[Clip], labels: Sequence[str], scored: Sequence[Floats]) -> None:
    """Keep the logits of each clip, float32 (patches, labels), patches every HOP_SECONDS."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        np.savez(
            file,
            paths=np.array([clip.path for clip in clips]),
            labels=np.array(labels),
            counts=np.array([len(logits) for logits in scored]),
            logits=np.concatenate(scored),
        )


def read_left_out(path: Path) -> dict[str, dict[str, Floats]]:
    """Of each label the logits of each clip by its path, float32 (patches,)."""
    with np.load(path, allow_pickle=False) as held:
        cuts = np.cumsum(held["counts"])[:-1]
        parts = dict(zip(map(str, held["paths"]), np.split(held["logits"], cuts), strict=True))
        return {
            str(label): {clip: logits[:, number] for clip, logits in parts.items()}
            for number, label in enumerate(held["labels"])
        }
