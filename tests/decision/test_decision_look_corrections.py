"""What feedback adds to a target that looks decide, and the looks that it learns from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from decision_scripts import PATCH, rows_with
from look_scripts import CLAP, SNAP, Ears, Platt, Said, always, near

from edge.decision.detection import Detection
from edge.decision.lookout import FIRST, SECOND
from edge.decision.targets import Correction, Target, Targets
from edge.stream import SAMPLE_RATE
from tests.decision.test_decision_beside import WITH

LENGTH = PATCH / SAMPLE_RATE
VETO = Correction(np.array([[0.0, 0.0], [4.0, 0.0]], np.float32), np.array([0.0, -1.0], np.float32))
"""Takes up to 3 logits from what has 1 in the first column."""
SUPPORT = Correction(np.array([[0.0, 4.0]], np.float32), np.array([0.0], np.float32))
"""Adds 4 to what has 1 in the second column."""


def hear(target: Target, said: Said, *, scored: Callable[[float], tuple[float, float]] = lambda seconds: (0.5, 0.1),
         embedded: tuple[float, float] = (1.0, 0.0)) -> list[Detection]:
    ears = Ears(Targets((target, SNAP)), said)
    ears.scored, ears.embedded = scored, lambda seconds, stage: embedded
    return ears.hear(rows_with(4.0, [(2.0, 0.0)]))


def starts(found: list[Detection]) -> list[float]:
    return [each.start / SAMPLE_RATE for each in found if each.phase == "start" and each.target == "clap"]


def at(stage: int) -> Said:
    """Sure at one look alone."""
    return lambda seconds, now: (2.0 if now == stage else -2.0, -9.0)


def holding(seconds: float) -> tuple[float, float]:
    """A patch that holds the onset at 2 s is sure."""
    return (0.99, 0.1) if seconds <= 2.0 < seconds + LENGTH else (0.01, 0.1)


@pytest.mark.parametrize(("target", "said", "scored"), [
    (CLAP, at(FIRST), lambda seconds: (0.5, 0.1)),
    (CLAP, at(SECOND), lambda seconds: (0.5, 0.1)),
    (WITH, always(-3.0), holding),
], ids=["first look", "second look", "beside a patch"])
def test_a_veto_silences_a_sound_on_every_way_that_it_can_be_named(
        target: Target, said: Said, scored: Callable[[float], tuple[float, float]]) -> None:
    assert starts(hear(target, said, scored=scored)) == near(2.0)
    vetoed = replace(target, correction=VETO)
    assert starts(hear(vetoed, said, scored=scored)) == []
    assert starts(hear(vetoed, said, scored=scored, embedded=(0.0, 0.0))) == near(2.0), "another sound is heard"


def test_a_support_raises_what_was_missed_and_nothing_else() -> None:
    missed = always(-2.0)
    assert starts(hear(CLAP, missed, embedded=(0.0, 1.0))) == []
    assert starts(hear(replace(CLAP, correction=SUPPORT), missed, embedded=(0.0, 1.0))) == near(2.0)
    assert starts(hear(replace(CLAP, correction=SUPPORT), missed, embedded=(1.0, 0.0))) == []


def test_a_correction_lies_before_the_calibration() -> None:
    """As for patches: a calibration of twice the slope makes twice of it."""
    (start, *_), (bare, *_) = (hear(replace(CLAP, scale=2.0, correction=each), always(4.0)) for each in (VETO, None))
    assert start.probability == pytest.approx(1 / (1 + np.exp(-2.0))) and bare.probability > 0.999


def kept(found: list[Detection], phase: str) -> list[tuple[float, float | None]]:
    """What feedback learns from: the second column of the embedding, which tells the stage, and how high it came."""
    (one,) = [each for each in found if each.phase == phase and each.target == "clap"]
    assert one.peak is not None
    looks = (one.peak, *one.beside)
    return [(float(each.embedding[1]), each.bare) for each in looks if each.embedding is not None]


def listen(target: Target, said: Said, scored: Callable[[float], tuple[float, float]]) -> list[Detection]:
    ears = Ears(Targets((target, SNAP)), said)
    ears.scored, ears.embedded = scored, lambda seconds, stage: (0.0, float(stage))
    return ears.hear(rows_with(4.0, [(2.0, 0.0)], decay=0.6))


def test_both_looks_are_kept_where_both_came_near() -> None:
    quiet: Callable[[float], tuple[float, float]] = lambda seconds: (0.5, 0.1)  # noqa: E731
    assert kept(listen(CLAP, lambda seconds, now: ((2.0, 1.0)[now], -9.0), quiet), "end") == [(0.0, 2.0), (1.0, 1.0)]
    assert kept(listen(CLAP, lambda seconds, now: ((1.0, 2.0)[now], -9.0), quiet), "end") == [(1.0, 2.0), (0.0, 1.0)]
    assert kept(listen(CLAP, lambda seconds, now: ((-0.5, 2.0)[now], -9.0), quiet), "start") == [(1.0, 2.0), (0.0, -0.5)]
    assert kept(listen(CLAP, lambda seconds, now: ((-3.2, 2.0)[now], -9.0), quiet), "end") == [(1.0, 2.0)]


def test_how_high_a_look_came_counts_the_patches_beside_it_after_the_event_was_named() -> None:
    """Named by its first look at 2 logits; with the patches that hold it, 4.6 more: a veto must reach that."""
    found = listen(WITH, lambda seconds, now: ((2.0, 1.5)[now], -9.0), holding)
    patch = float(np.log(0.99 / 0.01))
    assert kept(found, "start")[0][0] == 0.0
    assert [(stage, pytest.approx(bare, abs=0.01)) for stage, bare in kept(found, "end")] == [
        (0.0, 2.0 + patch), (1.0, 1.5 + patch)]
    (start, end) = [each for each in found if each.target == "clap"]
    assert start.probability == end.probability == pytest.approx(1 / (1 + np.exp(-2.0))), "the event is as sure as it was"


def test_how_high_a_look_came_is_told_without_correction_and_calibration() -> None:
    corrected = replace(CLAP, stages=(Platt(2.0, 0.5), Platt(2.0, 0.5)), correction=SUPPORT, scale=0.5, offset=1.0)
    found = hear(corrected, always(1.0), embedded=(0.0, 1.0))
    assert [each.peak.bare for each in found if each.peak is not None and each.target == "clap"] == [2.5, 2.5]
