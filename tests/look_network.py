"""A look network with known weights, written with the schema that LiteRT ships.

It averages the first channel over parts of a look: high and low bands of the first 12 rows from the onset on, and of the
rows from 20 to 40 on, which only a second look has. Its labels: `hand_clap` is bright, `door_knock` is dark, and
`finger_snap` is bright with a long tail.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.features.look import BEFORE, LOOK_ROWS
from edge.model.head import Head, save_head
from edge.model.impulse import ImpulseManifest
from edge.stream import BANDS
from models.impulse.manifest import HEAD, NETWORK, write_manifest

LABELS = ("hand_clap", "finger_snap", "door_knock", "other")
PARTS = ((0, 12, 32, 64), (0, 12, 0, 32), (20, 40, 32, 64))
"""Rows from the onset's on and bands, from and to, of each value of the embedding."""
STEP = 10.0 / 255.0
TARGETS = {"hand_clap": (0.6, (1.0, 0.0), (1.0, 0.5)), "finger_snap": (0.6, (1.0, 0.0), (1.0, 0.0)),
           "door_knock": (0.6, (1.0, 0.0), (1.0, 0.0))}


def write_network(folder: Path, *, clap_bias: float = -1.0) -> ImpulseManifest:
    """The three files in `folder`, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / NETWORK).write_bytes(_graph())
    # Logits of means over the floor, in nepers, each 0 to 10.
    weights = np.array([[3.0, -3.0, 0.0], [1.0, -1.0, 2.0], [-3.0, 3.0, 0.0], [0.0, 0.0, 0.0]], np.float32)
    save_head(folder / HEAD, Head(weights, np.array([clap_bias, -9.0, -1.0, 0.0], np.float32)))
    return write_manifest(folder, LABELS, TARGETS, source={"made_by": "a test"})


def _graph() -> bytes:
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model, graph = schema.ModelT(), schema.SubGraphT()
    model.version, model.description = 3, "parts of a look"
    model.buffers, model.operatorCodes = [schema.BufferT()], [schema.OperatorCodeT()]
    graph.tensors, graph.operators = [], [schema.OperatorT()]

    def tensor(name: str, shape: tuple[int, ...], kind: str, scale: float, zero: int,
               data: NDArray[np.generic] | None = None) -> int:
        made = schema.TensorT()
        made.name, made.shape, made.type, made.buffer = name, list(shape), vars(schema.TensorType)[kind], 0
        made.quantization = schema.QuantizationParametersT()
        made.quantization.scale, made.quantization.zeroPoint = [scale], [zero]
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(data.tobytes(), np.uint8)
            model.buffers.append(buffer)
            made.buffer = len(model.buffers) - 1
        graph.tensors.append(made)
        return len(graph.tensors) - 1

    cells = np.zeros((len(PARTS), LOOK_ROWS, BANDS, 2), np.int8)
    for number, (first, last, low, high) in enumerate(PARTS):
        cells[number, BEFORE + first: BEFORE + last, low:high, 0] = 127
    weights = cells.reshape(len(PARTS), -1)
    scale = 1.0 / (127.0 * 12 * 32)
    given = tensor("look", (1, LOOK_ROWS, BANDS, 2), "INT8", STEP, -103)
    # The mean of a part of 640 cells comes out 5 / 3 too high; an unheard cell counts as the lowest.
    result = tensor("embedding", (1, len(PARTS)), "INT8", 2 * STEP, -128)
    wires = [given, tensor("weights", weights.shape, "INT8", scale, 0, weights),
             tensor("bias", (len(PARTS),), "INT32", STEP * scale, 0,
                    np.zeros(len(PARTS), np.int32))]
    code, operator = model.operatorCodes[0], graph.operators[0]
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.FULLY_CONNECTED
    code.version = 4  # int8
    operator.opcodeIndex, operator.inputs, operator.outputs = 0, wires, [result]
    operator.builtinOptions = schema.FullyConnectedOptionsT()
    operator.builtinOptionsType = schema.BuiltinOptions.FullyConnectedOptions
    graph.inputs, graph.outputs = [given], [result]
    model.subgraphs = [graph]
    builder = flatbuffers.Builder(4096)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
