"""The written backbone, run as the appliance runs it: int8 patches in, embeddings out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter

Floats = npt.NDArray[np.float32]
Cells = npt.NDArray[np.int8]


class Backbone:
    """One interpreter, one thread."""

    def __init__(self, model: Path | bytes) -> None:
        """A TFLite file, or what would be in it."""
        given = {"model_content": model} if isinstance(model, bytes) else {"model_path": str(model)}
        self._interpreter = Interpreter(**given, num_threads=1)
        self._interpreter.allocate_tensors()
        self.input: Any = self._interpreter.get_input_details()[0]
        self.output: Any = self._interpreter.get_output_details()[0]
        self.scale, self.zero_point = self.output["quantization"]

    def cells(self, patches: Cells) -> Cells:
        """Embeddings as the file gives them: int8 (n, 96, 64) to int8 (n, e)."""
        found = np.empty((len(patches), self.output["shape"][-1]), np.int8)
        for number, patch in enumerate(patches):
            self._interpreter.set_tensor(self.input["index"], patch.reshape(self.input["shape"]))
            self._interpreter.invoke()
            found[number] = self._interpreter.get_tensor(self.output["index"]).reshape(-1)
        return found

    def embeddings(self, patches: Cells) -> Floats:
        """int8 (n, 96, 64) to float32 (n, e)."""
        return (self.cells(patches).astype(np.float32) - self.zero_point) * np.float32(self.scale)
