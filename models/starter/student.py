"""The student: seven ordinary convolutions, two poolings, a layer that joins them; and its training.

Input: bands, float32 (n, 1, 96, 64). Output: the embedding, float32 (n, 632), never negative: the mean of
each channel over time and frequency, its maximum, and what the last layer joins of both. The joined values
imitate the teacher. The pooled values imitate it once more, as they hold what it was never asked for. Mean
and maximum are pooled apart, so that in int8 each has a scale of its own. Each value has a gain, measured
after training, so that the whole embedding fits one scale.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

CHANNELS = (24, 40, 40, 80, 80, 128, 188)
STEPS = (2, 2, 1, 2, 1, 2, 1)
JOINED = 256
EMBEDDING = 2 * CHANNELS[-1] + JOINED
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
        self.from_mean = nn.Linear(CHANNELS[-1], JOINED)
        self.from_maximum = nn.Linear(CHANNELS[-1], JOINED, bias=False)
        self.register_buffer("gains", torch.ones(EMBEDDING))  # see average.equalise

    def forward(self, bands: torch.Tensor) -> torch.Tensor:
        maps = self.convolutions(bands * INPUT_GAIN).float()
        mean, maximum = maps.mean((2, 3)), maps.amax((2, 3))
        joined = functional.relu(self.from_mean(mean) + self.from_maximum(maximum))
        return torch.cat([mean, maximum, joined], 1) * self.gains


class Lessons(nn.Module):
    """The student and what only training needs: the teacher's embedding and our labels, read from the student's."""

    def __init__(self, labels: int, deviation: torch.Tensor, mean: torch.Tensor, class_weights: torch.Tensor) -> None:
        super().__init__()
        self.student = Student()
        self.to_teacher = nn.Linear(JOINED, len(mean))
        self.pooled_to_teacher = nn.Linear(EMBEDDING - JOINED, len(mean))
        self.to_labels = nn.Linear(JOINED, labels)
        self.register_buffer("mean", mean)
        self.register_buffer("deviation", deviation)
        self.register_buffer("class_weights", class_weights)

    def loss(self, bands: torch.Tensor, target: torch.Tensor, heard: torch.Tensor) -> torch.Tensor:
        """Mean square error of the embedding over its deviation, of the class logits, and cross entropy of the labels.

        The joined values answer for all of it; the pooled ones, apart, for the teacher's embedding once more.
        ``target`` is float32 (n, 1024); ``heard`` is float32 (n, labels), 1 where a clip of that label is in the window.
        """
        values = self.student(bands)
        embedding, pooled = values[:, -JOINED:], values[:, :-JOINED]
        wanted = (target - self.mean) / self.deviation
        error = self.to_teacher(functional.dropout(embedding, 0.1, self.training)) - wanted
        pooled_error = self.pooled_to_teacher(functional.dropout(pooled, 0.1, self.training)) - wanted
        logits = (error * self.deviation) @ self.class_weights.T
        said = functional.binary_cross_entropy_with_logits(
            self.to_labels(functional.dropout(embedding, 0.3, self.training)), heard, reduction="none"
        ).sum(1)
        imitated = 2.0 * error.square().mean() + pooled_error.square().mean()
        return imitated + 0.1 * logits.square().mean() + 0.15 * said.mean()


def multiplies() -> int:
    """Multiplications of one patch, from the shapes."""
    rows, columns, total, inputs = 96, 64, 0, 1
    for outputs, step in zip(CHANNELS, STEPS, strict=True):
        rows, columns = rows // step, columns // step
        total += rows * columns * 9 * inputs * outputs
        inputs = outputs
    return total + 2 * inputs * JOINED + inputs  # the last are the gains of the means: the others are folded into weights
