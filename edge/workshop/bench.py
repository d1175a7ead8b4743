"""What hearing costs: CPU time of each stage, beside a bare interpreter of the whole file at the same hops.

The two are measured in turn, round by round, in this process, since another program on the machine slows both
alike. The median of the rounds is given. A time on this machine says nothing of a time on a board; the ratio
of the two says more.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.control.plan import plan_for
from edge.features.frontend import FrontEnd
from edge.features.look import look
from edge.model.classifier import Model, Split
from edge.model.runtime import Runtime
from edge.settings import TargetSettings
from edge.stream import SAMPLE_RATE, Block, Patch, Scores, StreamFormat
from edge.workshop.models.build import PUBLISHED

BLOCK = SAMPLE_RATE // 10
MONO = StreamFormat(SAMPLE_RATE, 1)


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds for one second of sound, medians over the rounds; None where nothing was run bare."""

    hop_seconds: float
    stages: dict[str, float]
    total: float
    bare: float | None
    ratio: float | None
    """total / bare, the median of the rounds' ratios."""
    patches_per_second: float
    """How many patches one CPU second serves, with all stages."""
    without_looks: float | None = None
    """total / the same without looks, whose rows are made by the hop; None where no target is decided by looks."""


def measure(model: Model, sound: NDArray[np.int16], *, hop_seconds: float, rounds: int, bare: Runtime | None,
            targets: tuple[TargetSettings, ...] = ()) -> Cost:
    """Run both ways over `sound`, `rounds` times in turn.

    sound: int16 `(n,)` at 16 kHz. bare: an interpreter of a whole file that takes the waveform; None: our way
    only.
    """
    seconds = len(sound) / SAMPLE_RATE
    ours: list[float] = []
    theirs: list[float] = []
    ratios: list[float] = []
    stages: list[dict[str, float]] = []
    patches = 0
    looking = any(sound.looked for sound in plan_for(model, targets, hop_seconds=hop_seconds).targets.sounds)
    for number in range(rounds + 1):
        spent, patches = _stages(model, sound, hop_seconds, targets)
        if looking and number:
            ratios.append(_whole(model, sound, hop_seconds, targets, looks=True)
                          / _whole(model, sound, hop_seconds, targets, looks=False))
        whole = _bare(bare, sound, hop_seconds) if bare is not None else 0.0
        if number:  # the first round fills caches and does not count
            stages.append(spent)
            ours.append(sum(spent.values()))
            theirs.append(whole)
    total = statistics.median(ours)

    return Cost(
        hop_seconds=hop_seconds,
        stages={name: statistics.median(entry[name] for entry in stages) / seconds for name in stages[0]},
        total=total / seconds, bare=statistics.median(theirs) / seconds if bare is not None else None,
        ratio=statistics.median(a / b for a, b in zip(ours, theirs, strict=True)) if bare is not None else None,
        patches_per_second=patches / total, without_looks=statistics.median(ratios) if looking else None)


def _whole(model: Model, sound: NDArray[np.int16], hop_seconds: float, targets: tuple[TargetSettings, ...], *,
           looks: bool) -> float:
    """CPU seconds of all stages together. The clock is read twice only: on some machines it costs as much as a stage."""
    mark = time.process_time()
    _stages(model, sound, hop_seconds, targets, looks=looks, timed=False)
    return time.process_time() - mark


def _stages(model: Model, sound: NDArray[np.int16], hop_seconds: float, targets: tuple[TargetSettings, ...], *,
            looks: bool = True, timed: bool = True) -> tuple[dict[str, float], int]:
    """CPU seconds of each stage over the whole sound, and the number of patches.

    looks: False leaves them out. timed: False reads no clock; all stages are 0 then.
    """
    front_end = FrontEnd(wants=model.wants, patch_samples=model.patch_samples, hop_seconds=hop_seconds)
    decision = plan_for(model, targets, hop_seconds=hop_seconds).decision
    network = model.looks if looks and decision.lookout is not None else None
    front_end.early = network is not None
    inner = ("backbone", "head") if isinstance(model, Split) else ("model",)
    spent = dict.fromkeys(("front_end", *inner, *(["look"] if network is not None else []), "decision"), 0.0)
    patches = 0
    clock = time.process_time if timed else _stopped

    def look_up_to(until: int | None) -> None:
        while network is not None:
            with _timed(spent, "decision", clock):
                due = decision.looks(until)
            if not due:
                assert decision.lookout is not None
                front_end.wanted = decision.lookout.wanted()
                return
            for one in due:
                with _timed(spent, "look", clock):
                    scores = network.see(look(one.rows, one.row, one.heard), one.onset.position)
                with _timed(spent, "decision", clock):
                    decision.looked(one, scores)

    for start in range(0, len(sound), BLOCK):
        with _timed(spent, "front_end", clock):
            found = front_end.push(Block(sound[start: start + BLOCK], start, MONO))
        if not len(front_end.rows):
            continue
        with _timed(spent, "decision", clock):
            decision.hear(front_end.rows, front_end.rows_position)
        for patch in found:
            look_up_to(patch.position + model.patch_samples)
            scores = _score(model, patch, spent) if timed else model.score(patch)
            with _timed(spent, "decision", clock):
                decision.push(scores)
            patches += 1
        if front_end.hurried or not found:
            look_up_to(None)
    return spent, patches


@contextmanager
def _timed(spent: dict[str, float], stage: str, clock: Callable[[], float] = time.process_time) -> Iterator[None]:
    """Add the CPU seconds of the block under `with` to those of a stage."""
    mark = clock()
    yield
    spent[stage] += clock() - mark


def _stopped() -> float:
    return 0.0


def _score(model: Model, patch: Patch, spent: dict[str, float]) -> Scores:
    """`model.score`, timed; a split model's backbone and head apart."""
    if not isinstance(model, Split):
        with _timed(spent, "model"):
            return model.score(patch)
    whole = {"both": 0.0, "head": 0.0}
    with _timed(whole, "both"):
        scores = model.score(patch)
    assert scores.embedding is not None
    # The appliance's own `score` is timed. The head is run once more by itself, and its time taken off.
    with _timed(whole, "head"):
        model.head.logits(scores.embedding)
    head = min(whole["head"], whole["both"])
    spent["head"] += head
    spent["backbone"] += whole["both"] - head
    return scores


def _bare(runtime: Runtime, sound: NDArray[np.int16], hop_seconds: float) -> float:
    """CPU seconds of an interpreter that is given the waveform at every hop, as most programs do."""
    shape = runtime.inputs[0].shape
    length = shape[-1]
    hop = round(hop_seconds * SAMPLE_RATE)
    mark = time.process_time()
    for start in range(0, len(sound) - length + 1, hop):
        runtime.set_input((sound[start: start + length].astype(np.float32) / np.float32(32768.0)).reshape(shape))
        runtime.invoke()
        runtime.output()
    return time.process_time() - mark


def whole_file(folder: Path) -> Path | None:
    """The published file that is kept beside an installed model, to be run bare; None where there is none."""
    path = folder / PUBLISHED
    return path if path.is_file() else None
