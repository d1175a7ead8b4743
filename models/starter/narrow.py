"""A student from a written backbone whose last convolution is wider.

The channels that the others predict best are left out: linear regression tells them from those that stay. The
joining layer takes the regression in. The int8 weights of the file are read back as floats.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from ai_edge_litert import schema_py_generated as schema
from bands import dequantised
from student import CHANNELS, INPUT_GAIN, STEPS, Student
from torch.nn import functional

Floats = npt.NDArray[np.float32]
CONVOLUTION, JOINING = schema.BuiltinOperator.CONV_2D, schema.BuiltinOperator.FULLY_CONNECTED


def narrowed(backbone: Path, patches: npt.NDArray[np.int8]) -> Student:
    """The student that is nearest to this backbone on patches int8 (n, 96, 64) of training windows; gains are not set.

    Raises ValueError where the file's convolutions are not those of a student with as many or more last channels.
    """
    layers = constants(backbone, CONVOLUTION)
    found = tuple(weights.shape[0] for weights, _ in layers)
    if found[:-1] != CHANNELS[:-1] or found[-1] < CHANNELS[-1]:
        raise ValueError(f"{backbone}: found convolutions of {found} channels, wanted {CHANNELS}, the last one or wider")
    (from_mean, bias), (from_maximum, _) = constants(backbone, JOINING)
    from_mean, from_maximum = from_mean.reshape(-1, found[-1]), from_maximum.reshape(-1, found[-1])
    pooled = np.concatenate(_pooled(layers, patches), 1).astype(np.float64)
    wide = np.concatenate([from_mean, from_maximum], 1).astype(np.float64)
    kept = _kept(pooled, wide, found[-1])
    both = np.concatenate([kept, kept + found[-1]])
    known = np.concatenate([pooled[:, both], np.ones((len(pooled), 1))], 1)
    told = np.linalg.lstsq(known, pooled @ wide.T, rcond=None)[0]  # the joined sums from what stays: (2k + 1, joined)
    layers[-1] = (layers[-1][0][kept], layers[-1][1][kept])
    student = Student()
    with torch.no_grad():
        for number, (layer, (weights, offsets)) in enumerate(zip(student.convolutions, layers, strict=True)):
            scale = 1.0 / INPUT_GAIN if number == 0 else 1.0
            layer.weights.weight.copy_(torch.from_numpy(weights.transpose(0, 3, 1, 2) * np.float32(scale)))
            layer.norm.running_var.fill_(1.0 - layer.norm.eps)  # so that the norm only adds its bias
            layer.norm.bias.copy_(torch.from_numpy(offsets))
        student.from_mean.weight.copy_(torch.from_numpy(told[: len(kept)].T))
        student.from_maximum.weight.copy_(torch.from_numpy(told[len(kept) : -1].T))
        student.from_mean.bias.copy_(torch.from_numpy(told[-1] + bias))
    return student.eval()


def _kept(pooled: npt.NDArray[np.float64], wide: npt.NDArray[np.float64], channels: int) -> npt.NDArray[np.int64]:
    """The channels that stay: one after another the one goes whose part in the joined sums the others tell best."""
    kept = np.arange(channels)
    covariance = np.cov(pooled.T) + 1e-6 * np.eye(2 * channels)
    while len(kept) > CHANNELS[-1]:
        both = np.concatenate([kept, kept + channels])
        untold = 1.0 / np.diag(np.linalg.inv(covariance[np.ix_(both, both)]))  # variance that the others leave untold
        part = untold * np.square(wide[:, both]).sum(0)
        kept = np.delete(kept, int(np.argmin(part[: len(kept)] + part[len(kept) :])))
    return kept


def _pooled(layers: list[tuple[Floats, Floats]], patches: npt.NDArray[np.int8]) -> tuple[Floats, Floats]:
    """Mean and maximum of each channel of the last convolution, float32 (n, channels) each."""
    means, maxima = [], []
    for part in np.array_split(patches, max(1, len(patches) // 250)):
        maps = torch.from_numpy(dequantised(part))[:, None]
        for (weights, bias), step in zip(layers, STEPS, strict=True):
            maps = functional.pad(maps, (0, 1, 0, 1)) if step == 2 else maps
            filters = torch.from_numpy(np.ascontiguousarray(weights.transpose(0, 3, 1, 2)))
            maps = functional.relu(functional.conv2d(maps, filters, torch.from_numpy(bias), step, 0 if step == 2 else 1))
        means.append(maps.mean((2, 3)).numpy())
        maxima.append(maps.amax((2, 3)).numpy())
    return np.concatenate(means), np.concatenate(maxima)


def constants(backbone: Path, kind: int) -> list[tuple[Floats, Floats]]:
    """Weights and bias, dequantised, of every operator of a kind, in the file's order; no bias is all zero."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(backbone.read_bytes(), 0))
    graph = model.subgraphs[0]
    read = []
    for operator in graph.operators:
        if model.operatorCodes[operator.opcodeIndex].builtinCode == kind:
            weights = _values(model, graph.tensors[operator.inputs[1]])
            given = len(operator.inputs) > 2 and operator.inputs[2] >= 0
            bias = _values(model, graph.tensors[operator.inputs[2]]) if given else np.zeros(len(weights), np.float32)
            read.append((weights, bias))
    return read


def _values(model: Any, tensor: Any) -> Floats:
    """What a constant tensor holds: its cells times their scales, which belong to the first axis."""
    kind = {schema.TensorType.INT8: np.int8, schema.TensorType.INT32: np.int32}[tensor.type]
    cells = np.asarray(model.buffers[tensor.buffer].data, np.uint8).view(kind).reshape(tensor.shape)
    scales = np.asarray(tensor.quantization.scale, np.float32).reshape(-1, *[1] * (cells.ndim - 1))
    return (cells.astype(np.float32) * scales).astype(np.float32)
