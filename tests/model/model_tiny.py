"""Tiny TFLite audio classifiers with known answers, written with the schema that LiteRT ships.

    python tests/model/model_tiny.py FOLDER

Every one hears the first samples of its waveform: the score of label k is the logistic of 8 times sample k.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

SAMPLES = 1600
LABELS = ("first", "second", "third")


def classifier(*, shape: tuple[int, ...] = (1, SAMPLES), dtype: str = "FLOAT32", logistic: bool = True,
               quantised: bool = False, outputs: int = 1, signature: tuple[int, ...] | None = None,
               sound: tuple[int, int] | None = None, compiled: bool = False) -> bytes:
    """One waveform (or what `shape` says) in, three scores out. sound: what its metadata says, Hz and channels.

    compiled: in one operator that only a delegate knows, as the Edge TPU's compiler makes it.
    """
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    types = vars(schema.TensorType)
    model, graph = schema.ModelT(), schema.SubGraphT()
    model.version, model.description = 3, "tiny"
    model.buffers, model.operatorCodes = [schema.BufferT()], []
    graph.tensors, graph.operators = [], []

    def tensor(name: str, of: tuple[int, ...], kind: str, data: Any = None, scale: float = 0.0, zero: int = 0) -> int:
        made = schema.TensorT()
        made.name, made.shape, made.type, made.buffer = name, list(of), types[kind], 0
        made.quantization = schema.QuantizationParametersT()
        if scale:
            made.quantization.scale, made.quantization.zeroPoint = [scale], [zero]
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(data.tobytes(), np.uint8)
            model.buffers.append(buffer)
            made.buffer = len(model.buffers) - 1
        graph.tensors.append(made)
        return len(graph.tensors) - 1

    def operator(name: str, inputs: list[int], result: int, options: Any = None, kind: int = 0) -> int:
        code = schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = vars(schema.BuiltinOperator)[name]
        code.version = 1
        if name == "CUSTOM":
            code.customCode = "edgetpu-custom-op"
        model.operatorCodes.append(code)
        made = schema.OperatorT()
        made.opcodeIndex, made.inputs, made.outputs = len(model.operatorCodes) - 1, inputs, [result]
        made.builtinOptions, made.builtinOptionsType = options, kind
        graph.operators.append(made)
        return result

    size = int(np.prod(shape))
    given = last = tensor("waveform", shape, dtype)
    if signature is not None:
        graph.tensors[given].shapeSignature = list(signature)
    if dtype == "INT16":
        cast = schema.CastOptionsT()
        cast.inDataType, cast.outDataType = types["INT16"], types["FLOAT32"]
        last = operator("CAST", [last], tensor("cast", shape, "FLOAT32"), cast, schema.BuiltinOptions.CastOptions)
    if compiled:
        of_bands = shape == (1, 96, 64)
        last = operator("CUSTOM", [last], tensor("logits", (1, len(LABELS)), "INT8", scale=0.047789, zero=17) if of_bands
                        else tensor("scores", (1, len(LABELS)), "FLOAT32"))
    else:
        weights = np.zeros((len(LABELS), size), np.float32)
        weights[np.arange(len(LABELS)), np.arange(len(LABELS))] = 8.0 / (32_768.0 if dtype == "INT16" else 1.0)
        dense = schema.FullyConnectedOptionsT()
        last = operator("FULLY_CONNECTED", [last, tensor("weights", weights.shape, "FLOAT32", weights),
                                            tensor("bias", (len(LABELS),), "FLOAT32", np.zeros(len(LABELS), np.float32))],
                        tensor("logits", (1, len(LABELS)), "FLOAT32"), dense, schema.BuiltinOptions.FullyConnectedOptions)
    logits = last
    if logistic and not compiled:
        last = operator("LOGISTIC", [last], tensor("scores", (1, len(LABELS)), "FLOAT32"))
    if quantised:
        last = operator("QUANTIZE", [last], tensor("quantised", (1, len(LABELS)), "UINT8", scale=1 / 256),
                        schema.QuantizeOptionsT(), schema.BuiltinOptions.QuantizeOptions)
    graph.inputs, graph.outputs = [given], [last, logits][:outputs]
    model.subgraphs = [graph]
    if sound is not None:
        buffer, entry = schema.BufferT(), schema.MetadataT()
        buffer.data = np.frombuffer(_metadata(*sound), np.uint8)
        model.buffers.append(buffer)
        entry.name, entry.buffer = "TFLITE_METADATA", len(model.buffers) - 1
        model.metadata = [entry]
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _metadata(rate: int, channels: int) -> bytes:
    """ModelMetadata with the audio properties of one input (metadata_schema.fbs), and nothing else."""
    import flatbuffers

    builder = flatbuffers.Builder(256)

    def table(fields: int, slot: int, child: int) -> int:
        builder.StartObject(fields)
        builder.PrependUOffsetTRelativeSlot(slot, child, 0)
        return int(builder.EndObject())

    def vector(child: int) -> int:
        builder.StartVector(4, 1, 4)
        builder.PrependUOffsetTRelative(child)
        return int(builder.EndVector())

    builder.StartObject(2)
    builder.PrependUint32Slot(0, rate, 0)
    builder.PrependUint32Slot(1, channels, 0)
    audio = builder.EndObject()
    builder.StartObject(3)
    builder.PrependUint8Slot(0, 4, 0)  # the union's kind: AudioProperties
    builder.PrependUOffsetTRelativeSlot(1, audio, 0)
    tensor = table(7, 3, builder.EndObject())
    subgraph = table(8, 2, vector(tensor))
    builder.Finish(table(8, 3, vector(subgraph)), file_identifier=b"M001")
    return bytes(builder.Output())


def pack_labels(path: Path, labels: tuple[str, ...] = LABELS) -> None:
    """Put a list of labels into a TFLite file, as the metadata writer does: the file becomes a zip too."""
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("labels.txt", "\n".join(labels) + "\n")


def write_all(folder: Path) -> None:
    """Every tiny model, as FOLDER/<name>.tflite."""
    models = {
        "float": classifier(), "flat": classifier(shape=(SAMPLES,)), "int16": classifier(dtype="INT16"),
        "uint8": classifier(quantised=True), "unlabelled": classifier(), "off": classifier(),
        "logits": classifier(logistic=False), "two_outputs": classifier(outputs=2),
        "spectrogram": classifier(shape=(1, 40, 40)), "open_length": classifier(signature=(1, -1)),
        "short": classifier(shape=(1, 100)), "16khz": classifier(sound=(16_000, 1)),
        "44khz": classifier(sound=(44_100, 1)), "stereo": classifier(sound=(16_000, 2)),
        "compiled": classifier(compiled=True), "bands": classifier(compiled=True, shape=(1, 96, 64)),
        "bands_scores": classifier(quantised=True, shape=(1, 96, 64)),
    }
    for name, model in models.items():
        (folder / f"{name}.tflite").write_bytes(model)
        if name != "unlabelled":
            pack_labels(folder / f"{name}.tflite", LABELS[:2] if name == "off" else LABELS)


if __name__ == "__main__":
    write_all(Path(sys.argv[1]))
