"""One ordinary TFLite file of a model: waveform in, scores out, labels and metadata inside, for phone apps.

A split model is put together again: a front end of our own tables, the backbone's operators as they are, and the head's
rows in float32, taught ones included. Nothing here comes from the file that a backbone was once cut out of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.model.head import Head
from edge.model.manifest import GraphSpec, TensorSpec
from edge.model.whole import packed_labels
from edge.stream import SAMPLE_RATE
from edge.workshop.models.graph import Graph
from edge.workshop.models.metadata import Description, audio_properties, label_files, metadata, with_labels
from edge.workshop.models.split import describe_again, pack_graph, read_graph

_TAKES_INT8 = 2
"""The first version of DEQUANTIZE that does; all other operators are of version 1, so that old runtimes open the file."""


@dataclass(frozen=True, slots=True)
class FrontEndTables:
    """What the front end computes with: `log(magnitude(rfft(window * frame)) @ mel + offset)`.

    window: float32 (samples of a frame,). mel: float32 (half the FFT's samples + 1, bands). offset: keeps silence
    finite. step: samples from one frame to the next. frames: of a patch.
    """

    window: NDArray[np.float32]
    mel: NDArray[np.float32]
    offset: float
    step: int
    frames: int

    @property
    def patch_samples(self) -> int:
        """Samples under a patch: the waveform that the file takes."""
        return (self.frames - 1) * self.step + len(self.window)


def export_split(backbone: bytes, spec: GraphSpec, head: Head, labels: tuple[str, ...], tables: FrontEndTables,
                 about: Description, thing: str) -> bytes:
    """The file of a split model; the same bytes for the same model.

    backbone: its file's bytes, as `spec` has them. head: a row for each of `labels`; scale and offset of a calibration
    may be folded into it (weights * scale, bias * scale + offset). thing names the backbone in errors.
    Raises ModelError for parts that do not fit each other, SchemaMissing where LiteRT is not installed.
    """
    if len(labels) != len(head.bias) or spec.output.size != head.weights.shape[1]:
        raise ModelError(f"{thing}: head", found=f"{list(head.weights.shape)}",
                         wanted=f"[{len(labels)}, {spec.output.size}], a row for each label")
    if spec.input.dtype != "int8" or spec.output.dtype not in ("int8", "float32"):
        raise ModelError(f"{thing}: tensors", found=f"{spec.input} to {spec.output}", wanted="int8 to int8 or float32")
    graph = read_graph(backbone, thing)
    inside = tuple(range(len(graph.operators)))
    waveform, before = _front_end(graph, tables, graph.inputs[0], spec.input)
    scores, behind = _head(graph, head, graph.outputs[0], spec.output)
    packed = pack_graph(graph, operators=(*before, *inside, *behind), inputs=(waveform,), outputs=(scores,),
                        description="exported by edge-audio", metadata=metadata(about, labels=len(labels)))
    return with_labels(packed, labels)


def export_whole(model: bytes, spec: GraphSpec, labels: tuple[str, ...], about: Description, thing: str) -> bytes:
    """The file of a model taken whole: as it is where it already says what it hears, else with labels and metadata.

    Raises ModelError for one that takes no float32 waveform (no phone app would feed it), and as `export_split` does.
    """
    if spec.input.dtype != "float32":
        raise ModelError(f"{thing}: input", found=str(spec.input), wanted="float32, as phone apps feed")
    if audio_properties(model, thing) == (SAMPLE_RATE, 1) and label_files(model, thing):
        try:
            if packed_labels(model, thing) == labels:
                return model
        except ModelError:
            pass  # named, but not there, or several lists: the file gets one list
    return with_labels(describe_again(model, metadata(about, labels=len(labels)), thing), labels)


def _front_end(graph: Graph, tables: FrontEndTables, bands: int, spec: TensorSpec) -> tuple[int, list[int]]:
    """From a new waveform tensor to the backbone's input `bands`: the waveform's number, the operators in order.

    Frames overlap, and a file has no operator for that: the samples are cut at the greatest common divisor of frame
    and step, and each frame gathers its pieces.
    """
    frame, step, frames = len(tables.window), tables.step, tables.frames
    spectrum, count = tables.mel.shape
    fft, piece = 2 * (spectrum - 1), int(np.gcd(frame, step))
    pieces = np.arange(frames)[:, None] * (step // piece) + np.arange(frame // piece)[None, :]
    operators: list[int] = []
    waveform = last = graph.add_tensor("waveform", TensorSpec((tables.patch_samples,), "float32"))

    def made(name: str, operator: str, shape: tuple[int, ...], *constants: int, dtype: str = "float32",
             options: str = "", **values: Any) -> None:
        nonlocal last
        output = graph.add_tensor(name, TensorSpec(shape, dtype))
        operators.append(graph.add_operator(operator, (last, *constants), output, options=options, **values))
        last = output

    def shaped(name: str, *shape: int, dtype: str = "float32") -> None:
        made(name, "RESHAPE", shape, graph.add_constant(f"{name}/shape", np.array(shape, np.int32)), dtype=dtype)

    shaped("pieces", tables.patch_samples // piece, piece)
    made("gathered", "GATHER", (frames, frame // piece, piece),
         graph.add_constant("pieces_of_frames", pieces.astype(np.int32)), options="GatherOptions", axis=0)
    shaped("frames", frames, frame)
    made("windowed", "MUL", (frames, frame), graph.add_constant("window", tables.window), options="MulOptions")
    made("padded", "PAD", (frames, fft), graph.add_constant("padding", np.array([[0, 0], [0, fft - frame]], np.int32)),
         options="PadOptions")
    shaped("rows", frames, 1, fft)
    made("spectra", "RFFT2D", (frames, 1, spectrum), graph.add_constant("fft_size", np.array([1, fft], np.int32)),
         dtype="complex64", options="Rfft2dOptions")
    shaped("spectrum", frames, spectrum, dtype="complex64")
    made("magnitude", "COMPLEX_ABS", (frames, spectrum))
    made("mel", "FULLY_CONNECTED", (frames, count), graph.add_constant("mel_weights", tables.mel.T),
         graph.add_constant("mel_offset", np.full(count, tables.offset, np.float32)), options="FullyConnectedOptions")
    made("log_mel", "LOG", (frames, count))
    shaped("patch", *spec.shape)
    operators.append(graph.add_operator("QUANTIZE", (last,), bands, options="QuantizeOptions"))
    return waveform, operators


def _head(graph: Graph, head: Head, embedding: int, spec: TensorSpec) -> tuple[int, list[int]]:
    """From the backbone's output to a new tensor of scores: its number, the operators in order."""
    rows, columns = head.weights.shape
    operators: list[int] = []
    if spec.dtype != "float32":
        real = graph.add_tensor("embedding", TensorSpec(spec.shape, "float32"))
        operators.append(graph.add_operator("DEQUANTIZE", (embedding,), real, options="DequantizeOptions",
                                            version=_TAKES_INT8))
        embedding = real
    flat = graph.add_tensor("embedding_row", TensorSpec((1, columns), "float32"))
    logits = graph.add_tensor("logits", TensorSpec((1, rows), "float32"))
    scores = graph.add_tensor("scores", TensorSpec((1, rows), "float32"))
    shape = graph.add_constant("embedding_row/shape", np.array([1, columns], np.int32))
    operators.append(graph.add_operator("RESHAPE", (embedding, shape), flat))
    operators.append(graph.add_operator(
        "FULLY_CONNECTED", (flat, graph.add_constant("head_weights", head.weights),
                            graph.add_constant("head_bias", head.bias)), logits, options="FullyConnectedOptions"))
    operators.append(graph.add_operator("LOGISTIC", (logits,), scores))
    return scores, operators
