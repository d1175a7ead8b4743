"""CPU time of each stage of hearing. The stages are called one by one, as the listener does, without a gate."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from edge.control.plan import plan_for
from edge.features.frontend import FrontEnd
from edge.features.look import look
from edge.model.classifier import Model, Split
from edge.settings import TargetSettings
from edge.stream import SAMPLE_RATE, Block, Patch, Scores, StreamFormat

BLOCK = SAMPLE_RATE // 10
MONO = StreamFormat(SAMPLE_RATE, 1)


def without_clock(model: Model, sound: NDArray[np.int16], hop_seconds: float, targets: tuple[TargetSettings, ...], *,
                  looks: bool) -> float:
    """CPU seconds of all stages together. The clock is read twice only: on some machines it costs as much as a stage."""
    mark = time.process_time()
    stages(model, sound, hop_seconds, targets, looks=looks, timed=False)
    return time.process_time() - mark


def stages(model: Model, sound: NDArray[np.int16], hop_seconds: float, targets: tuple[TargetSettings, ...], *,
           looks: bool = True, timed: bool = True) -> dict[str, float]:
    """CPU seconds of each stage over the whole sound.

    looks: False leaves them out. timed: False reads no clock; all stages are 0 then.
    """
    front_end = FrontEnd(wants=model.wants, patch_samples=model.patch_samples, hop_seconds=hop_seconds)
    decision = plan_for(model, targets, hop_seconds=hop_seconds).decision
    network = model.looks if looks and decision.lookout is not None else None
    front_end.early = network is not None
    inner = ("backbone", "head") if isinstance(model, Split) else ("model",)
    spent = dict.fromkeys(("front_end", *inner, *(["look"] if network is not None else []), "decision"), 0.0)
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
        if front_end.hurried or not found:
            look_up_to(None)
    return spent


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
