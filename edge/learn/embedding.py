"""Samples to embeddings by a model's own backbone, outside the listener. Embeddings are kept as int8 cells."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.features.logmel import LogMel
from edge.model.classifier import Model, Split
from edge.model.quantisation import dequantise, quantise
from edge.stream import FRAME_SAMPLES, FRAME_STEP, PATCH_SAMPLES

Cells = NDArray[np.int8]
Floats = NDArray[np.float32]


class Embedder:
    """Stretches of samples in, cells out: what the backbone would have given of the patch that holds just them."""

    def __init__(self, model: Model) -> None:
        """Raises ModelError for a whole model, and for a backbone whose embedding is not int8."""
        if not isinstance(model, Split) or model.manifest.backbone is None:
            raise ModelError(f"model {model.manifest.name}", found="a whole one, which has no embedding",
                             wanted="a split one, as the starter and YAMNet are")
        self.spec = model.manifest.backbone.output
        if self.spec.dtype != "int8":
            raise ModelError(f"model {model.manifest.name}: backbone.output", found=str(self.spec), wanted="int8")
        self._backbone = model.backbone
        self._log_mel = LogMel()

    def cells(self, stretches: list[NDArray[np.int16]]) -> Cells:
        """int8 `(m, E)` of m stretches of int16 `(15600,)`."""
        out = np.empty((len(stretches), self.spec.size), np.int8)
        for number, stretch in enumerate(stretches):
            if stretch.shape != (PATCH_SAMPLES,):
                raise ValueError(f"stretch of {stretch.shape}: wanted ({PATCH_SAMPLES},)")
            rows = self._log_mel.rows(sliding_window_view(stretch, FRAME_SAMPLES)[::FRAME_STEP])
            # Exact: the runtime made the embedding of such cells.
            out[number] = self.pack(self._backbone.embed(rows))
        return out

    def pack(self, embeddings: Floats) -> Cells:
        """float32 `(..., E)` embeddings of this backbone as the int8 cells that they came from."""
        cells = quantise(embeddings, scale=self.spec.scale, zero_point=self.spec.zero_point, dtype="int8")
        return np.asarray(cells, np.int8)

    def embeddings(self, cells: Cells) -> Floats:
        """float32 `(..., E)` of int8 cells."""
        return dequantise(cells, scale=self.spec.scale, zero_point=self.spec.zero_point)
