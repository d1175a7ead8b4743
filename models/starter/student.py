"""The student: seven ordinary convolutions, two poolings, one embedding layer; and how it learns from the teacher.

Input: float32 (n, 1, 96, 64), bands. Output: float32 (n, 256), the embedding, never negative. Mean and maximum are
pooled apart and meet in the embedding layer, so that in int8 each keeps a scale of its own.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

CHANNELS = (24, 40, 40, 80, 80, 128, 192)
STEPS = (2, 2, 1, 2, 1, 2, 1)
EMBEDDING = 256
INPUT_GAIN = 0.25


class Convolution(nn.Module):
    """3 x 3 convolution, batch normalisation, ReLU; stepping by 2 pads below and to the right only, as Keras does."""

    def __init__(self, inputs: int, outputs: int, step: int) -> None:
        super().__init__()
        self.step = step
        self.weights = nn.Conv2d(inputs, outputs, 3, stride=step, padding=1 if step == 1 else 0, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, bands: torch.Tensor) -> torch.Tensor:
        if self.step == 2:
            bands = functional.pad(bands, (0, 1, 0, 1))
        return functional.relu(self.norm(self.weights(bands)))


class Student(nn.Module):
    """Bands to embedding."""

    def __init__(self) -> None:
        super().__init__()
        inputs = (1, *CHANNELS[:-1])
        self.convolutions = nn.Sequential(*(Convolution(*sizes) for sizes in zip(inputs, CHANNELS, STEPS, strict=True)))
        self.from_mean = nn.Linear(CHANNELS[-1], EMBEDDING)
        self.from_maximum = nn.Linear(CHANNELS[-1], EMBEDDING, bias=False)

    def forward(self, bands: torch.Tensor) -> torch.Tensor:
        maps = self.convolutions(bands * INPUT_GAIN).float()
        return functional.relu(self.from_mean(maps.mean((2, 3))) + self.from_maximum(maps.amax((2, 3))))


class Lessons(nn.Module):
    """The student and what only training needs: the teacher's embedding and our labels, read from the student's."""

    def __init__(self, labels: int, deviation: torch.Tensor, mean: torch.Tensor, class_weights: torch.Tensor) -> None:
        super().__init__()
        self.student = Student()
        self.to_teacher = nn.Linear(EMBEDDING, len(mean))
        self.to_labels = nn.Linear(EMBEDDING, labels)
        self.register_buffer("mean", mean)
        self.register_buffer("deviation", deviation)
        self.register_buffer("class_weights", class_weights)

    def loss(self, bands: torch.Tensor, target: torch.Tensor, heard: torch.Tensor) -> torch.Tensor:
        """Mean square error of the embedding over its deviation, of the class logits, and cross entropy of the labels.

        ``target`` is float32 (n, 1024); ``heard`` is float32 (n, labels), 1 where a clip of that label is in the window.
        """
        embedding = self.student(bands)
        guess = self.to_teacher(functional.dropout(embedding, 0.1, self.training))
        error = guess - (target - self.mean) / self.deviation
        logits = (error * self.deviation) @ self.class_weights.T
        said = functional.binary_cross_entropy_with_logits(
            self.to_labels(functional.dropout(embedding, 0.3, self.training)), heard, reduction="none"
        ).sum(1)
        return 2.0 * error.square().mean() + 0.1 * logits.square().mean() + 0.15 * said.mean()


def multiplies() -> int:
    """Multiplications of one patch, from the shapes."""
    rows, columns, total, inputs = 96, 64, 0, 1
    for outputs, step in zip(CHANNELS, STEPS, strict=True):
        rows, columns = rows // step, columns // step
        total += rows * columns * 9 * inputs * outputs
        inputs = outputs
    return total + 2 * inputs * EMBEDDING
