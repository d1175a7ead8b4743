"""Hear a source for calibration: each target's logits patch by patch, and some embeddings; no sound is kept."""

from __future__ import annotations

import math
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edge.control.plan import plan_for
from edge.decision.calibration import logit_of, logits_of
from edge.decision.targets import Target
from edge.errors import SourceError
from edge.listener import Listener
from edge.model.classifier import Model
from edge.seams import Source
from edge.settings import GateSettings
from edge.stream import SAMPLE_RATE, Block, Patch, Scores
from edge.workshop.progress import Progress

PATIENCE_SECONDS = 15.0
"""How long a source may give nothing before hearing is given up."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard. stretches: for each target float32 `(patches,)` logits, one array for each stretch without a gap, NaN
    where the gate was closed. Of a target that looks decide: the highest logit of the onsets from one patch's start to the
    next's, NaN where there was none. positions: of each stretch's first patch. embeddings: float32 `(n, E)`, thinned evenly.
    """

    seconds: float
    hop_seconds: float
    stretches: dict[str, list[NDArray[np.float32]]]
    positions: list[int]
    embeddings: NDArray[np.float32]

    def highest(self, target: str) -> tuple[float, float]:
        """A target's highest logit and the seconds at which its patch began; NaN where nothing was scored."""
        best, at = float("nan"), float("nan")
        for logits, position in zip(self.stretches[target], self.positions, strict=True):
            if np.isfinite(logits).any():
                place = int(np.nanargmax(logits))
                if not logits[place] <= best:
                    best, at = float(logits[place]), position / SAMPLE_RATE + place * self.hop_seconds
        return best, at


class Timed:
    """A source that ends after so many seconds of sound, and gives up on one that gives none."""

    def __init__(self, source: Source, seconds: float, *, progress: Progress | None = None,
                 monotonic: Callable[[], float] = time.monotonic) -> None:
        self._source = source
        self._wanted = seconds
        self._progress = progress
        self._monotonic = monotonic
        self.seconds = 0.0
        self.silent = True
        """Nothing but zeros so far."""

    @property
    def live(self) -> bool:
        return self._source.live

    @property
    def state(self) -> str:
        return self._source.state

    @property
    def trouble(self) -> str:
        return self._source.trouble

    @property
    def hangs(self) -> bool:
        return self._source.hangs

    @property
    def waiting_seconds(self) -> float:
        return self._source.waiting_seconds

    def hurry(self, seconds: float) -> None:
        self._source.hurry(seconds)

    def blocks(self) -> Iterator[Block | None]:
        """The source's blocks. Raises SourceError where none comes for PATIENCE_SECONDS."""
        heard_at = self._monotonic()
        for block in self._source.blocks():
            now = self._monotonic()
            if block is None:
                if now - heard_at > PATIENCE_SECONDS:
                    raise SourceError("source", found=f"no sound for {PATIENCE_SECONDS:g} s ({self.state})",
                                      wanted="sound (edge-audio check looks at it)")
            else:
                heard_at = now
                self.seconds += block.length / block.format.rate
                self.silent = self.silent and not block.samples.any()
                if self._progress is not None:
                    self._progress(min(self.seconds, self._wanted), self._wanted)
            yield block
            if self.seconds >= self._wanted - 1e-6:  # tenths do not add up exactly
                return

    def close(self) -> None:
        self._source.close()


