"""The network that looks at an onset: four ordinary convolutions and a layer that joins their maps.

Input: a look, float32 `(n, 2, 48, 64)` (edge/features/look.py). Output: its embedding, float32 `(n, EMBEDDING)`, never
negative.
"""

from __future__ import annotations

import torch
from student import Convolution
from torch import nn
from torch.nn import functional

from edge.features.look import LOOK_ROWS
from edge.stream import BANDS

CHANNELS = (16, 32, 64, 96)
STEPS = (2, 2, 2, 2)
EMBEDDING = 128


class Network(nn.Module):
    """Looks to embeddings."""

    def __init__(self) -> None:
        super().__init__()
        inputs = (2, *CHANNELS[:-1])
        self.convolutions = nn.Sequential(*(Convolution(*sizes) for sizes in zip(inputs, CHANNELS, STEPS, strict=True)))
        rows, columns = last_shape()
        self.from_map = nn.Linear(CHANNELS[-1] * rows * columns, EMBEDDING)

    def forward(self, looks: torch.Tensor) -> torch.Tensor:
        maps = self.convolutions(looks)
        return functional.relu(self.from_map(maps.flatten(1)))


def last_shape() -> tuple[int, int]:
    """Rows and columns of the last maps."""
    rows, columns = LOOK_ROWS, BANDS
    for step in STEPS:
        rows, columns = -(-rows // step), -(-columns // step)
    return rows, columns


def multiplies() -> int:
    """Multiplications of one look, from the shapes."""
    rows, columns, total, inputs = LOOK_ROWS, BANDS, 0, 2
    for outputs, step in zip(CHANNELS, STEPS, strict=True):
        rows, columns = -(-rows // step), -(-columns // step)
        total += rows * columns * 9 * inputs * outputs
        inputs = outputs
    return total + rows * columns * inputs * EMBEDDING
