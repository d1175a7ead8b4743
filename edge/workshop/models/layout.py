"""YAMNet's layout, found in a graph by structure and not by number.

bands -> LOG -> QUANTIZE (int8, 96 x 64) -> the network -> MEAN (the embedding) -> FULLY_CONNECTED (the head) ->
LOGISTIC -> scores.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.errors import ModelError
from edge.stream import BANDS, PATCH_FRAMES, PATCH_SAMPLES
from edge.workshop.models.graph import Graph

_SHAPE_ONLY = ("RESHAPE", "EXPAND_DIMS", "SQUEEZE", "SPLIT")
"""Operators that move no value (a SPLIT into one part): the backbone starts after them."""


class OtherLayout(ModelError):
    """A sound TFLite file that is not laid out like YAMNet: it can be used whole."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Tensors (by number) and operators (by number) of the layout, as found in one file."""

    bands: int
    """int8, what QUANTIZE makes of the bands."""
    start: int
    """int8, the same values as the first real operator takes them."""
    embedding: int
    logits: int
    scores: int
    weights: int
    bias: int
    operators: tuple[int, ...]
    """From `start` to `embedding`, in order."""


def find_layout(graph: Graph, thing: str) -> Layout:
    """Find the layout in a graph, walking back from the scores. Raises OtherLayout saying what was found instead."""
    def refuse(found: str, wanted: str) -> OtherLayout:
        return OtherLayout(f"{thing}: layout", found=found, wanted=f"{wanted} (YAMNet's layout)")

    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise refuse(f"{len(graph.inputs)} inputs, {len(graph.outputs)} outputs", "one waveform, one row of scores")
    waveform = graph.spec(graph.inputs[0])
    if waveform.dtype != "float32" or waveform.size != PATCH_SAMPLES:
        raise refuse(f"input {waveform}", f"float32 [{PATCH_SAMPLES}]")
    scores = graph.outputs[0]
    step = graph.maker(scores, skip=("DEQUANTIZE", *_SHAPE_ONLY))
    if step is None or graph.name(step) != "LOGISTIC":
        raise refuse(f"scores made by {graph.name(step)}", "LOGISTIC")
    logits = graph.data_input(step)
    step = graph.maker(logits)
    if step is None or graph.name(step) != "FULLY_CONNECTED" or len(graph.operators[step].inputs) != 3:
        raise refuse(f"logits made by {graph.name(step)}", "FULLY_CONNECTED with a bias")
    embedding, weights, bias = (int(tensor) for tensor in graph.operators[step].inputs)
    specs = [graph.spec(tensor) for tensor in (embedding, weights, bias, logits)]
    if [spec.dtype for spec in specs] != ["int8", "int8", "int32", "int8"] or len(specs[1].shape) != 2 \
            or specs[1].shape[1] != specs[0].size or specs[1].shape[0] != specs[3].size \
            or getattr(graph.operators[step].builtinOptions, "fusedActivationFunction", 0) != 0:
        raise refuse("; ".join(str(spec) for spec in specs), "an int8 head with int32 bias and no activation")
    step = graph.maker(embedding, skip=_SHAPE_ONLY)
    if step is None or graph.name(step) != "MEAN":
        raise refuse(f"embedding made by {graph.name(step)}", "MEAN")
    operators, borders = graph.back_to(embedding, stop_at="QUANTIZE")
    if len(borders) != 1:
        raise refuse(f"{len(borders)} places where values become int8", "one")
    bands = borders[0]
    if graph.spec(bands).dtype != "int8" or graph.spec(bands).size != PATCH_FRAMES * BANDS:
        raise refuse(f"bands {graph.spec(bands)}", f"int8, {PATCH_FRAMES} x {BANDS}")
    quantiser = graph.maker(bands)
    source = graph.maker(graph.data_input(quantiser), skip=_SHAPE_ONLY) if quantiser is not None else None
    if graph.name(source) != "LOG":
        raise refuse(f"bands made by {graph.name(source)}", "LOG")
    start, dropped = graph.forward_over(bands, operators, names=_SHAPE_ONLY)
    kept = tuple(sorted(operators - dropped))
    return Layout(bands, start, embedding, logits, scores, weights, bias, kept)
