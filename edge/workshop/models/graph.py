"""A TFLite graph to walk and to add to, over the object API of the flatbuffer schema that `split` imports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.model.manifest import TensorSpec
from edge.model.quantisation import dequantise


class Graph:
    """One subgraph with its buffers; tensors and operators by their numbers in the file."""

    def __init__(self, schema: Any, model: Any) -> None:
        """schema: the generated module; model: its ModelT. `split.read_graph` has them."""
        self.schema, self.model = schema, model
        self.operators: list[Any] = model.subgraphs[0].operators
        self.tensors: list[Any] = model.subgraphs[0].tensors
        self.inputs = tuple(int(tensor) for tensor in model.subgraphs[0].inputs)
        self.outputs = tuple(int(tensor) for tensor in model.subgraphs[0].outputs)
        self._names = {value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}
        self._dtypes = {value: name.lower() for name, value in vars(schema.TensorType).items()
                        if isinstance(value, int)}
        self._makers = {int(tensor): index for index, operator in enumerate(self.operators)
                        for tensor in operator.outputs}

        self._codes: dict[tuple[str, int], int] = {}

    def name(self, operator: int | None) -> str:
        """The operator's name in the schema, "CONV_2D"; "nothing" for None."""
        if operator is None:
            return "nothing"
        code = self.model.operatorCodes[self.operators[operator].opcodeIndex]
        # Files of before 2020 fill the old, one-byte field only.
        number = max(code.builtinCode, code.deprecatedBuiltinCode)
        return str(self._names.get(number, f"operator {number}"))

    def spec(self, tensor: int) -> TensorSpec:
        """Shape, dtype, and scale and zero point where there is one of each."""
        found = self.tensors[tensor]
        shape = tuple(int(size) for size in found.shape) if found.shape is not None else ()
        scale, zero_point = 0.0, 0
        quantization = found.quantization
        if quantization is not None and quantization.scale is not None and len(quantization.scale) == 1:
            scale, zero_point = float(quantization.scale[0]), int(quantization.zeroPoint[0])
        return TensorSpec(shape, self._dtypes.get(found.type, str(found.type)), scale, zero_point)

    def constant(self, tensor: int) -> bool:
        """Whether the tensor's values are in the file."""
        data = self.model.buffers[self.tensors[tensor].buffer].data
        return data is not None and len(data) > 0

    def real_values(self, tensor: int) -> NDArray[np.float32]:
        """A constant int8 or int32 tensor, dequantised: by its one scale, or by one for each row."""
        found, quantization = self.tensors[tensor], self.tensors[tensor].quantization
        if not self.constant(tensor) or quantization is None or quantization.scale is None:
            raise ModelError(str(found.name), found="no quantised values in the file", wanted="weights")
        spec = self.spec(tensor)
        raw = np.asarray(self.model.buffers[found.buffer].data).view(f"<{np.dtype(spec.dtype).str[1:]}")
        values = raw.reshape(spec.shape)
        if len(quantization.scale) == 1:
            return dequantise(values, scale=spec.scale, zero_point=spec.zero_point)
        scales = np.asarray(quantization.scale, dtype=np.float32)
        if quantization.quantizedDimension != 0 or len(scales) != spec.shape[0]:
            raise ModelError(str(found.name), found=f"{len(scales)} scales", wanted=f"1, or {spec.shape[0]}")
        rows = (-1,) + (1,) * (len(spec.shape) - 1)
        # Weights with a scale for each row have zero points of 0 (the quantisation specification says so).
        return dequantise(values, scale=1.0, zero_point=0) * scales.reshape(rows)

    def data_input(self, operator: int) -> int:
        """The operator's first input that is not a constant."""
        return next(int(tensor) for tensor in self.operators[operator].inputs
                    if tensor >= 0 and not self.constant(int(tensor)))

    def maker(self, tensor: int, *, skip: Sequence[str] = ()) -> int | None:
        """The operator that makes a tensor, going back over those named in `skip`; None for an input."""
        operator = self._makers.get(tensor)
        while operator is not None and self.name(operator) in skip:
            operator = self._makers.get(self.data_input(operator))
        return operator

    def back_to(self, tensor: int, *, stop_at: str) -> tuple[set[int], list[int]]:
        """All operators between the outputs of operators named `stop_at` (or inputs) and `tensor`; those borders."""
        operators: set[int] = set()
        borders: list[int] = []
        waiting = [tensor]
        while waiting:
            current = waiting.pop()
            operator = self._makers.get(current)
            if operator is None or self.name(operator) == stop_at:
                if current not in borders:
                    borders.append(current)
            elif operator not in operators:
                operators.add(operator)
                waiting += [int(source) for source in self.operators[operator].inputs
                            if source >= 0 and not self.constant(int(source))]
        return operators, borders

    def forward_over(self, tensor: int, among: set[int], *, names: Sequence[str]) -> tuple[int, set[int]]:
        """Go on from `tensor` while its only reader in `among` is named in `names` and has one output."""
        passed: set[int] = set()
        while True:
            readers = [index for index in among if tensor in self.operators[index].inputs]
            if len(readers) != 1 or self.name(readers[0]) not in names or len(self.operators[readers[0]].outputs) != 1:
                return tensor, passed
            passed.add(readers[0])
            tensor = int(self.operators[readers[0]].outputs[0])

    def add_tensor(self, name: str, spec: TensorSpec, *, buffer: int = 0) -> int:
        """A tensor's number. buffer: where its values are; 0: nowhere, an operator makes them."""
        made = self.schema.TensorT()
        made.name, made.shape, made.buffer = name, list(spec.shape), buffer
        made.type = getattr(self.schema.TensorType, spec.dtype.upper())
        if spec.scale:
            made.quantization = self.schema.QuantizationParametersT()
            made.quantization.scale, made.quantization.zeroPoint = [spec.scale], [spec.zero_point]
        self.tensors.append(made)
        return len(self.tensors) - 1

    def add_constant(self, name: str, values: NDArray[Any]) -> int:
        """A tensor with these values, float32 or int32, in the file."""
        buffer = self.schema.BufferT()
        little = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<"))
        buffer.data = np.frombuffer(little.tobytes(), np.uint8)
        buffers = self.model.buffers
        buffers.append(buffer)
        return self.add_tensor(name, TensorSpec(values.shape, values.dtype.name), buffer=len(buffers) - 1)

    def add_operator(self, name: str, inputs: Sequence[int], output: int, *, version: int = 1,
                 options: str = "", **values: Any) -> int:
        """Append an operator; its number. name, options: the schema's words ("GATHER", "GatherOptions")."""
        made = self.schema.OperatorT()
        made.opcodeIndex = self._code(name, version)
        made.inputs, made.outputs = list(inputs), [output]
        if options:
            made.builtinOptionsType = getattr(self.schema.BuiltinOptions, options)
            made.builtinOptions = getattr(self.schema, f"{options}T")()
            for key, value in values.items():
                setattr(made.builtinOptions, key, value)
        self.operators.append(made)
        return len(self.operators) - 1

    def _code(self, name: str, version: int) -> int:
        if (name, version) not in self._codes:
            code = self.schema.OperatorCodeT()
            code.builtinCode = getattr(self.schema.BuiltinOperator, name)
            # Runtimes of before 2020 read the old, one-byte field; 127 there sends newer ones to the other.
            code.deprecatedBuiltinCode = min(code.builtinCode, 127)
            code.version = version
            codes = self.model.operatorCodes
            codes.append(code)
            self._codes[name, version] = len(codes) - 1
        return self._codes[name, version]
