"""One student out of several: the mean of the weights at the ends of the cycles.

The ends of the cycles are near to one another. Their mean is as near to the teacher as the last of them, and
less bent to the training clips.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from bands import INPUT_SCALE, INPUT_ZERO_POINT
from student import JOINED, Student
from torch import nn

MEASURED = 12_000  # windows that norms and gains are measured on
BATCH = 250
LOUDEST = 0.999  # the quantile of a value that its gain brings to 1


def averaged(states: list[Path], patches: torch.Tensor) -> Student:
    """The mean student; patches int8 (n, 96, 64) of training windows measure its norms."""
    held = [torch.load(state, weights_only=True) for state in states]
    mean = {
        name: torch.stack([state[name].float() for state in held]).mean(0).to(value.dtype)
        for name, value in held[0].items()
    }
    student = Student()
    student.load_state_dict(mean)
    for module in student.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
            module.momentum = None  # a plain mean over all batches
    student.train()
    with torch.no_grad():
        for bands in measured(patches):
            student(bands)
    return equalise(student.eval(), patches)


def equalise(student: Student, patches: torch.Tensor) -> Student:
    """Set the gains, so that on patches int8 (n, 96, 64) of training windows every pooled value is about 1 at its loudest.

    The joined values share one gain: gains of their own would stretch the sums under them, which share an int8 scale.
    """
    student.gains.fill_(1.0)
    with torch.no_grad():
        loudest = torch.cat([student(bands) for bands in measured(patches)]).quantile(LOUDEST, 0)
    loudest[-JOINED:] = loudest[-JOINED:].max()
    student.gains.copy_(1.0 / loudest.clamp_min(0.01 * float(loudest.median())))  # what is never heard stays small
    return student


def measured(patches: torch.Tensor, count: int = MEASURED) -> Iterator[torch.Tensor]:
    """Bands of about so many patches, spread over all: float32 (BATCH, 1, 96, 64) each."""
    for start in range(0, len(patches) - BATCH + 1, max(BATCH, len(patches) * BATCH // count)):
        yield (patches[start : start + BATCH, None].float() - INPUT_ZERO_POINT) * INPUT_SCALE
