"""The bank that travels with a model: embeddings of many sounds, which a taught one must not be taken for.

Embeddings only, made by models/bank.py of recordings whose licences allow it; bank.json beside it lists them.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.model.manifest import Manifest
from edge.model.quantisation import dequantise

Floats = NDArray[np.float32]
Names = NDArray[np.str_]


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
    path = manifest.bank.check(directory)
    columns = manifest.backbone.output.size
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            made_on = str(arrays["backbone_sha256"])
            bank = Bank(arrays["cells"], float(arrays["scale"]), int(arrays["zero_point"]),
                        _named(arrays["classes"], arrays["class_index"]),
                        _named(arrays["sources"], arrays["source_index"]), arrays["seconds"], arrays["altered"])
    except (OSError, ValueError, KeyError, IndexError, TypeError, AttributeError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(str(path), found=f"no bank ({error})", wanted="an archive made by models/bank.py") from error
    if made_on != manifest.backbone.sha256:
        raise ModelError(str(path), found=f"embeddings of backbone {made_on[:12]}",
                         wanted=f"{manifest.backbone.sha256[:12]}, as in manifest.json")
    count = len(bank.cells)
    shapes = [bank.cells.shape, bank.names.shape, bank.sources.shape, bank.seconds.shape, bank.altered.shape]
    kinds = [bank.cells.dtype, bank.seconds.dtype, bank.altered.dtype]
    if shapes != [(count, columns), *[(count,)] * 4] or kinds != [np.int8, np.float32, np.bool_] or not count:
        raise ModelError(str(path), found=f"arrays {shapes} of {[str(kind) for kind in kinds]}",
                         wanted=f"cells int8 (n, {columns}) and as many names, sources, seconds and flags")
    return bank


def _named(names: Names, index: NDArray[np.integer]) -> Names:
    """(n,) names from a list of them and numbers in it."""
    if index.dtype.kind != "u":
        raise ValueError(f"an index of {index.dtype}, wanted unsigned numbers")
    found: Names = names[index]
    return found
