"""What the room gave, kept for teaching: embeddings of what was heard there, never sound. One bounded file a model."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.model.manifest import Manifest
from edge.model.placing import disk_error, writing
from edge.model.quantisation import QUANTISED, dequantise, quantise

MOST_EMBEDDINGS = 4_000
"""That are kept of a room: the starter's take 1 MB, YAMNet's 4 MB."""


@dataclass(frozen=True, slots=True)
class Room:
    """cells: int8 `(n, E)`, as the backbone gives them; seconds: float32 `(n,)` of the room's sound that each stands for."""

    cells: NDArray[np.int8]
    scale: float
    zero_point: int
    seconds: NDArray[np.float32]

    @property
    def embeddings(self) -> NDArray[np.float32]:
        """float32 `(n, E)`, dequantised anew at each call."""
        return dequantise(self.cells, scale=self.scale, zero_point=self.zero_point)


def room_path(state_dir: Path, model: str) -> Path:
    """Where the room of a model lies."""
    return state_dir / "room" / f"{model}.npz"


def can_keep(manifest: Manifest) -> bool:
    """True for a model whose embeddings are int8 cells, as a room is kept in."""
    return manifest.backbone is not None and manifest.backbone.output.dtype == "int8"


def save_room(state_dir: Path, manifest: Manifest, embeddings: NDArray[np.float32], seconds: float) -> Path:
    """Keep the embeddings, float32 `(n, E)`, of so many seconds of the room, in place of what was kept before.

    Raises ModelError where the model has none that can be kept, and where the disk fails.
    """
    spec = manifest.backbone
    if spec is None or spec.output.dtype not in QUANTISED:
        raise ModelError(f"model {manifest.name}", found="no int8 embeddings", wanted="a split model")
    path = room_path(state_dir, manifest.name)
    cells = quantise(embeddings, scale=spec.output.scale, zero_point=spec.output.zero_point, dtype=spec.output.dtype)
    each = np.full(len(cells), seconds / max(len(cells), 1), np.float32)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with writing(path) as new, new.open("wb") as file:
            np.savez(file, cells=cells, scale=np.float32(spec.output.scale), zero_point=np.int32(spec.output.zero_point),
                     seconds=each, backbone_sha256=np.array(spec.sha256))
    except OSError as error:
        raise disk_error(path, error, "a state directory that can be written (--state-dir)") from error
    return path


def load_room(state_dir: Path, manifest: Manifest) -> Room | None:
    """What the room gave to this model's backbone; None where it was never heard, or by another backbone.

    Raises ModelError for a file that is none.
    """
    path = room_path(state_dir, manifest.name)
    if manifest.backbone is None or not path.exists():
        return None
    wanted = "the room's embeddings (edge-audio calibrate --minutes 10 makes them anew)"
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            if str(arrays["backbone_sha256"]) != manifest.backbone.sha256:
                return None
            room = Room(arrays["cells"], float(arrays["scale"]), int(arrays["zero_point"]), arrays["seconds"])
    except (OSError, KeyError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(str(path), found=f"no room ({error})", wanted=wanted) from error
    if room.cells.dtype != np.int8 or room.cells.shape != (len(room.seconds), manifest.backbone.output.size):
        raise ModelError(str(path), found=f"cells {room.cells.dtype} {list(room.cells.shape)}", wanted=wanted)
    return room
