"""New tensors and operators for a graph that was read from a file: what is put before and behind a backbone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.model.manifest import TensorSpec
from edge.workshop.models.graph import Graph


class Extension:
    """Adds to a graph of `split.read_graph`; what was there keeps its numbers."""

    def __init__(self, graph: Graph) -> None:
        self._graph, self._schema = graph, graph.schema
        self._codes: dict[tuple[str, int], int] = {}

    def tensor(self, name: str, spec: TensorSpec, *, buffer: int = 0) -> int:
        """A tensor's number. buffer: where its values are; 0: nowhere, an operator makes them."""
        made = self._schema.TensorT()
        made.name, made.shape, made.buffer = name, list(spec.shape), buffer
        made.type = getattr(self._schema.TensorType, spec.dtype.upper())
        if spec.scale:
            made.quantization = self._schema.QuantizationParametersT()
            made.quantization.scale, made.quantization.zeroPoint = [spec.scale], [spec.zero_point]
        self._graph.tensors.append(made)
        return len(self._graph.tensors) - 1

    def constant(self, name: str, values: NDArray[Any]) -> int:
        """A tensor with these values, float32 or int32, in the file."""
        buffer = self._schema.BufferT()
        little = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
        buffer.data = np.frombuffer(little.tobytes(), np.uint8)
        buffers = self._graph.model.buffers
        buffers.append(buffer)
        return self.tensor(name, TensorSpec(values.shape, values.dtype.name), buffer=len(buffers) - 1)

    def operator(self, name: str, inputs: Sequence[int], output: int, *, version: int = 1,
                 options: str = "", **values: Any) -> int:
        """Append an operator; its number. name, options: as the schema calls them ("GATHER", "GatherOptions")."""
        made = self._schema.OperatorT()
        made.opcodeIndex = self._code(name, version)
        made.inputs, made.outputs = list(inputs), [output]
        if options:
            made.builtinOptionsType = getattr(self._schema.BuiltinOptions, options)
            made.builtinOptions = getattr(self._schema, f"{options}T")()
            for key, value in values.items():
                setattr(made.builtinOptions, key, value)
        self._graph.operators.append(made)
        return len(self._graph.operators) - 1

    def _code(self, name: str, version: int) -> int:
        if (name, version) not in self._codes:
            code = self._schema.OperatorCodeT()
            code.builtinCode = getattr(self._schema.BuiltinOperator, name)
            # Runtimes of before 2020 read the old, one-byte field; 127 there sends newer ones to the other.
            code.deprecatedBuiltinCode = min(code.builtinCode, 127)
            code.version = version
            codes = self._graph.model.operatorCodes
            codes.append(code)
            self._codes[name, version] = len(codes) - 1
        return self._codes[name, version]
