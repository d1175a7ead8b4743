"""The graph surgery: YAMNet as published, or a file of its layout, cut into an int8 backbone and a float head.

The backbone keeps the operators from the QUANTIZE's output to the embedding; the head is the FULLY_CONNECTED's
weights and bias, dequantised: finer than the file's own int8 logits. This file alone imports the flatbuffer schema,
which ships inside LiteRT.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.model.head import Head
from edge.model.manifest import TensorSpec
from edge.workshop.models.graph import Graph
from edge.workshop.models.layout import OtherLayout, find_layout
from edge.workshop.models.metadata import METADATA_NAME

_ALIGNMENT = 16
"""Bytes that the schema asks of a buffer's start; the object API forgets it, and int32 biases are read in place."""


class SchemaMissing(ModelError):
    """This machine cannot take a TFLite file apart: LiteRT, which brings the schema, is not installed."""


@dataclass(frozen=True, slots=True)
class Cut:
    """What a published file came apart into."""

    backbone: bytes
    """A TFLite file: `input` (the quantised bands) to `output` (the embedding)."""
    input: TensorSpec
    output: TensorSpec
    head: Head
    logits: TensorSpec
    """The file's own logits, which the head makes finer."""


def split(model: bytes, thing: str) -> Cut:
    """Cut a file of YAMNet's layout. `thing` names it in errors.

    Raises OtherLayout for a model that is laid out otherwise, SchemaMissing where LiteRT is not installed, ModelError
    for a file that is no model.
    """
    graph = read_graph(model, thing)
    layout = find_layout(graph, thing)
    start, embedding = graph.spec(layout.start), graph.spec(layout.embedding)
    head = Head(graph.real_values(layout.weights), graph.real_values(layout.bias))
    logits = graph.spec(layout.logits)
    backbone = pack_graph(graph, operators=layout.operators, inputs=(layout.start,), outputs=(layout.embedding,),
                          description="backbone, cut out by edge-audio")
    return Cut(backbone, start, embedding, head, logits)


def expose(model: bytes, thing: str) -> bytes:
    """The same model with four outputs instead of one: scores, int8 bands, int8 embedding, int8 logits, in this order.

    For comparing the published file with what was cut out of it. Raises ModelError, as `split` does.
    """
    graph = read_graph(model, thing)
    layout = find_layout(graph, thing)
    return pack_graph(graph, operators=tuple(range(len(graph.operators))), inputs=graph.inputs,
                      outputs=(*graph.outputs, layout.bands, layout.embedding, layout.logits),
                      description="published file with its inner tensors as outputs")


def logit_steps_off(cut: Cut, embedding: NDArray[np.float32], logits: NDArray[Any]) -> NDArray[np.int32]:
    """Our logits of this embedding, requantised as the file's, minus the file's own: int32 (L,), 0 where they agree."""
    ours = np.rint(cut.head.logits(embedding) / np.float32(cut.logits.scale)) + cut.logits.zero_point
    difference: NDArray[np.int32] = np.clip(ours, -128, 127).astype(np.int32) - logits.reshape(-1).astype(np.int32)
    return difference


def read_graph(model: bytes, thing: str) -> Graph:
    """Take a TFLite file apart. Raises ModelError for what is none, SchemaMissing without LiteRT.

    Open the file in a runtime first: that verifies it; this does not.
    """
    schema, parsed = _parse(model, thing)
    if not parsed.subgraphs or len(parsed.subgraphs) != 1:
        raise OtherLayout(f"{thing}: layout", found=f"{len(parsed.subgraphs or ())} subgraphs", wanted="1")
    return Graph(schema, parsed)


