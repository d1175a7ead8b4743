"""Embeddings of what a taught sound must not be taken for: the bank that travels with a model, and the
owner's room.

The bank was made by models/bank.py of recordings whose licences allow it; bank.json beside it lists them. The
room is what `calibrate` heard: one bounded file a model in the state directory. Neither holds any sound.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.model.arrays import reading_arrays
from edge.model.manifest import Manifest
from edge.model.placing import keeping
from edge.model.quantisation import dequantise, quantise

Floats = NDArray[np.float32]
Names = NDArray[np.str_]

MOST_EMBEDDINGS = 4_000
"""So many are kept of a room: the starter's take 1 MB, YAMNet's 4 MB."""


@dataclass(frozen=True, slots=True)
class Bank:
    """n embeddings of E values, and what each is of."""

    cells: NDArray[np.int8]
    """int8 (n, E), as the backbone gives them."""
    scale: float
    zero_point: int
    names: Names
    """(n,): the class of the recording that each was heard in, such as "neg_speech"; "noise" for made noise."""
    sources: Names
    """(n,): whose recording it is. Those of one source are not independent: leave them out together."""
    seconds: Floats
    """float32 (n,): how much of the recorded sound each stands for; 0 for altered ones. Their sum is `hours` * 3600."""
    altered: NDArray[np.bool_]
    """(n,): heard through another room, microphone, speed or level than recorded, or with noise."""

    @property
    def embeddings(self) -> Floats:
        """float32 (n, E), dequantised anew at each call: four times the memory of `cells`."""
        return dequantise(self.cells, scale=self.scale, zero_point=self.zero_point)

    @property
    def hours(self) -> float:
        """How much recorded sound the bank stands for."""
        return float(self.seconds.sum(dtype=np.float64)) / 3600.0


def load_bank(directory: Path, manifest: Manifest) -> Bank:
    """The bank of the model in `directory`. Raises ModelError where it has none, or one of another backbone."""
    if manifest.bank is None or manifest.backbone is None:
        raise ModelError(f"model {manifest.name}: bank", found="none",
                         wanted="one, as the starter and a newly installed YAMNet have")

    def bank_of(arrays: Any) -> Bank:
        return Bank(arrays["cells"], float(arrays["scale"]), int(arrays["zero_point"]),
                    named(arrays["classes"], arrays["class_index"]), named(arrays["sources"], arrays["source_index"]),
                    arrays["seconds"], arrays["altered"])

    path = manifest.bank.check(directory)
    made_on, bank = _read(path, bank_of, "bank", "an archive made by models/bank.py", manifest.backbone.output.size)
    if made_on != manifest.backbone.sha256:
        raise ModelError(str(path), found=f"embeddings of backbone {made_on[:12]}",
                         wanted=f"{manifest.backbone.sha256[:12]}, as in manifest.json")
    return bank


def room_path(state_dir: Path, model: str) -> Path:
    """Where the room of a model lies."""
    return state_dir / "room" / f"{model}.npz"


def can_keep(manifest: Manifest) -> bool:
    """True for a model whose embeddings are int8 cells, as a room is kept in."""
    return manifest.backbone is not None and manifest.backbone.output.dtype == "int8"


def save_room(state_dir: Path, manifest: Manifest, embeddings: Floats, seconds: float) -> None:
    """Keep the embeddings, float32 `(n, E)`, of so many seconds of the room, in place of what was kept
    before.

    The model is one of which `can_keep` is true. Raises ModelError where the disk fails.
    """
    assert manifest.backbone is not None  # as can_keep says
    path, spec = room_path(state_dir, manifest.name), manifest.backbone.output
    cells = quantise(embeddings, scale=spec.scale, zero_point=spec.zero_point, dtype=spec.dtype)
    each = np.full(len(cells), seconds / max(len(cells), 1), np.float32)
    with keeping(path) as new, new.open("wb") as file:
        np.savez(file, cells=cells, scale=np.float32(spec.scale), zero_point=np.int32(spec.zero_point), seconds=each,
                 backbone_sha256=np.array(manifest.backbone.sha256))


def load_room(state_dir: Path, manifest: Manifest) -> Bank | None:
    """What the room gave to this model's backbone; None where it was never heard, or by another backbone.

    Each minute of the room is a source: a fold that leaves a part of the room out leaves its neighbours out.
    Raises ModelError for a file that is none.
    """
    path = room_path(state_dir, manifest.name)
    if manifest.backbone is None or not path.exists():
        return None

    def room_of(arrays: Any) -> Bank:
        cells, seconds = arrays["cells"], arrays["seconds"]
        if not ((seconds >= 0.0) & (seconds < 86_400.0)).all():  # of what no day holds there is no minute
            raise ValueError("seconds that are none")
        minutes = np.floor(np.cumsum(seconds) / 60.0).astype(int)
        return Bank(cells, float(arrays["scale"]), int(arrays["zero_point"]), np.full(len(cells), "the room"),
                    np.array([f"room {minute}" for minute in minutes]), seconds, np.zeros(len(cells), np.bool_))

    wanted = "the room's embeddings (edge-audio calibrate --minutes 10 makes them anew)"
    made_on, room = _read(path, room_of, "room", wanted, manifest.backbone.output.size)
    return room if made_on == manifest.backbone.sha256 else None


def _read(path: Path, bank_of: Callable[[Any], Bank], kind: str, wanted: str, columns: int) -> tuple[str, Bank]:
    """The backbone that an archive was made on, and what `bank_of` makes of its arrays. Raises ModelError."""
    with reading_arrays(path, found=f"no {kind}", wanted=wanted) as arrays:
        made_on, bank = str(arrays["backbone_sha256"]), bank_of(arrays)
    if not 0.0 < bank.scale < np.inf:
        raise ModelError(str(path), found=f"a scale of {bank.scale}", wanted=wanted)
    count = len(bank.cells)
    shapes = [bank.cells.shape, bank.names.shape, bank.sources.shape, bank.seconds.shape, bank.altered.shape]
    kinds = [bank.cells.dtype, bank.seconds.dtype, bank.altered.dtype]
    empty = not count and kind == "bank"  # a room may be empty: its gate never opened
    if shapes != [(count, columns), *[(count,)] * 4] or kinds != [np.int8, np.float32, np.bool_] or empty:
        raise ModelError(str(path), found=f"arrays {shapes} of {[str(kind) for kind in kinds]}",
                         wanted=f"cells int8 (n, {columns}) and as many names, sources, seconds and flags")
    return made_on, bank


def named(names: Names, index: NDArray[np.integer]) -> Names:
    """(n,) names from a list of them and numbers in it. Raises ValueError for numbers of another kind."""
    if index.dtype.kind != "u":
        raise ValueError(f"an index of {index.dtype}, wanted unsigned numbers")
    found: Names = names[index]
    return found
