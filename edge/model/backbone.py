"""The backbone: a patch of log-mel bands in, an embedding out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.model.manifest import GraphSpec
from edge.model.quantisation import limits
from edge.model.runtime import Runtime, open_runtime
from edge.stream import BANDS, PATCH_FRAMES


class Backbone:
    """One runtime with the backbone in it, and the memory to quantise a patch in."""

    def __init__(self, runtime: Runtime, spec: GraphSpec) -> None:
        """runtime: already checked against `spec` (`open_backbone`)."""
        self.runtime = runtime
        self._input, self._output = spec.input, spec.output
        if spec.input.dtype != "float32":
            limits(spec.input.dtype)
        self._scratch = np.empty((PATCH_FRAMES, BANDS), dtype=np.float32)
        self.embedding_size = spec.output.size

    def embed(self, bands: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32 (96, 64) log-mel bands to float32 (E,) embedding.

        Quantised on the way in (round, clip, cast) where the input is, and widened on the way out. Raises ModelError for
        another shape.
        """
        if bands.shape != self._scratch.shape:
            raise ModelError("patch", found=f"shape {list(bands.shape)}", wanted=f"{list(self._scratch.shape)}")
        made = self.runtime.run(self._input.to_cells(bands, scratch=self._scratch).reshape(self._input.shape))
        return self._output.to_real(made.reshape(-1))


def open_backbone(path: Path, spec: GraphSpec, *, runtime: str = "auto", threads: int = 1,
                  delegate: str = "") -> Backbone:
    """Open a backbone and compare it with its manifest. Raises ModelError."""
    opened = open_runtime(path, runtime=runtime, threads=threads, delegate=delegate)
    check_tensors(path, opened, spec)
    return Backbone(opened, spec)


def check_tensors(path: Path, runtime: Runtime, spec: GraphSpec) -> None:
    """See that the opened file has one input and one output, as `spec` promises them. Raises ModelError."""
    for way, tensors, wanted in (("input", runtime.inputs, spec.input), ("output", runtime.outputs, spec.output)):
        if len(tensors) != 1:
            raise ModelError(f"{path}: {way}", found=f"{len(tensors)} tensors", wanted="1")
        found = tensors[0].spec
        # Scales pass through JSON as decimals: compare them as the float32 that both are.
        if (found.shape, found.dtype, np.float32(found.scale), found.zero_point) != \
                (wanted.shape, wanted.dtype, np.float32(wanted.scale), wanted.zero_point):
            raise ModelError(f"{path}: {way}", found=str(found), wanted=f"{wanted}, as in manifest.json")
