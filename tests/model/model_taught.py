"""Models with one more row, fitted by hand on the demo's sounds, and their exports.

    python tests/model/model_taught.py FOLDER [MODEL_DIRECTORY]

Writes FOLDER/NAME.tflite, the export, and FOLDER/NAME.npz, the head that it was made with, of the starter and of
MODEL_DIRECTORY. Needs LiteRT.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from edge.model.classifier import Split, open_model
from edge.model.head import Head, load_head, save_head
from edge.workshop.classify import classify
from edge.workshop.models.export import export

ROOT = Path(__file__).resolve().parents[2]
STARTER = ROOT / "models" / "starter"
TAUGHT = "the demo's voice"
"""The label of the further row."""


def scene(name: str) -> Path:
    """One of the demo's recordings."""
    return ROOT / "models" / "demo" / f"{name}.wav"


def teach(model: Split) -> Split:
    """The model with one more row: ridge regression of the demo's voice against its other sounds."""
    rows, wanted = [], []
    for name in ("voice", "typing", "claps", "siren"):
        heard = classify(model, scene(name), hop_seconds=0.48).embeddings
        assert heard is not None
        rows.append(heard.astype(np.float64))
        wanted.append(np.full(len(heard), 6.0 if name == "voice" else -6.0))
    embeddings, truth = np.concatenate(rows), np.concatenate(wanted)
    mean = embeddings.mean(axis=0)
    centred = embeddings - mean
    inner = centred @ centred.T + 0.1 * len(truth) * np.eye(len(truth))
    weights = centred.T @ np.linalg.solve(inner, truth - truth.mean())
    bias = truth.mean() - mean @ weights
    return _with_head(model, Head(np.vstack([model.head.weights, weights.astype(np.float32)]),
                                  np.append(model.head.bias, np.float32(bias))))


def open_taught(directory: Path, head: Path, *, runtime: str) -> Split:
    """The model in `directory` with a head that this script wrote."""
    model = _split(directory, runtime)
    rows, columns = model.head.weights.shape
    return _with_head(model, load_head(head, rows=rows + 1, columns=columns))


def _with_head(model: Split, head: Head) -> Split:
    model.head, model.labels = head, (*model.labels, TAUGHT)
    return model


def _split(directory: Path, runtime: str) -> Split:
    model = open_model(directory, runtime=runtime)
    assert isinstance(model, Split)
    return model


def main(folder: Path, *directories: Path) -> None:
    for directory in (STARTER, *directories):
        model = teach(_split(directory, "litert"))
        name = model.manifest.name
        export(model, directory, folder / f"{name}.tflite", runtime="litert")
        save_head(folder / f"{name}.npz", model.head)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
