"""What int8 costs in points: the same probes, and the same rows, on embeddings of the float student and of the backbone.

Everything here is measured on recordings that trained nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from bands import patches_of
from clips import measuring_clips, read_clip
from evidence import judge
from labels import LABELS
from measure import HOP_SECONDS
from probes import dcase, esc10
from tqdm import tqdm

Floats = npt.NDArray[np.float32]
Embed = Callable[[npt.NDArray[np.int8]], Floats]
MUST_HEAR = ("hand_clap", "typing")


def probe_shares(embed: Embed) -> dict[str, list[int]]:
    """Of each probe: clips named right over all its splits, and of how many."""
    return {one.name: [sum(one.right), len(one.right) * one.clips] for one in (*esc10(embed), *dcase(embed))}


def heard(embed: Embed, folder: Path) -> dict[str, dict[str, Any]]:
    """Of each label that must be heard, on eval/ and ESC-10 fold 5: area, and [heard, of] at two thresholds.

    The rows, fitted on the backbone's embeddings, and the thresholds are those in the folder of the model; ``budget`` is
    the threshold that the budget of false alarms gives on this very material.
    """
    labels = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["labels"]
    shipped = {one["label"]: one for one in json.loads((folder / "out_of_fold.json").read_text(encoding="utf-8"))}
    with np.load(folder / "head.npz") as head:
        rows, bias = head["weights"], head["bias"]
    clips = measuring_clips()
    logits = [
        embed(patches_of(read_clip(clip), HOP_SECONDS)) @ rows.T + bias for clip in tqdm(clips, desc="clips", unit="clip")
    ]
    found: dict[str, dict[str, Any]] = {}
    for label in (label for label in LABELS if label.name in MUST_HEAR):
        own = [scores[:, labels.index(label.name)] for scores in logits]
        budget, there = judge(own, clips, label), judge(own, clips, label, shipped[label.name]["threshold"])
        found[label.name] = {
            "area": round(budget.area, 4),
            "budget": [budget.heard, budget.clips],
            "shipped": [there.heard, there.clips],
        }
    return found


def points(exact: Embed, written: Embed, folder: Path) -> dict[str, Any]:
    """All of it for both: {"probes": {name: {"float": [right, of], "int8": ...}}, "labels": {name: {"float": ...}}}."""
    measured: dict[str, Callable[[Embed], dict[str, Any]]] = {
        "probes": probe_shares,
        "labels": lambda one: heard(one, folder),
    }
    found: dict[str, Any] = {}
    for part, measure in measured.items():
        before, after = measure(exact), measure(written)
        found[part] = {name: {"float": before[name], "int8": after[name]} for name in before}
    return found
