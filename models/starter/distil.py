"""Distilling: the student learns to say what the teacher says. A broken run goes on from its last epoch."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import torch
from bands import INPUT_SCALE, INPUT_ZERO_POINT
from student import Lessons, Student
from teacher import Teacher
from tqdm import tqdm

BATCH = 128
FASTEST = 3e-3


def load_parts(parts: list[Path]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """All windows in memory: patches int8 (n, 96, 64), targets int8 (n, 1024), labels int16 (n, 2)."""
    patches, targets, labels = [], [], []
    for part in parts:
        with np.load(part) as held:
            patches.append(held["patches"])
            targets.append(held["targets"])
            labels.append(held["labels"])
    return tuple(torch.from_numpy(np.concatenate(arrays)) for arrays in (patches, targets, labels))  # type: ignore[return-value]


def distil(
    parts: list[Path], label_count: int, teacher: Teacher, folder: Path, epochs: int, seed: int
) -> tuple[Student, float]:
    """Train on the parts for so many epochs; the student and the seconds spent. The last part only measures."""
    torch.manual_seed(seed)
    patches, targets, labels = load_parts(parts[:-1])
    aside = load_parts(parts[-1:])
    sample = (targets[:20_000].float() - teacher.zero_point) * teacher.scale
    deviation = sample.std(0).clamp_min(0.05)
    lessons = Lessons(label_count, deviation, sample.mean(0), torch.from_numpy(teacher.class_weights))
    lessons = lessons.to(memory_format=torch.channels_last)
    groups = [
        {"params": [p for p in lessons.parameters() if p.ndim > 1], "weight_decay": 0.02},
        {"params": [p for p in lessons.parameters() if p.ndim <= 1], "weight_decay": 0.0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=FASTEST)
    batches = len(patches) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, FASTEST, total_steps=epochs * batches + 1, pct_start=0.15)
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint = folder / "checkpoint.pt"
    first, spent = 0, 0.0
    if checkpoint.is_file():
        held = torch.load(checkpoint, weights_only=True)
        lessons.load_state_dict(held["lessons"])
        optimiser.load_state_dict(held["optimiser"])
        schedule.load_state_dict(held["schedule"])
        first, spent = held["epoch"], held["seconds"]
    for epoch in range(first, epochs):
        began = time.monotonic()
        order = torch.from_numpy(np.random.default_rng(seed + epoch).permutation(len(patches)))
        lessons.train()
        total = 0.0
        progress = tqdm(range(batches), desc=f"epoch {epoch + 1}/{epochs}", mininterval=10)
        for batch in progress:
            chosen = order[batch * BATCH : (batch + 1) * BATCH]
            loss = _loss(lessons, teacher, label_count, patches[chosen], targets[chosen], labels[chosen])
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(lessons.parameters(), 5.0)
            optimiser.step()
            schedule.step()
            total += loss.item()
        lessons.eval()
        with torch.no_grad():
            apart = np.mean(
                [
                    _loss(lessons, teacher, label_count, *(array[start : start + 500] for array in aside)).item()
                    for start in range(0, len(aside[0]), 500)
                ]
            )
        spent += time.monotonic() - began
        print(
            f"epoch {epoch + 1}/{epochs}: loss {total / batches:.4f}, on windows apart {apart:.4f}, {spent:.0f} s",
            flush=True,
        )
        state = {
            "lessons": lessons.state_dict(),
            "optimiser": optimiser.state_dict(),
            "schedule": schedule.state_dict(),
        }
        torch.save({**state, "epoch": epoch + 1, "seconds": spent}, checkpoint.with_suffix(".tmp"))
        checkpoint.with_suffix(".tmp").replace(checkpoint)
    lessons.eval()
    return lessons.student, spent


def _loss(
    lessons: Lessons,
    teacher: Teacher,
    label_count: int,
    patches: torch.Tensor,
    targets: torch.Tensor,
    labels: torch.Tensor,
) -> torch.Tensor:
    """The loss of one batch as stored."""
    bands = ((patches.float() - INPUT_ZERO_POINT) * INPUT_SCALE).unsqueeze(1).to(memory_format=torch.channels_last)
    heard = torch.zeros(len(patches), label_count + 1)
    heard.scatter_(1, torch.where(labels < 0, label_count, labels).long(), 1.0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return lessons.loss(bands, (targets.float() - teacher.zero_point) * teacher.scale, heard[:, :label_count])
