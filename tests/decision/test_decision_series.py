"""A lasting sound that is a series of onsets: what onsets and looks at them make of patches that are not sure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
from decision_scripts import HOP, PATCH, STEP, clap_target, rows_with, starts
from look_scripts import BOTH, CLAP, LABELS, Ears, near
from numpy.typing import NDArray

from edge.decision.decision import Decision
from edge.decision.detection import Detection
from edge.decision.lookout import LookShape
from edge.decision.series import LEAST, series_logit
from edge.decision.targets import Target, Targets
from edge.features.look import AFTER, EARLY, HISTORY
from edge.stream import SAMPLE_RATE, Scores

TYPING: Target = clap_target(name="typing", impulsive=False, threshold=0.6, release_threshold=0.3, release=16_000)
KEYS = [(2.0 + 0.25 * number, 0.0) for number in range(12)]
"""Twelve keys, from 2 s to 4.75 s."""


@dataclass(frozen=True)
class Weights:
    target: str = "typing"
    label: str = "clap"
    patch: float = 1.0
    onset: float = 0.5
    look: float = 0.5
    offset: float = 0.0


def typed(score: Callable[[float], float] | float = 0.2, key: float = 1.0, keys: list[tuple[float, float]] = KEYS, *,
          weights: Weights | None = Weights(), targets: Targets | None = None, batch: int = 8,
          gate: bool = True) -> list[Detection]:
    """What a decision makes of keys, when the model gives each patch a score, and a look each key a logit."""
    made = Ears(targets or Targets((TYPING,)), lambda seconds, stage: (key, -9.0))
    made.decision = Decision(targets or Targets((TYPING,)), LABELS, patch_samples=PATCH, hop_samples=HOP,
                             look_labels=LABELS, shape=LookShape(EARLY, AFTER, HISTORY),
                             series=(weights,) if weights else ())
    made.scored = lambda seconds: (score(seconds) if callable(score) else score, 0.1)
    return made.hear(rows_with(8.0, keys), batch=batch, gate=gate)


def told(found: list[Detection]) -> list[tuple[object, ...]]:
    return [(each.phase, each.target, each.probability, each.start, each.end) for each in found]


def test_onsets_make_typing_of_patches_that_are_not_sure() -> None:
    found = typed()
    assert starts(found, "typing") == near(2.0)  # the first key, though the event was told later
    assert [each.phase for each in found] == ["start", "end"]
    assert found[1].end is not None and 4.7 < found[1].end / SAMPLE_RATE < 5.1
    assert found[0].peak is not None and not found[0].peak.network  # the patch's embedding, not a look's


def test_patches_alone_do_not() -> None:
    assert typed(weights=None) == []


def test_a_series_needs_onsets_enough() -> None:
    assert typed(keys=KEYS[: LEAST - 1], weights=Weights(offset=9.0)) == []
    assert starts(typed(keys=KEYS[:LEAST], weights=Weights(offset=9.0)), "typing") == near(2.0)


def test_looks_that_hear_no_key_speak_against_it() -> None:
    assert typed(key=-5.0) == []


def test_a_series_makes_no_patch_less_sure() -> None:
    sure: Callable[[float], float] = lambda seconds: 0.9 if 1.5 <= seconds <= 4.0 else 0.1  # noqa: E731
    alone = typed(sure, weights=None)
    assert len(alone) == 2
    assert [(each.phase, each.start, each.end) for each in typed(sure, key=-9.0)] == [
        (each.phase, each.start, each.end) for each in alone]


@pytest.mark.parametrize("batch", [1, 30, 800])
def test_batches_change_nothing(batch: int) -> None:
    targets = Targets((*BOTH.sounds, TYPING))
    found = told(typed(batch=batch, targets=targets))
    assert found == told(typed(targets=targets))
    assert ("start", "typing") in [each[:2] for each in found]


def test_the_gate_closed_starts_nothing() -> None:
    assert typed(gate=False) == []


def test_targets_that_are_no_series_are_heard_as_before() -> None:
    targets = Targets((CLAP, replace(TYPING, name="rain")))
    assert starts(typed(targets=targets), "rain") == [] and starts(typed(targets=targets), "clap") != []
    assert told(typed(targets=targets)) == told(typed(targets=targets, weights=None))
    impulsive = Targets((CLAP, replace(TYPING, impulsive=True)))
    assert told(typed(targets=impulsive)) == told(typed(targets=impulsive, weights=None))


def hear_some(decision: Decision, rows: NDArray[np.float32], first: int, last: int) -> list[Detection]:
    """Patches that start from `first` to before `last`, with what is new of their rows."""
    found: list[Detection] = []
    for patch in range(first, last, HOP):
        fed = (patch - HOP + PATCH - 400) // STEP + 1 if patch else 0
        decision.hear(rows[fed: (patch + PATCH - 400) // STEP + 1], fed * STEP)
        while due := decision.looks(patch + PATCH):
            for one in due:
                logits = np.array([1.0, -9.0], np.float32)
                scores = Scores(one.onset.position, 1 / (1 + np.exp(-logits)), logits, network="made up")
                found += decision.looked(one, scores)
        found += decision.push(Scores(patch, np.array([0.2, 0.1], np.float32), first=patch == 0))
    return found


def made() -> Decision:
    return Decision(Targets((TYPING,)), LABELS, patch_samples=PATCH, hop_samples=HOP, look_labels=LABELS,
                    shape=LookShape(EARLY, AFTER, HISTORY), series=(Weights(),))


def probability(decision: Decision) -> float:
    found = decision.hearing()[0].probability
    assert found is not None
    return found


def test_another_decision_goes_on_with_the_onsets() -> None:
    rows, change = rows_with(8.0, KEYS[:4]), HOP * 8  # the patch then ends at 2.9 s: four keys are known
    one, other = made(), made()
    assert [each.phase for each in hear_some(one, rows, 0, change)] == ["start"]
    assert [each.phase for each in other.take_over(one, change)] == ["end"]
    hear_some(other, rows, change, change + HOP)
    assert probability(other) > 0.6


def test_a_gap_forgets_the_onsets() -> None:
    rows = rows_with(8.0, KEYS[:4])
    one = made()
    hear_some(one, rows, 0, HOP * 8)
    assert probability(one) > 0.6
    one.interrupt(HOP * 8)
    hear_some(one, rows_with(8.0, []), 0, HOP)
    assert probability(one) == pytest.approx(0.2)


def test_hearing_tells_the_probability_that_decides() -> None:
    one = made()
    hear_some(one, rows_with(8.0, KEYS), 0, HOP * 9)
    told = one.hearing()[0]
    assert told.running and told.probability is not None and told.probability > 0.6


def test_the_logit_is_a_weighted_sum() -> None:
    assert series_logit(Weights(patch=2.0, offset=-1.0), [1.0, 2.0], 4, [0.5, 0.5]) == pytest.approx(3.0 + 2.0 + 0.5 - 1.0)