class _Kept:
    """Keeps each target's logit of every patch, and every n-th embedding; n doubles when there are too many."""

    def __init__(self, targets: Sequence[Target], *, hop_samples: int, most: int) -> None:
        self._targets = targets
        self._hop = hop_samples
        self._most = most
        self._every = 1
        self._seen = 0
        self._next = -1
        self.rows: list[list[list[float]]] = []
        self.positions: list[int] = []
        self.embeddings: list[NDArray[np.float32]] = []
        self.judged: list[tuple[str, int, float]] = []

    def judge(self, target: str, position: int, probability: float) -> None:
        """Keep what was made of an onset."""
        self.judged.append((target, position, probability))

    def stretches(self, target: Target, number: int) -> list[NDArray[np.float32]]:
        """The logits of a target, which is the one of this number, stretch by stretch."""
        if not target.looked:
            return [np.array([row[number] for row in rows], np.float32) for rows in self.rows]
        found = [np.full(len(rows), np.nan, np.float32) for rows in self.rows]
        for name, position, probability in self.judged:
            stretch = bisect_right(self.positions, position) - 1
            if name != target.name or stretch < 0:
                continue
            place = (position - self.positions[stretch]) // self._hop
            if place >= len(found[stretch]):  # no patch begins so late, or the gate was closed
                more = np.full(place + 1 - len(found[stretch]), np.nan, np.float32)
                found[stretch] = np.concatenate((found[stretch], more))
            found[stretch][place] = np.fmax(found[stretch][place], logit_of(probability))
        return found

    def patch(self, patch: Patch, scores: Scores) -> None:
        """Keep what one patch gave; patches that the gate left out before it become NaN."""
        left_out = (patch.position - self._next) // self._hop if self._next >= 0 else 0
        if patch.first or self._next < 0 or left_out < 0 or (patch.position - self._next) % self._hop:
            self.rows.append([])
            self.positions.append(patch.position)
            left_out = 0
        self.rows[-1] += [[float("nan")] * len(self._targets)] * left_out
        logits = logits_of(scores)
        self.rows[-1].append([math.nan if target.looked else float(logits[target.rows].max()) + (
            target.correction.logit(scores.embedding)
            if target.correction is not None and scores.embedding is not None else 0.0) for target in self._targets])
        self._next = patch.position + self._hop
        if scores.embedding is not None and self._most and self._seen % self._every == 0:
            self.embeddings.append(scores.embedding)
            if len(self.embeddings) > self._most:
                self.embeddings, self._every = self.embeddings[::2], self._every * 2
        self._seen += 1


def hear(model: Model, targets: Sequence[Target], source: Source, *, hop_seconds: float, channel: int = -1,
         gate: GateSettings | None = None, seconds: float = float("inf"), most_embeddings: int = 0,
         progress: Progress | None = None, zeros: bool = False) -> Heard:
    """Hear a source through the listener, as the appliance would, for so many seconds or to its end; it is closed then.

    gate: as the appliance's; patches that it leaves out cannot raise an alarm there. Raises SourceError for a source
    that gives no sound, or (unless `zeros` may be) nothing but zeros.
    """
    timed = Timed(source, seconds, progress=progress)
    kept = _Kept(targets, hop_samples=round(hop_seconds * SAMPLE_RATE), most=most_embeddings)
    # Nothing is named where looks decide, so that every onset is judged by all looks, at any threshold.
    sounds = (*plan_for(model, hop_seconds=hop_seconds).targets.sounds, *targets)
    plan = plan_for(model, hop_seconds=hop_seconds,
                    more=[replace(sound, threshold=math.inf) for sound in sounds if sound.looked])
    plan.decision.tell(kept.judge)
    listener = Listener(plan, channel=channel, gate=gate, on_scores=kept.patch)
    try:
        listener.run(timed)
    finally:
        timed.close()
    if not timed.seconds:
        raise SourceError("source", found=f"no sound ({timed.state})", wanted="sound (edge-audio check looks at it)")
    if timed.silent and not zeros:
        raise SourceError("source", found=f"nothing but zeros for {timed.seconds:.0f} s",
                          wanted="sound (unmute the microphone, or choose another)")
    embeddings = np.stack(kept.embeddings) if kept.embeddings else np.zeros((0, model.embedding_size), np.float32)
    return Heard(timed.seconds, hop_seconds,
                 {target.name: kept.stretches(target, number) for number, target in enumerate(targets)},
                 kept.positions, embeddings)
