"""Distilling: the student learns to say what the teacher says. A broken run goes on from its last epoch.

The learning rate rises and falls in cycles, each half as high as the one before; the student is the mean of what the
cycles end with.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import further
import numpy as np
import torch
from average import averaged
from bands import INPUT_SCALE, INPUT_ZERO_POINT
from student import Lessons, Student
from teacher import Teacher
from tqdm import tqdm

BATCH = 128
FASTEST = 3e-3
DECAY = 0.02
# Two bytes a number: far faster where the processor computes with them, eight times slower where it does not.
BFLOAT16 = Path("/proc/cpuinfo").is_file() and "avx512_bf16" in Path("/proc/cpuinfo").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Course:
    """How long to learn, and from which seed."""

    epochs: int  # of one cycle
    cycles: int
    seed: int
    fastest: float = FASTEST  # the highest learning rate of the first cycle

    @property
    def length(self) -> int:
        """Epochs in all."""
        return self.epochs * self.cycles


@dataclass(frozen=True)
class Material:
    """Windows in memory: patches int8 (n, 96, 64), targets int8 (n, 1024), labels int16 (n, 2)."""

    patches: torch.Tensor
    targets: torch.Tensor
    labels: torch.Tensor

    @classmethod
    def load(cls, parts: list[Path]) -> Material:
        """All windows of these parts."""
        held = [dict(np.load(part)) for part in parts]
        return cls(*(torch.from_numpy(np.concatenate([h[name] for h in held])) for name in cls.__annotations__))

    def __len__(self) -> int:
        return len(self.patches)


def distil(
    parts: list[Path], label_count: int, teacher: Teacher, folder: Path, course: Course, start: Path | None = None
) -> tuple[Student, float]:
    """Train on the parts, from a student on disk where one is given; the student and the seconds spent.

    The last part only measures. The student that was given counts as the end of a cycle.
    """
    torch.manual_seed(course.seed)
    material, aside = Material.load(parts[:-1]), Material.load(parts[-1:])
    embeddings = _widened(teacher, material.targets[:20_000])
    lessons = Lessons(
        label_count, embeddings.std(0).clamp_min(0.05), embeddings.mean(0), torch.from_numpy(teacher.class_weights)
    ).to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(
        [
            {"params": [p for p in lessons.parameters() if p.ndim > 1], "weight_decay": DECAY},
            {"params": [p for p in lessons.parameters() if p.ndim <= 1], "weight_decay": 0.0},
        ]
    )
    batches = len(material) // BATCH
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = folder / "checkpoint.pt"
    first, spent, schedule = 0, 0.0, None
    if start is not None:
        some = slice(further.FITTED)
        known = Student()
        known.load_state_dict(torch.load(start, weights_only=True))
        heard = _heard(material.labels[some], label_count)
        further.take_up(lessons, known.eval(), material.patches[some], embeddings[some], heard)
    if checkpoint.is_file():
        held = torch.load(checkpoint, weights_only=True)
        lessons.load_state_dict(held["lessons"])
        first, spent = held["epoch"], held["seconds"]
        if first % course.epochs:
            schedule = _cycle(optimiser, course, first, batches)
            schedule.load_state_dict(held["schedule"])
        optimiser.load_state_dict(held["optimiser"])
    for epoch in range(first, course.length):
        began = time.monotonic()
        if schedule is None or epoch % course.epochs == 0:
            schedule = _cycle(optimiser, course, epoch, batches)
        order = torch.from_numpy(np.random.default_rng(course.seed + epoch).permutation(len(material)))
        lessons.train()
        total = 0.0
        for batch in tqdm(range(batches), desc=f"epoch {epoch + 1}/{course.length}", mininterval=10):
            loss = _loss(lessons, teacher, label_count, material, order[batch * BATCH : (batch + 1) * BATCH])
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(lessons.parameters(), 5.0)
            optimiser.step()
            schedule.step()
            total += loss.item()
        lessons.eval()
        with torch.no_grad():
            losses = [_loss(lessons, teacher, label_count, aside, part) for part in torch.arange(len(aside)).split(500)]
        apart = float(torch.stack(losses).mean())
        spent += time.monotonic() - began
        told = f"loss {total / batches:.4f}, on windows apart {apart:.4f}, {spent:.0f} s"
        print(f"epoch {epoch + 1}/{course.length}: {told}", flush=True)
        state = {
            "lessons": lessons.state_dict(),
            "optimiser": optimiser.state_dict(),
            "schedule": schedule.state_dict(),
        }
        torch.save({**state, "epoch": epoch + 1, "seconds": spent}, checkpoint.with_suffix(".tmp"))
        checkpoint.with_suffix(".tmp").replace(checkpoint)
        if (epoch + 1) % course.epochs == 0:
            torch.save(lessons.student.state_dict(), folder / f"cycle-{(epoch + 1) // course.epochs}.pt")
    ends = [folder / f"cycle-{number + 1}.pt" for number in range(course.cycles)]
    return averaged([start, *ends] if start else ends, material.patches), spent


def _cycle(
    optimiser: torch.optim.Optimizer, course: Course, epoch: int, batches: int
) -> torch.optim.lr_scheduler.OneCycleLR:
    """The rise and fall of the learning rate for the cycle that holds this epoch."""
    peak = course.fastest / 2 ** (epoch // course.epochs)
    return torch.optim.lr_scheduler.OneCycleLR(optimiser, peak, total_steps=course.epochs * batches + 1, pct_start=0.15)


def _loss(
    lessons: Lessons, teacher: Teacher, label_count: int, material: Material, chosen: torch.Tensor
) -> torch.Tensor:
    """The loss of some windows, by their numbers."""
    bands = (material.patches[chosen].float() - INPUT_ZERO_POINT) * INPUT_SCALE
    bands = bands.unsqueeze(1).to(memory_format=torch.channels_last)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=BFLOAT16):
        return lessons.loss(bands, _widened(teacher, material.targets[chosen]), _heard(material.labels[chosen], label_count))


def _heard(labels: torch.Tensor, label_count: int) -> torch.Tensor:
    """Label numbers, int16 (n, 2), -1 for none, as float32 (n, label_count), 1 for each that is there."""
    numbers = labels.long()
    heard = torch.zeros(len(labels), label_count + 1)
    return heard.scatter_(1, torch.where(numbers < 0, label_count, numbers), 1.0)[:, :label_count]


def _widened(teacher: Teacher, cells: torch.Tensor) -> torch.Tensor:
    """The teacher's int8 cells as values: float32, same shape."""
    return (cells.float() - teacher.zero_point) * teacher.scale
