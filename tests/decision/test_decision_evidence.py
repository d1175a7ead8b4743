"""Which patches of an event its feedback learns from: the surest, and the first and the last near the threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from decision_scripts import HOP, PATCH, clap_target, rows_with, run

from edge.decision.decision import Decision
from edge.decision.detection import Detection
from edge.decision.targets import Targets
from edge.stream import SAMPLE_RATE, Scores

LASTING = replace(clap_target(), threshold=0.6, release_threshold=0.3, impulsive=False)
"""0.356 and more is near 0.6: a logit under it."""


def hear(values: Sequence[float]) -> list[Detection]:
    decision = Decision(Targets((LASTING,)), ("clap",), patch_samples=PATCH, hop_samples=HOP)
    found = [each for number, value in enumerate(values)
             for each in decision.push(Scores(number * HOP, np.array([value], np.float32)))]
    return [*found, *decision.interrupt(len(values) * HOP + PATCH)]


def places(detection: Detection) -> tuple[int, list[int]]:
    """Which patch was surest, and which are kept beside it, by number."""
    assert detection.peak is not None
    return detection.peak.position // HOP, [each.position // HOP for each in detection.beside]


@pytest.mark.parametrize(("values", "kept"), [
    ([0.0, 0.4, 0.7, 0.9, 0.8, 0.4, 0.2], (3, [1, 5])),
    ([0.0, 0.3, 0.9, 0.3, 0.2], (2, [])),
    ([0.0, 0.4, 0.9, 0.3], (2, [1])),
    ([0.4, 0.0, 0.0, 0.0, 0.0, 0.9, 0.7], (5, [6])),  # shares no sound with the patch that began it
    ([0.7, *[0.8] * 30, 0.9, *[0.8] * 30, 0.35], (31, [0, 61])),
    ([0.7, float("nan"), 0.65, float("nan")], (0, [2])),
])
def test_the_surest_and_the_edges_of_an_event_are_kept(values: list[float], kept: tuple[int, list[int]]) -> None:
    assert places(hear([*values, *[0.0] * 12])[-1]) == kept


def test_each_event_keeps_its_own() -> None:
    ends = [each for each in hear([0.4, 0.7, 0.9, *[0.0] * 20, 0.4, 0.9, *[0.0] * 20]) if each.phase == "end"]
    assert [places(each) for each in ends] == [(2, [0]), (24, [23])]


def test_a_clap_keeps_the_patch_before_its_start_and_the_one_that_ends_it() -> None:
    clap = replace(clap_target(), threshold=0.6)
    start, end = run(rows_with(5.0, [(2.0, 0.0)]), lambda at: max(0.0, 0.95 - 1.2 * abs(at - 1.5125)), Targets((clap,)))
    assert start.peak is not None and end.peak is not None and len(start.beside) == 1
    first, last = end.beside
    assert first.position < start.peak.position <= end.peak.position < last.position < 2 * SAMPLE_RATE
    assert float(first.values[0]) < 0.6
