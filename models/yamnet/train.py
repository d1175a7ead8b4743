"""Fit our rows for YAMNet on training recordings only; write rows.npz, rows.json and out_of_fold.json here.

In FOLDER it leaves yamnet-left_out.npz, each clip's logits by rows that saw nothing of its source: models/calibrate.py.

    python models/yamnet/train.py --work FOLDER

Needs models/starter/requirements.txt, YAMNet as published and the recordings (EDGE_AUDIO_SHARED, default ../shared). Run
models/bank.py yamnet first: rows.json names the bank that is installed with the rows. The run is seeded.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from lean import TARGETS, TRIED, leaning, ridges
from published import Published, yamnet

# isort: split
from clip_logits import write_left_out
from clips import digest, training_clips
from fit import fit_rows
from labels import Label
from left_out import left_out, verdict
from material import Material, material
from rows import RELEASE_LOGITS, answers

from edge.workshop.models.known import YAMNET_SHA256

Floats = npt.NDArray[np.float32]
HERE = Path(__file__).resolve().parent
ENOUGH = 2  # sources that a row must have been left out of
SMALLEST_SHARE = 1e-4


def main() -> None:
    """Arguments in, rows out."""
    parser = argparse.ArgumentParser(description="Fit our rows for YAMNet.")
    parser.add_argument("--work", type=Path, required=True, help="folder for windows, outside the repository")
    parser.add_argument("--out", type=Path, default=HERE, help="where the artefacts go")
    arguments = parser.parse_args()
    published, clips = yamnet(), training_clips()
    found = material(published, arguments.work)
    leant = [published.labels.index(name) for name in leaning(TRIED)]
    features = np.concatenate([found.embeddings @ published.weights[leant].T, found.embeddings], axis=1)
    logits = left_out(features, found, clips, TRIED, ridges(TRIED, published.weights.shape[1]))
    names = [label.name for label in TRIED]
    write_left_out(arguments.work / "yamnet-left_out.npz", clips, names, found.by_clip(logits))
    judged = {}
    for number, label in enumerate(TRIED):
        ours = verdict(logits[:, number], found, clips, label)
        theirs = verdict(own_logits(published, found, label.name), found, clips, label)
        judged[label.name] = {"ours": ours, "yamnet": theirs}
        print(
            f"{label.name:12s} {ours['clips']} clips of {ours['groups']} sources: windows {ours['windows']:.3f} "
            f"(YAMNet's own {theirs['windows']:.3f}), recall {ours['recall']:.2f} ({theirs['recall']:.2f}), "
            f"area {ours['area']:.3f} ({theirs['area']:.3f})"
        )
    kept = tuple(label for label in TRIED if better(judged[label.name]))
    write_rows(arguments.out, published, found, features, kept, judged)
    (arguments.out / "out_of_fold.json").write_text(json.dumps(judged, indent=1) + "\n", encoding="utf-8")


def own_logits(published: Published, found: Material, name: str) -> Floats:
    """What YAMNet's own labels of a target say, the highest of them: float32 (n,)."""
    own = [published.labels.index(label) for label in TARGETS[name].labels]
    return (found.embeddings @ published.weights[own].T + published.bias[own]).max(1)


def better(judged: dict[str, dict[str, Any]]) -> bool:
    """Ours hears more of the windows of sources left out, by more than sources differ, and of the clips hardly fewer.

    The gain of each source, windows heard by ours less those by YAMNet's own, has a mean and a standard error over sources:
    a mean within one standard error of nothing keeps what YAMNet learnt from thousands of recordings.
    """
    ours, theirs = judged["ours"], judged["yamnet"]
    if ours["groups"] < ENOUGH or ours["recall"] < theirs["recall"] - 0.05:
        return False
    gains = np.array([ours["windows_of"][source] - share for source, share in theirs["windows_of"].items()])
    return bool(len(gains) >= ENOUGH and gains.mean() > gains.std(ddof=1) / math.sqrt(len(gains)))


def write_rows(
    out: Path,
    published: Published,
    found: Material,
    features: Floats,
    kept: tuple[Label, ...],
    judged: dict[str, dict[str, Any]],
) -> None:
    """Fit the kept labels on everything; write what is ours: shares, rows, biases, thresholds."""
    columns = published.weights.shape[1]
    names = leaning(TRIED)
    costs = ridges(TRIED, columns)[[TRIED.index(label) for label in kept]]
    weights, bias = fit_rows(features, *answers(found.rows, training_clips(), kept), costs)
    weights[:, : len(names)] = np.round(weights[:, : len(names)], 4)
    # The published rows bring their biases; ours were fitted without.
    bias = bias - weights[:, : len(names)] @ published.bias[[published.labels.index(name) for name in names]]
    with (out / "rows.npz").open("wb") as file:
        np.savez(file, weights=weights[:, len(names) :].astype(np.float32), bias=bias.astype(np.float32))
    described = {
        "schema": 1,
        "made_by": "models/yamnet/train.py",
        "published_sha256": YAMNET_SHA256,
        "backbone_sha256": published.sha256,
        "rows": {**file_of(out / "rows.npz"), "rows": len(kept), "columns": columns},
        "labels": [label.name for label in kept],
        "shares": {
            label.name: {
                name: float(f"{share:.4f}")
                for name, share in zip(names, weights[number], strict=False)
                if abs(share) >= SMALLEST_SHARE
            }
            for number, label in enumerate(kept)
        },
        "experimental": [label.name for label in kept if judged[label.name]["ours"]["recall"] < 0.5],
        "targets": [target_of(label.name, judged[label.name]["ours"]["threshold"]) for label in kept],
    }
    if (out / "bank.npz").is_file():
        described["bank"] = file_of(out / "bank.npz")
    (out / "rows.json").write_text(json.dumps(described, indent=1) + "\n", encoding="utf-8")


def target_of(name: str, threshold: float) -> dict[str, Any]:
    """A target that hears our row alone, at the threshold of five false alarms an hour on sources left out."""
    enter, release = (1.0 / (1.0 + math.exp(-logit)) for logit in (threshold, threshold - RELEASE_LOGITS))
    return {
        "name": name,
        "labels": [name],
        "threshold": round(enter, 4),
        "release_threshold": round(release, 4),
        "standard": TARGETS[name].standard,
        "impulsive": TARGETS[name].impulsive,
    }


def file_of(path: Path) -> dict[str, Any]:
    """Name, digest and size, as in a manifest."""
    return {"file": path.name, "sha256": digest(path), "bytes": path.stat().st_size}


if __name__ == "__main__":
    main()
