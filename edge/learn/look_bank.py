"""Looks at onsets that a taught sound must not be taken for: the bank that travels with the look network; and looks at
sounds of the network's own targets.

The bank was made by models/impulse/bank.py of recordings whose licences allow it; bank.json beside it lists them. The looks
of the targets' own were made by models/impulse/labelled.py. Both hold embeddings alone, no sound.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.learn.bank import Floats, Names, named
from edge.model.arrays import reading_arrays
from edge.model.impulse import ImpulseManifest
from edge.model.quantisation import dequantise

STAGES = 2


@dataclass(frozen=True, slots=True)
class LookBank:
    """n onsets, each with the embeddings of E values of its two looks, and what each is of."""

    cells: NDArray[np.int8]
    """int8 (n, 2, E), as the look network gives them: the first look's, the second's."""
    scale: float
    zero_point: int
    names: Names
    """(n,): the class of the recording that each was heard in, such as "neg_speech"."""
    labels: Names
    """(n,): the look network's label of that class; "" for a class that has none."""
    sources: Names
    """(n,): whose recording it is. Those of one source are not independent: leave them out together."""
    onsets: Floats
    """float32 (n,): how many recorded onsets each stands for; 0 for altered ones."""
    lone: NDArray[np.bool_]
    """(n,): of recordings that hold single sounds (a step, a cup); others go on (talk, music, rain)."""
    altered: NDArray[np.bool_]
    """(n,): heard through another room, microphone or level than recorded, with noise."""
    hours: float
    """Of the recordings that go on."""

    @property
    def embeddings(self) -> Floats:
        """float32 (n, 2, E), dequantised anew at each call: four times the memory of `cells`."""
        return dequantise(self.cells, scale=self.scale, zero_point=self.zero_point)


def load_look_bank(directory: Path, manifest: ImpulseManifest) -> LookBank:
    """The bank of the look network in `directory`. Raises ModelError where it has none, or one of another network."""
    if manifest.bank is None:
        raise ModelError(f"{directory}: bank", found="none", wanted="one (python -m models.impulse.bank makes it)")
    path, columns = manifest.bank.check(directory), manifest.network.output.size
    with reading_arrays(path, found="no bank", wanted="an archive made by models/impulse/bank.py") as arrays:
        made_on, index = str(arrays["network_sha256"]), arrays["class_index"]
        bank = LookBank(arrays["cells"], float(arrays["scale"]), int(arrays["zero_point"]),
                        named(arrays["classes"], index), named(arrays["class_labels"], index),
                        named(arrays["sources"], arrays["source_index"]), arrays["onsets"], arrays["class_lone"][index],
                        arrays["altered"], float(arrays["hours"]))
    count = len(bank.cells)
    shapes = [bank.cells.shape, *(each.shape for each in (bank.names, bank.sources, bank.onsets, bank.lone, bank.altered))]
    kinds = [bank.cells.dtype, bank.onsets.dtype, bank.lone.dtype, bank.altered.dtype]
    if shapes != [(count, STAGES, columns), *[(count,)] * 5] or kinds != [np.int8, np.float32, *[np.bool_] * 2] or not count:
        raise ModelError(str(path), found=f"arrays {shapes} of {[str(kind) for kind in kinds]}",
                         wanted=f"cells int8 (n, {STAGES}, {columns}) and as many names, sources, onsets and flags")
    if not bank.hours > 0.0:
        raise ModelError(f"{path}: hours", found=str(bank.hours), wanted="over 0")
    _check_network(path, made_on, manifest)
    return bank


def load_labelled(directory: Path, manifest: ImpulseManifest, label: str) -> Floats:
    """Both looks at sounds of a label, float32 (n, 2, E), the first look's and the second's; none of a label without any.

    Raises ModelError where the look network in `directory` has none at all, or some of another network.
    """
    if manifest.labelled is None:
        raise ModelError(f"{directory}: labelled", found="none",
                         wanted="some (python -m models.impulse.labelled makes them)")
    path, columns = manifest.labelled.check(directory), manifest.network.output.size
    with reading_arrays(path, found="no looks", wanted="an archive made by models/impulse/labelled.py") as arrays:
        made_on, cells = str(arrays["network_sha256"]), arrays["cells"]
        scale, zero_point = float(arrays["scale"]), int(arrays["zero_point"])
        labels = named(arrays["labels"], arrays["label_index"])
    if cells.shape != (len(labels), STAGES, columns) or cells.dtype != np.int8:
        raise ModelError(str(path), found=f"cells {cells.dtype} {list(cells.shape)} of {len(labels)} sounds",
                         wanted=f"cells int8 (n, {STAGES}, {columns})")
    _check_network(path, made_on, manifest)
    return dequantise(cells[labels == label], scale=scale, zero_point=zero_point)


def _check_network(path: Path, made_on: str, manifest: ImpulseManifest) -> None:
    if made_on != manifest.network.sha256:
        raise ModelError(str(path), found=f"embeddings of look network {made_on[:12]}",
                         wanted=f"{manifest.network.sha256[:12]}, as in manifest.json")
