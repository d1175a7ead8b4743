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

    def __init__(self, path: Path) -> None:
        self._interpreter = Interpreter(str(path), num_threads=1)
        self._interpreter.allocate_tensors()
        self.input: Any = self._interpreter.get_input_details()[0]
        self.output: Any = self._interpreter.get_output_details()[0]

    def embeddings(self, patches: Cells) -> Floats:
        """int8 (n, 96, 64) to float32 (n, 632)."""
        scale, zero_point = self.output["quantization"]
        found = np.empty((len(patches), self.output["shape"][-1]), np.float32)
        for number, patch in enumerate(patches):
            self._interpreter.set_tensor(self.input["index"], patch[None])
            self._interpreter.invoke()
            cells = self._interpreter.get_tensor(self.output["index"])[0]
            found[number] = (cells.astype(np.float32) - zero_point) * np.float32(scale)
        return found
