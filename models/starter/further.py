"""Go on learning from a student that is there.

Its norms measure again, and its training heads are fitted to it: a student that is read from a file has no
norms that measured anything, and none of the layers that only training needs.
"""

from __future__ import annotations

import torch
from average import measured
from student import INPUT_GAIN, JOINED, Lessons, Student
from torch import nn
from torch.nn import functional

FITTED = 10_000  # windows
RIDGE = 1e-2
NORMED = 3_000  # windows


def take_up(lessons: Lessons, start: Student, patches: torch.Tensor, target: torch.Tensor, heard: torch.Tensor) -> None:
    """Put the student into the lessons, and fit these to it: to the teacher by least squares, to the labels by L-BFGS.

    ``patches`` int8 (n, 96, 64), ``target`` float32 (n, 1024), ``heard`` float32 (n, labels), of training windows.
    """
    lessons.student.load_state_dict(start.state_dict())
    lessons.student.gains.fill_(1.0)
    lessons.eval()
    with torch.no_grad():
        values = torch.cat([lessons.student(bands) for bands in measured(patches, len(patches))])
        target, heard = target[: len(values)], heard[: len(values)]
        wanted = (target - lessons.mean) / lessons.deviation
        for layer, read in ((lessons.to_teacher, values[:, -JOINED:]), (lessons.pooled_to_teacher, values[:, :-JOINED])):
            known = torch.cat([read, torch.ones(len(read), 1)], 1).double()
            square = known.T @ known + RIDGE * torch.eye(known.shape[1]).double()
            told = torch.linalg.solve(square, known.T @ wanted.double())
            layer.weight.copy_(told[:-1].T)
            layer.bias.copy_(told[-1])
    labels = lessons.to_labels
    optimiser = torch.optim.LBFGS(labels.parameters(), max_iter=60)

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        said = functional.binary_cross_entropy_with_logits(labels(values[:, -JOINED:]), heard, reduction="none")
        total = said.sum(1).mean() + 1e-3 * labels.weight.square().sum()
        total.backward()
        return total

    optimiser.step(loss)


def with_norms(student: Student, patches: torch.Tensor) -> Student:
    """The same student, its norms set to what they measure on patches int8 (n, 96, 64), so that they can learn on."""
    with torch.no_grad():
        maps = [bands * INPUT_GAIN for bands in measured(patches, NORMED)]
        for convolution in student.convolutions:
            norm: nn.BatchNorm2d = convolution.norm
            raw = [convolution.weights(part) for part in maps]
            means = torch.stack([part.mean((0, 2, 3)) for part in raw])
            mean = means.mean(0)
            variance = torch.stack([part.var((0, 2, 3)) for part in raw]).mean(0) + (means - mean).square().mean(0)
            gain = norm.weight / (norm.running_var + norm.eps).sqrt()
            norm.bias.add_((mean - norm.running_mean) * gain)
            norm.weight.copy_(gain * (variance + norm.eps).sqrt())
            norm.running_mean.copy_(mean)
            norm.running_var.copy_(variance)
            maps = [convolution(part) for part in maps]
    return student
