"""What int8 costs in points: the same probes, and the same rows, on embeddings of the float student and of the backbone.

Everything here is measured on recordings that trained nothing.
"""

from __future__ import annotations

from collections.abc import Callable
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


def heard(embed: Embed, labels: list[str], rows: Floats, bias: Floats) -> dict[str, dict[str, float]]:
    """Of each label that must be heard, on eval/ and ESC-10 fold 5: area and recall at its budget of false alarms.

    ``rows`` float32 (labels, e) and ``bias`` float32 (labels,) are those that ship, fitted on the backbone's embeddings.
    """
    clips = measuring_clips()
    logits = [
        embed(patches_of(read_clip(clip), HOP_SECONDS)) @ rows.T + bias for clip in tqdm(clips, desc="clips", unit="clip")
    ]
    found = {}
    for label in LABELS:
        if label.name in MUST_HEAR:
            one = judge([scores[:, labels.index(label.name)] for scores in logits], clips, label)
            found[label.name] = {"area": round(one.area, 4), "recall": round(one.recall, 4)}
    return found


def points(exact: Embed, written: Embed, labels: list[str], rows: Floats, bias: Floats) -> dict[str, Any]:
    """All of it for both: {"probes": {name: {"float": [right, of], "int8": ...}}, "labels": {name: {"float": ...}}}."""
    probes, rated = (
        [measure(embed) for embed in (exact, written)]
        for measure in (probe_shares, lambda embed: heard(embed, labels, rows, bias))
    )
    return {
        part: {name: {"float": before[name], "int8": after[name]} for name in before}
        for part, (before, after) in (("probes", probes), ("labels", rated))
    }
