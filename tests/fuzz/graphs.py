"""TFLite files changed by their tables, so that LiteRT's verifier lets many of them pass and its operators meet the rest."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

SIZES = (0, -1, 1, 2, 3, 7, 64, 1_599, 1_601, 2**20, 2**28, 2**31 - 1)


def changed(content: bytes, chance: random.Random) -> bytes:
    """A file with one to three entries of its tables changed; raises whatever a file that is none makes the schema raise."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(content, 0)
    for _ in range(chance.randint(1, 3)):
        _change(model, model.subgraphs[0], chance)
    builder = flatbuffers.Builder(len(content) + 4_096)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _change(model: Any, graph: Any, chance: random.Random) -> None:
    tensor, operator = chance.choice(graph.tensors), chance.choice(graph.operators)
    number, kind = len(graph.tensors), chance.randrange(12)
    if kind == 0:
        shape = [int(size) for size in tensor.shape] or [1]
        shape[chance.randrange(len(shape))] = chance.choice(SIZES)
        tensor.shape = shape
    elif kind == 1:
        tensor.shape = [int(size) for size in tensor.shape] + [chance.choice(SIZES)] if chance.random() < 0.5 else []
    elif kind == 2:
        tensor.type = chance.randrange(18)
    elif kind == 3:
        tensor.buffer = chance.randrange(len(model.buffers) + 1)
    elif kind == 4 and tensor.quantization is not None:
        odd = chance.choice((0.0, 1.0, -1.0, 1e-38, 1e38, float("nan"), float("inf")))
        tensor.quantization.scale = [odd] * chance.randint(1, 3)
        tensor.quantization.zeroPoint = [chance.choice((0, -129, 128, 2**31, -(2**63)))] * chance.randint(1, 3)
    elif kind in (5, 6):
        for name in (("inputs", "outputs") if kind == 5 else (chance.choice(("inputs", "outputs")),)):
            wires = [int(wire) for wire in getattr(operator, name)] or [0]
            wires[chance.randrange(len(wires))] = chance.randrange(-1, number + 1)
            setattr(operator, name, wires)
    elif kind == 7:
        code = chance.choice(model.operatorCodes)
        code.builtinCode = chance.randrange(210)
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)
        code.version = chance.randrange(8)
    elif kind == 8:
        graph.inputs, graph.outputs = ([chance.randrange(number) for _ in range(chance.randrange(3))] for _ in range(2))
    elif kind == 9:
        buffer = chance.choice(model.buffers)
        data = np.asarray(buffer.data if buffer.data is not None else [], np.uint8)
        buffer.data = data[:chance.randrange(len(data) + 1)] if chance.random() < 0.7 else np.tile(data, 2)
    elif kind == 10:
        graph.operators.insert(chance.randrange(len(graph.operators) + 1), operator)
    elif operator.builtinOptions is not None:
        for name, value in vars(operator.builtinOptions).items():
            if isinstance(value, int) and chance.random() < 0.5:
                setattr(operator.builtinOptions, name, chance.choice((0, 1, 2, 5, 127)))
