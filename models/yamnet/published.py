"""YAMNet as published, cut in memory as `edge-audio model install` cuts it. Nothing of it is written down here."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

sys.path.append(str(Path(__file__).resolve().parents[1] / "starter"))

import appliance  # noqa: F401  makes the package importable
from clips import shared_folder

from edge.model.whole import packed_labels
from edge.workshop.models.known import KNOWN, YAMNET_SHA256
from edge.workshop.models.split import split

FILE = "yamnet_classification.tflite"
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Published:
    """The int8 backbone and its digest; YAMNet's own rows, float32 (521, 1024) and (521,), and their labels."""

    backbone: bytes
    sha256: str
    weights: Floats
    bias: Floats
    labels: tuple[str, ...]


def yamnet() -> Published:
    """The file of the shared folder, once its digest is the known one. Raises ModelError, FileNotFoundError, ValueError."""
    path = shared_folder() / "models" / FILE
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != YAMNET_SHA256:
        raise ValueError(f"{path}: not the published file that is known")
    cut = split(content, str(path))
    labels = packed_labels(content, str(path))
    return Published(cut.backbone, hashlib.sha256(cut.backbone).hexdigest(), cut.head.weights, cut.head.bias, labels)


def own_weights(published: Published) -> Floats:
    """YAMNet's own rows of the targets that it offers: float32 (rows, 1024)."""
    wanted = {label for target in KNOWN[YAMNET_SHA256].targets for label in target.labels}
    return published.weights[[number for number, label in enumerate(published.labels) if label in wanted]]