def pack_graph(graph: Graph, *, operators: Sequence[int], inputs: Sequence[int], outputs: Sequence[int],
               description: str, metadata: bytes = b"") -> bytes:
    """A TFLite file of these operators only, with the tensors, buffers and operator codes that they use.

    metadata: what the file says of itself (`metadata.metadata`); empty: nothing. The same graph gives the same bytes.
    `graph` is left as it was.
    """
    schema, old = graph.schema, graph.model
    chosen = [graph.operators[index] for index in operators]
    used = {int(tensor) for operator in chosen for tensor in (*operator.inputs, *operator.outputs) if tensor >= 0}
    tensors = _numbering(used | set(inputs) | set(outputs))
    buffers = _numbering({0} | {graph.tensors[tensor].buffer for tensor in tensors})
    codes = _numbering({operator.opcodeIndex for operator in chosen})

    new = schema.ModelT()
    new.version, new.description = old.version, description
    new.operatorCodes = [old.operatorCodes[code] for code in codes]
    new.buffers = [old.buffers[buffer] for buffer in buffers]
    subgraph = schema.SubGraphT()
    subgraph.name = old.subgraphs[0].name
    subgraph.inputs = [tensors[tensor] for tensor in inputs]
    subgraph.outputs = [tensors[tensor] for tensor in outputs]
    subgraph.tensors = [_changed(schema.TensorT(), graph.tensors[tensor], buffer=buffers[graph.tensors[tensor].buffer])
                        for tensor in tensors]
    subgraph.operators = [_changed(schema.OperatorT(), operator, opcodeIndex=codes[operator.opcodeIndex],
                                   inputs=[tensors.get(int(tensor), -1) for tensor in operator.inputs],
                                   outputs=[tensors[int(tensor)] for tensor in operator.outputs])
                          for operator in chosen]
    new.subgraphs = [subgraph]
    if metadata:
        _describe(schema, new, metadata)
    return _pack(new)


def describe_again(model: bytes, metadata: bytes, thing: str) -> bytes:
    """The same model, saying this of itself instead of what it said. Raises ModelError, as `read_graph` does."""
    schema, parsed = _parse(model, thing)
    if any(getattr(buffer, "offset", 0) > 1 for buffer in parsed.buffers or ()):
        raise ModelError(thing, found="weights kept outside its table of buffers", wanted="a file under 2 GB")
    _describe(schema, parsed, metadata)
    return _pack(parsed)


def _parse(model: bytes, thing: str) -> tuple[Any, Any]:
    """The schema's module, and the file as its ModelT."""
    try:
        from ai_edge_litert import schema_py_generated as schema
    except ImportError as error:
        raise SchemaMissing(thing, found="a file to be taken apart, and no LiteRT on this machine",
                            wanted="an archive that another machine made (edge-audio model pack)") from error
    try:
        return schema, schema.ModelT.InitFromPackedBuf(model, 0)
    except (struct.error, IndexError, ValueError, TypeError) as error:
        raise ModelError(thing, found=f"a broken file ({error})", wanted="a TFLite model") from error


def _describe(schema: Any, model: Any, metadata: bytes) -> None:
    entry, buffer = schema.MetadataT(), schema.BufferT()
    buffer.data = np.frombuffer(metadata, np.uint8)
    model.buffers = [*model.buffers, buffer]
    entry.name, entry.buffer = METADATA_NAME, len(model.buffers) - 1
    model.metadata = [each for each in model.metadata or () if each.name != entry.name] + [entry]


def _pack(model: Any) -> bytes:
    import flatbuffers

    class AlignedBuilder(flatbuffers.Builder):  # type: ignore[misc]
        def StartVector(self, elemSize: int, numElems: int, alignment: int) -> Any:
            return super().StartVector(elemSize, numElems, max(alignment, _ALIGNMENT))

    builder = AlignedBuilder(1 << 20)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _numbering(numbers: set[int]) -> dict[int, int]:
    """Old number to new, in the old order."""
    return {old: new for new, old in enumerate(sorted(numbers))}


def _changed(copy: Any, original: Any, **changes: Any) -> Any:
    """`copy` with everything of `original` but the changes: the object API has no copy of its own."""
    vars(copy).update(vars(original))
    vars(copy).update(changes)
    return copy
