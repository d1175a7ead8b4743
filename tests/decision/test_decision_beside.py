"""Patches beside looks: what a look does not dare to name, a patch that holds the onset may, for the same target."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from decision_scripts import HOP, PATCH, pattern, rows_with, starts
from look_scripts import CLAP, LABELS, SNAP, Ears, always, near, sure_at

from edge.decision.decision import Decision
from edge.decision.detection import Detection
from edge.decision.looked import INSIDE, REACH
from edge.decision.lookout import SECOND, Look, LookShape
from edge.decision.targets import Target, Targets
from edge.features.look import AFTER, EARLY, HISTORY
from edge.stream import SAMPLE_RATE, Scores

LENGTH = PATCH / SAMPLE_RATE


@dataclass(frozen=True)
class Weights:
    look: float = 1.0
    patch: float = 1.0
    offset: float = 0.0


WITH = replace(CLAP, beside=Weights(), patch_rows=(0,))
"""A score of 0.9 is a logit of 2.2."""
Scored = Callable[[float], tuple[float, float]]


def holding(onset: float, clap: float = 0.9, snap: float = 0.1) -> Scored:
    """Patches that hold a time give these scores, others 0.1."""
    return lambda seconds: (clap, snap) if seconds <= onset < seconds + LENGTH else (0.1, 0.1)


def ears(said: Callable[[float, int], tuple[float, float]], scored: Scored, targets: Targets | None = None) -> Ears:
    made = Ears(targets or Targets((WITH,)), said)
    made.scored = scored
    return made


def test_a_patch_names_what_both_looks_left_open() -> None:
    made = ears(always(-1.0), holding(2.0))
    found = made.hear(rows_with(4.0, [(2.0, 0.0)]))
    assert starts(found) == near(2.0) and [each.phase for each in found] == ["start", "end"]
    assert found[0].probability == pytest.approx(1 / (1 + 2.718 ** -(2.197 - 1.0)), abs=0.01)
    assert found[0].peak is not None and found[0].peak.network  # the look's embedding, not the patch's


def test_neither_alone_is_enough() -> None:
    assert starts(ears(always(-3.0), holding(2.0)).hear(rows_with(4.0, [(2.0, 0.0)]))) == []
    assert starts(ears(always(-1.0), lambda seconds: (0.5, 0.1)).hear(rows_with(4.0, [(2.0, 0.0)]))) == []


def test_without_weights_patches_do_not_count() -> None:
    assert starts(ears(always(-1.0), holding(2.0), Targets((CLAP,))).hear(rows_with(4.0, [(2.0, 0.0)]))) == []


def test_a_look_that_is_sure_does_not_wait_for_a_patch() -> None:
    made = ears(always(3.0), holding(2.0))
    assert starts(made.hear(rows_with(4.0, [(2.0, 0.0)]), batch=1)) == near(2.0)
    assert made.seconds_to(2.0) < 0.2


def test_a_patch_that_came_before_the_look_counts_as_soon_as_the_look_does() -> None:
    onset = next(end for end in range(PATCH, 10 * SAMPLE_RATE, HOP) if end > 2 * SAMPLE_RATE) - 2 * INSIDE
    made = ears(always(-1.0), holding(onset / SAMPLE_RATE))
    assert starts(made.hear(rows_with(4.0, [(onset / SAMPLE_RATE, 0.0)]), batch=1)) == near(onset / SAMPLE_RATE)
    assert made.seconds_to(onset / SAMPLE_RATE) < 0.2  # the next patch ends 0.32 s after the onset at the earliest


def test_only_patches_near_the_onset_count() -> None:
    late = ears(always(-1.0), lambda seconds: (0.9, 0.1) if seconds + LENGTH > 2.0 + REACH / SAMPLE_RATE else (0.1, 0.1))
    assert starts(late.hear(rows_with(4.0, [(2.0, 0.0)]))) == []


@pytest.mark.parametrize("onset", [0.12, 0.2, 0.3])
def test_the_first_patch_counts_however_late_it_ends(onset: float) -> None:
    """A recording of 0.2 s begins with its clap: the first patch ends 0.8 s later."""
    found = ears(always(-1.0), holding(onset)).hear(rows_with(3.0, [(onset, 0.0)]))
    assert starts(found) == near(onset)
    gone = ears(always(-1.0), lambda seconds: (0.1, 0.1) if seconds == 0.0 else holding(onset)(seconds))
    assert starts(gone.hear(rows_with(3.0, [(onset, 0.0)]))) == []


def test_an_onset_that_a_look_gave_to_one_target_is_no_patchs() -> None:
    said = ears(lambda seconds, stage: (-1.0, 3.0), holding(2.0), Targets((WITH, SNAP)))
    found = said.hear(rows_with(4.0, [(2.0, 0.0)]))
    assert starts(found) == [] and starts(found, "snap") == near(2.0)


def test_a_patch_names_all_onsets_that_it_holds() -> None:
    found = ears(always(-1.0), holding(2.0)).hear(rows_with(5.0, [(2.0, 0.0), (2.3, 0.0)]))
    assert starts(found) == near(2.0, 2.3)


@pytest.mark.parametrize("suppress", [False, True])
def test_a_pattern_takes_claps_in_their_order_whichever_named_them(suppress: bool) -> None:
    """The first clap is named by a patch, the second by its first look, before."""
    made = ears(lambda seconds, stage: (3.0, -9.0) if seconds > 2.1 else (-1.0, -9.0), holding(2.0),
                Targets((WITH,), (pattern(suppress=suppress),)))
    found = made.hear(rows_with(5.0, [(2.0, 0.0), (2.2, 0.0)], decay=0.6), batch=1)
    assert starts(found, "double") == near(2.0)
    assert starts(found) == ([] if suppress else near(2.0, 2.2))


def test_a_pattern_does_not_wait_for_an_onset_that_no_patch_can_reach() -> None:
    made = ears(sure_at(2.0, 2.7), lambda seconds: (0.1, 0.1), Targets((WITH,), (pattern(),)))
    found = made.hear(rows_with(6.0, [(1.2, 0.0), (2.0, 0.0), (2.7, 0.0)]), batch=1)
    at = next(at for at, each in made.told if each.target == "double")
    assert starts(found, "double") == near(2.0) and at < 3.0


@pytest.mark.parametrize("batch", [1, 7, 24, 96, 800])
def test_how_rows_are_batched_changes_nothing(batch: int) -> None:
    rows = rows_with(8.0, [(1.5, 0.0), (1.7, -3.0), (3.0, -2.0), (5.0, 2.0), (5.2, 0.0), (7.8, 0.0)])

    def events(size: int) -> list[tuple[str, str, int, int | None, float]]:
        made = ears(sure_at(1.7, 5.0), lambda seconds: (0.97, 0.1), Targets((replace(WITH, threshold=0.6),), (pattern(),)))
        return [(each.phase, each.target, each.start, each.end, round(each.probability, 6))
                for each in made.hear(rows, batch=size)]

    assert events(batch) == events(8) and len(events(8)) > 8


def test_a_closed_gate_leaves_the_looks_alone() -> None:
    made = ears(always(-1.0), holding(2.0))
    assert starts(made.hear(rows_with(4.0, [(2.0, 0.0)]), gate=False)) == []


def reloading(made: Ears, other: Decision, at: float) -> Callable[[Scores], list[Detection]]:
    """Instead of `made.decision.push`: `other` takes over at the first patch that ends after `at` seconds."""
    push = made.decision.push

    def pushed(scores: Scores) -> list[Detection]:
        if made.decision is not other and scores.position + PATCH > at * SAMPLE_RATE:
            made.keep(0, other.take_over(made.decision, 0))
            made.decision = other
        return push(scores) if made.decision is not other else other.push(scores)

    return pushed


def decision(target: Target, *labels: str) -> Decision:
    return Decision(Targets((target,)), (*LABELS, *labels), patch_samples=PATCH, hop_samples=HOP, look_labels=LABELS,
                    shape=LookShape(EARLY, AFTER, HISTORY))


def test_a_reload_keeps_what_waits_for_a_patch() -> None:
    made = ears(always(-1.0), holding(2.0))
    made.decision.push = reloading(made, decision(WITH), 2.25)  # type: ignore[method-assign]
    assert starts(made.hear(rows_with(4.0, [(2.0, 0.0)]))) == near(2.0)


def test_patches_of_a_model_with_fewer_rows_count_no_more_after_a_reload() -> None:
    """A clap just before or after the reload ended the run: its look asked the last patch for a row that it did not have."""
    at = (next(end for end in range(PATCH, 10 * SAMPLE_RATE, HOP) if end > 2 * SAMPLE_RATE) - 2 * INSIDE) / SAMPLE_RATE
    made, other = ears(always(-1.0), holding(at)), decision(replace(WITH, patch_rows=(2,)), "more")
    seen: list[Look] = []

    def looked(look: Look, scores: Scores) -> list[Detection]:
        seen.append(look)
        return Decision.looked(other, look, scores)

    other.looked = looked  # type: ignore[method-assign]
    other.push = lambda scores: other.skip(scores.position)  # type: ignore[method-assign]
    made.decision.push = reloading(made, other, at + 0.3)  # type: ignore[method-assign]
    assert starts(made.hear(rows_with(4.0, [(at, 0.0)]), batch=1)) == near(at)
    assert [look.stage for look in seen] == [SECOND]
