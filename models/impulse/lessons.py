"""Training: what a look is called, and what the teacher makes of the same sound without what sounds behind."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from edge.features.look import AFTER, BEFORE, EARLY, HIGHEST, LOWEST, SHOWN
from models.impulse.network import EMBEDDING, Network
from models.impulse.stock import LABELS
from models.impulse.window import LEADING

TAUGHT = 64
"""Principal components of the teacher's embedding that are imitated."""


@dataclass(frozen=True)
class Course:
    """How to train. weight: of the imitation beside the labels."""

    epochs: int = 14
    batch: int = 128
    fastest: float = 2e-3
    weight: float = 0.5
    smoothing: float = 0.05
    seed: int = 1


@dataclass
class Windows:
    """All parts in memory. targets: standardised principal components float32 `(n, TAUGHT)`."""

    rows: npt.NDArray[np.float16]
    floors: npt.NDArray[np.float16]
    targets: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int64]
    sources: npt.NDArray[np.str_]


def load_windows(parts: list[Path]) -> Windows:
    """Read parts of windows.py."""
    files = [np.load(part) for part in parts]
    targets = np.concatenate([file["target"] for file in files]).astype(np.float32)
    sample = targets[:: max(len(targets) // 10_000, 1)]
    mean = sample.mean(0)
    _, spread, axes = np.linalg.svd(sample - mean, full_matrices=False)
    deviation = spread[:TAUGHT] / np.sqrt(len(sample))
    # Strong components count more, but not as much as they vary.
    components = (targets - mean) @ axes[:TAUGHT].T / np.sqrt(deviation * deviation.mean())
    return Windows(np.concatenate([file["rows"] for file in files]), np.concatenate([file["floor"] for file in files]),
                   components.astype(np.float32), np.concatenate([file["label"] for file in files]).astype(np.int64),
                   np.concatenate([file["source"] for file in files]))


def looks_of(rows: torch.Tensor, floors: torch.Tensor, heard: torch.Tensor, shift: int = 0) -> torch.Tensor:
    """Looks `(n, 2, 48, 64)` as edge.features.look makes them, of rows `(n, 64, 64)`; heard `(n,)`: rows from the onset on.

    shift: rows by which the onset is taken to lie later (negative: earlier).
    """
    first = LEADING - BEFORE + shift
    shown = rows[:, first: first + BEFORE + AFTER]
    if shown.shape[1] < BEFORE + AFTER:
        shown = functional.pad(shown, (0, 0, 0, BEFORE + AFTER - shown.shape[1]), value=-20.0)
        heard = heard.clamp(max=AFTER - shift)
    newest = shown[torch.arange(len(shown)), BEFORE + heard - 1][:, None]
    places, heard = torch.arange(BEFORE + AFTER)[None], heard[:, None]
    shown = torch.where(((BEFORE + heard <= places) & (places < BEFORE + SHOWN))[:, :, None], newest, shown)
    unheard = (places >= BEFORE + heard.clamp(min=SHOWN))[:, :, None]
    loudest = shown.masked_fill(unheard, -20.0).amax((1, 2), keepdim=True)
    cells = torch.stack((shown - floors[:, None], shown - loudest + HIGHEST), 1).clamp(LOWEST, HIGHEST)
    return cells.masked_fill(unheard[:, None], LOWEST)


class Learner(nn.Module):
    """The network, and what only training needs."""

    def __init__(self) -> None:
        super().__init__()
        self.network = Network()
        self.to_labels = nn.Linear(EMBEDDING, len(LABELS))
        self.to_teacher = nn.Linear(EMBEDDING, TAUGHT)

    def forward(self, looks: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        embedding = functional.dropout(self.network(looks), 0.2, self.training)
        return self.to_labels(embedding), self.to_teacher(embedding)


def train(windows: Windows, course: Course, path: Path, weights: npt.NDArray[np.float32] | None = None) -> Learner:
    """Train; a checkpoint in `path` after each epoch, from which an interrupted run goes on."""
    torch.manual_seed(course.seed)
    rng = np.random.default_rng(course.seed)
    learner = Learner()
    steps = len(windows.labels) // course.batch
    optimiser = torch.optim.AdamW(learner.parameters(), weight_decay=0.02)
    pace = torch.optim.lr_scheduler.OneCycleLR(optimiser, course.fastest, total_steps=steps * course.epochs, pct_start=0.15)
    begun = 0
    if path.is_file():
        kept = torch.load(path, weights_only=True)
        learner.load_state_dict(kept["learner"]), optimiser.load_state_dict(kept["optimiser"])
        pace.load_state_dict(kept["pace"])
        begun = kept["epoch"]
    chances = None if weights is None else weights / weights.sum()
    for epoch in range(begun, course.epochs):
        learner.train()
        start, losses = time.monotonic(), []
        order = rng.permutation(len(windows.labels)) if chances is None else \
            rng.choice(len(windows.labels), len(windows.labels), p=chances)
        for number in range(steps):
            chosen = order[number * course.batch: (number + 1) * course.batch]
            loss = _loss(learner, windows, chosen, rng, course)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            pace.step()
            losses.append(loss.item())
        torch.save({"learner": learner.state_dict(), "optimiser": optimiser.state_dict(), "pace": pace.state_dict(),
                    "epoch": epoch + 1}, path)
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.4f}, {time.monotonic() - start:.0f} s", flush=True)
    return learner.eval()


def _loss(learner: Learner, windows: Windows, chosen: npt.NDArray[np.int64], rng: np.random.Generator,
          course: Course) -> torch.Tensor:
    rows = torch.from_numpy(windows.rows[chosen].astype(np.float32))
    floors = torch.from_numpy(windows.floors[chosen].astype(np.float32))
    heard = torch.from_numpy(np.where(rng.random(len(chosen)) < 0.4, EARLY, AFTER))
    looks = looks_of(rows, floors, heard, int(rng.choice([-1, 0, 0, 1])))
    if rng.random() < 0.5:  # a few bands or rows are hidden
        low = int(rng.integers(0, 58))
        looks[:, 0, :, low: low + int(rng.integers(1, 7))] = 0.0
    labels, imitated = learner(looks)
    wanted = torch.from_numpy(windows.targets[chosen])
    said = functional.cross_entropy(labels, torch.from_numpy(windows.labels[chosen]), label_smoothing=course.smoothing)
    return said + course.weight * functional.mse_loss(imitated, wanted)
