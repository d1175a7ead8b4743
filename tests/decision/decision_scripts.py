"""Sounds written as rows, and scores written by hand, for the tests of decision."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from edge.decision.decision import Decision
from edge.decision.detection import Detection
from edge.decision.targets import LoudnessTarget, PatternTarget, Target, Targets
from edge.stream import SAMPLE_RATE, Scores

PATCH, HOP, STEP = 15_600, 3_840, 160
ROOM, CLAP = -4.0, 2.0
"""Log-mel values of a quiet room and of a clap's first frames."""


def rows_with(seconds: float, claps: Sequence[tuple[float, float]], *, room: float = ROOM, decay: float = 0.25,
              seed: int = 0) -> NDArray[np.float32]:
    """Log-mel rows float32 `(k, 64)`: a noisy room, and at each (seconds, decibels) a broad attack that dies away.

    decay: nepers a frame.
    """
    rng = np.random.default_rng(seed)
    rows = (room + rng.normal(0.0, 0.15, (round(seconds * 100), 64))).astype(np.float32)
    for at, decibels in claps:
        # The frame whose middle, 200 samples in, is nearest to the attack.
        first = round((at * SAMPLE_RATE - 200) / STEP)
        top = CLAP + decibels / 8.686
        for number in range(first, len(rows)):
            level = top - decay * max(number - first, 0)
            if level < room:
                break
            rows[number] = np.maximum(rows[number], level)
        if first > 0:
            rows[first - 1] = np.maximum(rows[first - 1], top - 2.0)  # the frame that holds it at its edge
    return rows


def run(rows: NDArray[np.float32], probability: Callable[[float], float], targets: Targets, *, batch: int = 24,
        hop: int = HOP, second: Callable[[float], float] | None = None) -> list[Detection]:
    """Everything that a decision makes of rows; `probability` says what the model makes of a patch starting at a time, of
    the first label, `second` of a second one."""
    said = [probability] if second is None else [probability, second]
    decision = Decision(targets, ("clap", "snap")[: len(said)], patch_samples=PATCH, hop_samples=hop)
    found: list[Detection] = []
    fed, start = 0, 0
    while start + PATCH <= (len(rows) - 1) * STEP + 400:
        end = (start + PATCH - 400) // STEP + 1
        while fed < end:
            decision.hear(rows[fed: fed + batch], fed * STEP)
            fed += len(rows[fed: fed + batch])
        values = np.array([each(start / SAMPLE_RATE) for each in said], np.float32)
        found += decision.push(Scores(start, values, first=start == 0))
        start += hop
    return found + decision.interrupt(start - hop + PATCH)


def holding(times: Sequence[float], high: float = 0.9, low: float = 0.05) -> Callable[[float], float]:
    """A model that is sure of every patch that holds one of these moments, 60 ms and more of it."""
    def said(start: float) -> float:
        return high if any(start <= time <= start + 0.975 - 0.06 for time in times) else low
    return said


def clap_target(**changes: object) -> Target:
    """An impulsive target over the only label."""
    values: dict[str, object] = {
        "name": "clap", "rows": np.array([0], np.intp), "threshold": 0.5, "release_threshold": 0.25,
        "minimum_duration": 0, "release": 8_000, "refractory": 8_000, "impulsive": True}
    return Target(**(values | changes))  # type: ignore[arg-type]


def pattern(count: int = 2, *, minimum: float = 0.15, maximum: float = 0.8, before: float = 0.0, after: float = 0.0,
            suppress: bool = False, name: str = "double") -> PatternTarget:
    """A pattern over "clap", in seconds."""
    return PatternTarget(name, "clap", count, *(round(each * SAMPLE_RATE) for each in (minimum, maximum, before, after)),
                         suppress)


def louder(decibels: float, *, minimum: float = 0.0, release: float = 0.5, refractory: float = 0.5) -> LoudnessTarget:
    """A loudness target, in seconds."""
    return LoudnessTarget("loud", decibels, *(round(each * SAMPLE_RATE) for each in (minimum, release, refractory)))


def starts(found: Sequence[Detection], target: str = "clap") -> list[float]:
    """Seconds at which events of a target start."""
    return [round(each.start / SAMPLE_RATE, 3) for each in found if each.phase == "start" and each.target == target]
