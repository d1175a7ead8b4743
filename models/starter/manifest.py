"""The manifest that travels with the model: tensors, digests, labels and the standard targets."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from backbone import Backbone
from clips import digest
from labels import EXPERIMENTAL, IMPULSIVE, STANDARD_TARGETS

DESCRIPTION = "Hand claps, typing and household sounds: int8 convolutions distilled from YAMNet, rows of our own."


def write_manifest(folder: Path, backbone: Backbone, thresholds: dict[str, tuple[float, float]]) -> None:
    """Write manifest.json; thresholds are logits (enter, release) in the order of the head's rows."""
    with np.load(folder / "head.npz") as head:
        rows, columns = head["weights"].shape
    if rows != len(thresholds):
        raise ValueError(f"head.npz: {rows} rows, wanted {len(thresholds)}")
    manifest = {
        "schema": 1,
        "name": "starter",
        "version": "1",
        "kind": "split",
        "licence": "Apache-2.0",
        "description": DESCRIPTION,
        "front_end": {"name": "logmel", "version": 1},
        "sample_rate": 16000,
        "patch_samples": 15600,
        "backbone": {
            **_file(folder / "backbone.tflite"),
            "input": _tensor(backbone.input),
            "output": _tensor(backbone.output),
        },
        "head": {**_file(folder / "head.npz"), "rows": rows, "columns": columns},
        "labels": list(thresholds),
        "experimental": [name for name in EXPERIMENTAL if name in thresholds],
        "targets": [
            {
                "name": name,
                "labels": [name],
                "threshold": round(_score(enter), 4),
                "release_threshold": round(_score(release), 4),
                "standard": name in STANDARD_TARGETS,
                "impulsive": name in IMPULSIVE,
            }
            for name, (enter, release) in thresholds.items()
        ],
        "source": {
            "made_by": "models/starter/train.py",
            "data": "recordings with a stated permissive licence, listed in sources.csv and MODEL_CARD.md",
        },
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def _score(logit: float) -> float:
    return 1.0 / (1.0 + math.exp(-logit))


def _file(path: Path) -> dict[str, Any]:
    return {"file": path.name, "sha256": digest(path), "bytes": path.stat().st_size}


def _tensor(details: Any) -> dict[str, Any]:
    """Shape, dtype and quantisation as the runtime tells them."""
    scale, zero_point = details["quantization"]
    return {
        "shape": [int(size) for size in details["shape"]],
        "dtype": np.dtype(details["dtype"]).name,
        "scale": float(scale),
        "zero_point": int(zero_point),
    }
