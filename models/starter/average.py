"""One student of several: the mean of the weights that each cycle ended with, its norms measured anew.

The cycles' ends lie in one valley: their mean is as near to the teacher as the last, and less bent to the training clips.
"""

from __future__ import annotations

from pathlib import Path

import torch
from bands import INPUT_SCALE, INPUT_ZERO_POINT
from student import Student
from torch import nn

MEASURED = 12_000  # windows that the norms are measured on
BATCH = 250


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
        for start in torch.arange(0, len(patches) - BATCH, len(patches) * BATCH // MEASURED):
            bands = (patches[start : start + BATCH].float() - INPUT_ZERO_POINT) * INPUT_SCALE
            student(bands[:, None])
    return student.eval()
