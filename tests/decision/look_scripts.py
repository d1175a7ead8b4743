"""What a look network says, written by hand, for the tests of decision."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from decision_scripts import HOP, PATCH, STEP, clap_target
from numpy.typing import NDArray

from edge.decision.decision import Decision
from edge.decision.detection import Detection
from edge.decision.lookout import FIRST, Look, LookShape
from edge.decision.targets import Targets
from edge.features.look import AFTER, EARLY, HISTORY
from edge.stream import SAMPLE_RATE, Scores

LABELS = ("clap", "snap")


@dataclass(frozen=True)
class Platt:
    scale: float = 1.0
    offset: float = 0.0


CLAP = clap_target(stages=(Platt(), Platt()), threshold=0.5)
SNAP = clap_target(name="snap", rows=np.array([1], np.intp), stages=(Platt(), Platt()), threshold=0.5)
BOTH = Targets((CLAP, SNAP))
Said = Callable[[float, int], Sequence[float]]
"""Logits of both labels, for an onset at a time and a stage."""


def always(clap: float, snap: float = -9.0) -> Said:
    return lambda seconds, stage: (clap, snap)


def sure_at(*times: float, stage: int = FIRST) -> Said:
    """A network that takes onsets at these times for claps, from a stage on, and no others."""
    return lambda seconds, at: (3.0 if at >= stage and any(abs(seconds - time) < 0.03 for time in times) else -3.0, -9.0)


class Ears:
    """A decision, and what it was given and gave."""

    def __init__(self, targets: Targets, said: Said) -> None:
        self.decision = Decision(targets, LABELS, patch_samples=PATCH, hop_samples=HOP, look_labels=LABELS,
                                 shape=LookShape(EARLY, AFTER, HISTORY))
        self.said = said
        self.scored: Callable[[float], tuple[float, float]] = lambda seconds: (0.1, 0.1)
        """The model's scores of the patch that begins at a time."""
        self.embedded: Callable[[float, int], Sequence[float]] | None = None
        """The embedding of the look at an onset at a time, of a stage."""
        self.looks: list[Look] = []
        """Without those at the stream's start, where the room's noise is an onset."""
        self.told: list[tuple[float, Detection]] = []
        """Seconds heard when it came, and what came."""

    def look(self, heard: int, until: int | None = None, *, last: bool = False) -> None:
        while due := self.decision.looks(until, last=last):
            for one in due:
                seconds = one.onset.position / SAMPLE_RATE
                self.looks += [one] if seconds > 0.1 else []
                logits = np.array(self.said(seconds, one.stage) if seconds > 0.1 else (-9.0, -9.0), np.float32)
                embedding = None if self.embedded is None else np.array(self.embedded(seconds, one.stage), np.float32)
                scores = Scores(one.onset.position, 1 / (1 + np.exp(-logits)), logits, embedding, network="made up")
                self.keep(heard, self.decision.looked(one, scores))

    def keep(self, heard: int, found: Sequence[Detection]) -> None:
        self.told += [(heard / SAMPLE_RATE, each) for each in found]

    def hear(self, rows: NDArray[np.float32], batch: int = 8, gate: bool = True) -> list[Detection]:
        """All rows, in batches, with their patches; the stream's end behind them."""
        patch = 0
        for fed in range(0, len(rows), batch):
            more = rows[fed: fed + batch]
            heard = (fed + len(more) - 1) * STEP + 400
            self.decision.hear(more, fed * STEP)
            while patch + PATCH <= heard:
                self.look(heard, patch + PATCH)
                scores = Scores(patch, np.array(self.scored(patch / SAMPLE_RATE), np.float32), first=patch == 0)
                self.keep(heard, self.decision.push(scores) if gate else self.decision.skip(patch))
                patch += HOP
            self.look(heard)
        self.look(heard, last=True)
        self.keep(heard, self.decision.interrupt(heard))
        return [each for _, each in self.told]

    def seconds_to(self, start: float) -> float:
        """How long after its start the event that starts there was told."""
        return next(at - each.start / SAMPLE_RATE for at, each in self.told
                    if each.phase == "start" and abs(each.start / SAMPLE_RATE - start) < 0.03)


def heard(rows: NDArray[np.float32], said: Said, targets: Targets | None = None, **how: int) -> list[Detection]:
    return Ears(targets or Targets((CLAP,)), said).hear(rows, **how)


def near(*seconds: float) -> list[object]:
    return [pytest.approx(each, abs=0.02) for each in seconds]
