"""One clap is one event, at its onset; what is near it, weaker than it or an echo of it is not another."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
from decision_scripts import HOP, PATCH, clap_target, holding, rows_with, run, starts

from edge.decision.decision import Decision
from edge.decision.targets import Target, Targets
from edge.stream import SAMPLE_RATE, Scores

CLAP = Targets((clap_target(),))


def near(*seconds: float) -> list[object]:
    return [pytest.approx(each, abs=0.02) for each in seconds]


@pytest.mark.parametrize("hop", [1_600, 3_840, 7_680, 15_360])
@pytest.mark.parametrize("at", [1.3, 1.37, 1.44, 1.51, 2.0])
def test_one_clap_is_one_event_at_its_onset(at: float, hop: int) -> None:
    found = run(rows_with(5.0, [(at, 0.0)]), holding([at]), CLAP, hop=hop)
    assert starts(found) == near(at)
    assert [each.phase for each in found] == ["start", "end"]
    assert found[1].end is not None and found[0].start < found[1].end < found[0].start + 0.5 * SAMPLE_RATE


@pytest.mark.parametrize("gap", [0.15, 0.25, 0.4, 0.8, 1.2])
def test_claps_150_ms_apart_and_more_are_two_events(gap: float) -> None:
    found = run(rows_with(6.0, [(2.0, 0.0), (2.0 + gap, -3.0)]), holding([2.0, 2.0 + gap]), CLAP)
    assert starts(found) == near(2.0, 2.0 + gap)
    assert [each.phase for each in found] == ["start", "end", "start", "end"]
    assert found[1].end is not None and found[1].end <= found[2].start


def test_an_echo_makes_no_second_event() -> None:
    found = run(rows_with(5.0, [(2.0, 0.0), (2.1, -7.0)], decay=0.6), holding([2.0]), CLAP)
    assert starts(found) == near(2.0)


def test_a_much_weaker_sound_in_the_same_patch_does_not_share_the_name() -> None:
    found = run(rows_with(6.0, [(1.7, -16.0), (2.0, 0.0), (2.4, -16.0)], decay=0.6), holding([2.0]), CLAP)
    assert starts(found) == near(2.0)


def test_what_came_before_and_was_not_named_is_not_named_with_the_clap() -> None:
    found = run(rows_with(6.0, [(1.5, 0.0), (2.2, 0.0)]), holding([2.2]), CLAP)
    assert starts(found) == near(2.2)


def test_an_onset_without_the_models_word_is_no_event() -> None:
    assert run(rows_with(6.0, [(2.0, 0.0), (3.0, 5.0)]), holding([]), CLAP) == []


def test_an_onset_waits_for_the_patch_that_names_it() -> None:
    """The model is sure only when the clap lies in the first half of the patch: half a second after it was heard."""
    found = run(rows_with(6.0, [(2.0, 0.0)]), lambda start: 0.9 if start <= 2.0 <= start + 0.5 else 0.3, CLAP)
    assert starts(found) == near(2.0)


def test_the_end_tells_the_highest_probability_and_the_patch_that_gave_it() -> None:
    found = run(rows_with(5.0, [(2.0, 0.0)]), lambda start: max(0.0, 0.95 - abs(start + 0.4875 - 2.0)), CLAP)
    assert found[0].probability < found[1].probability
    peak = found[1].peak
    assert peak is not None and float(peak.values[0]) == found[1].probability
    assert abs(peak.position / SAMPLE_RATE + 0.4875 - 2.0) <= HOP / SAMPLE_RATE / 2 + 0.01


def test_a_sound_named_without_an_onset_is_no_event() -> None:
    rows = rows_with(6.0, [])
    for number in range(4):
        rows[200 + number:] += 0.1  # fades in: 0.9 dB a frame, under what makes an onset
    assert run(rows, holding([2.3]), CLAP) == []


def test_a_sound_refused_for_want_of_an_onset_is_told() -> None:
    decision = Decision(CLAP, ("clap",), patch_samples=PATCH, hop_samples=HOP)
    rows = rows_with(3.0, [(0.01, 0.0)])  # an onset that the second patch no longer holds
    decision.hear(rows, 0)
    for number, refused in enumerate(("", "no onset")):
        decision.push(Scores(PATCH * number, np.array([0.9], np.float32), first=number == 0))
        assert decision.hearing()[0].refused == refused


def test_a_gap_ends_the_event_and_forgets_what_waits() -> None:
    decision = Decision(CLAP, ("clap",), patch_samples=PATCH, hop_samples=HOP)
    rows = rows_with(2.0, [(0.8, 0.0)])
    decision.hear(rows[:96], 0)
    (start,) = decision.push(Scores(0, np.array([0.9], np.float32), first=True))
    (end,) = decision.interrupt(PATCH)
    assert (start.phase, end.phase) == ("start", "end") and end.end is not None and end.end <= PATCH
    decision.hear(rows_with(1.0, []), 100_000)
    assert decision.push(Scores(100_000, np.array([0.1], np.float32), first=True)) == []


@pytest.mark.parametrize("batch", [1, 7, 24, 96, 500])
def test_how_rows_are_batched_changes_no_event(batch: int) -> None:
    rows = rows_with(6.0, [(1.5, 0.0), (1.7, -3.0), (3.0, -2.0), (3.1, -12.0)])
    said = holding([1.5, 1.7, 3.0])
    assert run(rows, said, CLAP, batch=batch) == run(rows, said, CLAP)


def test_why_nothing_was_raised_is_told() -> None:
    decision = Decision(CLAP, ("clap",), patch_samples=PATCH, hop_samples=HOP)
    rows = rows_with(3.0, [(0.5, 0.0)])
    decision.hear(rows[:96], 0)
    decision.push(Scores(0, np.array([0.4], np.float32), first=True))
    (now,) = decision.hearing()
    assert (now.target, now.refused, now.running) == ("clap", "under the threshold", False)
    decision.push(Scores(HOP, np.array([0.9], np.float32)))
    decision.push(Scores(2 * HOP, np.array([0.9], np.float32)))
    assert decision.hearing()[0].refused == "the same onset"


SNAP = clap_target(name="snap", rows=np.array([1], np.intp), yields=True)


@pytest.mark.parametrize("targets", [(clap_target(), SNAP), (SNAP, clap_target())])
def test_an_onset_that_another_target_has_named_is_not_that_of_one_that_yields(targets: tuple[Target, ...]) -> None:
    """A clap raised finger_snap beside hand_clap on half of the recorded claps."""
    rows = rows_with(8.0, [(2.0, 0.0), (4.0, 0.0), (6.0, 0.0)])
    found = run(rows, holding([2.0, 4.0]), Targets(targets), second=holding([4.0, 6.0]))
    assert starts(found) == near(2.0, 4.0)
    assert starts(found, "snap") == near(6.0)


def test_equals_do_not_yield_to_each_other() -> None:
    both = Targets((clap_target(), replace(SNAP, yields=False)))
    found = run(rows_with(5.0, [(2.0, 0.0)]), holding([2.0]), both, second=holding([2.0]))
    assert starts(found) == starts(found, "snap") == near(2.0)


def test_a_weaker_sound_behind_the_one_that_was_yielded_is_no_event() -> None:
    rows = rows_with(6.0, [(2.0, 0.0), (2.4, -16.0)], decay=0.6)
    assert starts(run(rows, holding([2.0]), Targets((clap_target(), SNAP)), second=holding([2.0])), "snap") == []


def test_to_which_target_an_onset_was_yielded_is_told() -> None:
    decision = Decision(Targets((clap_target(), SNAP)), ("clap", "snap"), patch_samples=PATCH, hop_samples=HOP)
    decision.hear(rows_with(2.0, [(0.5, 0.0)])[:96], 0)
    decision.push(Scores(0, np.array([0.9, 0.9], np.float32), first=True))
    assert [(each.target, each.refused) for each in decision.hearing()] == [("clap", ""), ("snap", "heard as clap")]


@pytest.mark.big
def test_onsets_do_not_heap_up_while_the_gate_is_shut() -> None:
    """A tap drips for an hour beside a shut gate: 3,751 onsets once waited for patches that never came."""
    minute = rows_with(60.0, [(each + 0.5, 0.0) for each in range(60)])
    decision = Decision(CLAP, ("clap",), patch_samples=PATCH, hop_samples=15_360)
    sizes = []
    for number in range(60):
        at = number * 6_000
        decision.hear(minute, at * 160)
        for start in range(at * 160, (at + 5_902) * 160, 15_360):
            assert decision.skip(start) == []
        sizes.append(len(pickle.dumps(decision)))
    assert max(sizes[1:]) < 1.2 * sizes[1]
