"""YAMNet as the teacher: what its published file makes of a patch.

The published file is cut to its int8 convolutions, so that XNNPACK runs them, and kept in memory only: nothing of it is
written down or ends in the starter. Its embedding and its class scores are training targets.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import numpy.typing as npt
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

FIRST, LAST = 16, 43  # operators: the first convolution, the mean that makes the embedding
CLASSES = 44  # the operator that holds one row of weights per class
EMBEDDING = 1024


class Teacher:
    """Patches in, embeddings out."""

    def __init__(self, published: Path) -> None:
        if not published.is_file():
            raise FileNotFoundError(f"{published}: no such file; the teacher is YAMNet as published")
        model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(published.read_bytes(), 0))
        graph = model.subgraphs[0]
        self.class_weights, self.class_bias = _class_rows(model, graph)
        graph.inputs = [graph.operators[FIRST].inputs[0]]
        graph.outputs = [graph.operators[LAST].outputs[0]]
        graph.operators = graph.operators[FIRST : LAST + 1]
        model.signatureDefs = []
        builder = flatbuffers.Builder(published.stat().st_size)
        builder.Finish(model.Pack(builder), b"TFL3")
        self._interpreter = Interpreter(model_content=bytes(builder.Output()), num_threads=1)
        self._interpreter.allocate_tensors()
        self._input: Any = self._interpreter.get_input_details()[0]
        self._output: Any = self._interpreter.get_output_details()[0]
        self.scale, self.zero_point = self._output["quantization"]

    def cells(self, patch: npt.NDArray[np.int8]) -> npt.NDArray[np.int8]:
        """The embedding as the file's int8 cells: (96, 64) to (1024,)."""
        self._interpreter.set_tensor(self._input["index"], patch.reshape(self._input["shape"]))
        self._interpreter.invoke()
        return self._interpreter.get_tensor(self._output["index"]).reshape(EMBEDDING).copy()

    def embeddings(self, patches: npt.NDArray[np.int8]) -> npt.NDArray[np.float32]:
        """Embeddings: int8 (n, 96, 64) to float32 (n, 1024)."""
        cells = np.stack([self.cells(patch) for patch in patches])
        return (cells.astype(np.float32) - self.zero_point) * np.float32(self.scale)


def _class_rows(model: Any, graph: Any) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """The 521 class rows, dequantised: weights float32 (521, 1024) and bias float32 (521,)."""
    _, weights, bias = (graph.tensors[index] for index in graph.operators[CLASSES].inputs)
    cells = np.asarray(model.buffers[weights.buffer].data, np.uint8).view(np.int8).reshape(weights.shape)
    scales = np.asarray(weights.quantization.scale, np.float32)
    offsets = np.asarray(model.buffers[bias.buffer].data, np.uint8).view(np.int32).astype(np.float32)
    rows = cells.astype(np.float32) * (scales[:, None] if len(scales) > 1 else scales[0])
    return rows, offsets * np.asarray(bias.quantization.scale, np.float32)
