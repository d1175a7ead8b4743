"""Looks decide sounds without length: who takes an onset, when, and when none does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from decision_scripts import STEP, clap_target, louder, pattern, rows_with, starts
from look_scripts import BOTH, CLAP, SNAP, Ears, Platt, always, heard, near, sure_at

from edge.decision.detection import Detection
from edge.decision.lookout import FIRST, MOST_A_SECOND, SECOND, LookShape
from edge.decision.targets import PatternTarget, Target, Targets
from edge.features.look import AFTER, EARLY, look
from edge.stream import SAMPLE_RATE, Scores


def test_a_first_look_names_an_onset_long_before_its_patch_is_complete() -> None:
    ears = Ears(Targets((CLAP,)), always(3.0))
    found = ears.hear(rows_with(4.0, [(2.0, 0.0)]), batch=1)
    assert starts(found) == near(2.0)
    assert [each.phase for each in found] == ["start", "end"]
    assert ears.seconds_to(2.0) == pytest.approx((EARLY * STEP + 40) / SAMPLE_RATE, abs=0.011)


def test_what_the_first_look_leaves_open_the_second_decides() -> None:
    ears = Ears(Targets((CLAP,)), sure_at(2.0, stage=SECOND))
    assert starts(ears.hear(rows_with(4.0, [(2.0, 0.0)]), batch=1)) == near(2.0)
    assert ears.seconds_to(2.0) == pytest.approx((AFTER * STEP + 40) / SAMPLE_RATE, abs=0.011)


def test_each_onset_gets_two_looks_with_the_rows_that_belong_to_it() -> None:
    rows = rows_with(4.0, [(2.0, 0.0)])
    ears = Ears(Targets((CLAP,)), always(-3.0))
    assert ears.hear(rows) == []
    assert [(one.stage, one.heard) for one in ears.looks] == [(FIRST, EARLY), (SECOND, AFTER)]
    first = (ears.looks[0].onset.position - 200) // STEP
    for one in ears.looks:
        assert np.array_equal(look(one.rows, one.row, one.heard), look(rows, first, one.heard))


def test_an_echo_is_not_looked_at() -> None:
    ears = Ears(Targets((CLAP,)), always(3.0))
    found = ears.hear(rows_with(5.0, [(2.0, 0.0), (2.1, -7.0)], decay=0.6))
    assert starts(found) == near(2.0) and len(ears.looks) == 2


@pytest.mark.parametrize("gap", [0.15, 0.25, 0.4, 0.8])
def test_claps_150_ms_apart_and_more_are_two_events(gap: float) -> None:
    found = heard(rows_with(6.0, [(2.0, 0.0), (2.0 + gap, -3.0)]), always(3.0))
    assert starts(found) == near(2.0, 2.0 + gap)
    assert [each.phase for each in found] == ["start", "end", "start", "end"]
    assert found[1].end is not None and found[1].end <= found[2].start


def test_the_most_probable_target_takes_an_onset_and_the_others_are_told() -> None:
    ears = Ears(BOTH, always(1.0, 2.0))
    found = ears.hear(rows_with(3.0, [(1.0, 0.0)]))
    assert starts(found) == [] and starts(found, "snap") == near(1.0)


def test_an_onset_that_the_first_look_gave_away_is_not_taken_by_the_second() -> None:
    found = heard(rows_with(3.0, [(1.0, 0.0)]), lambda seconds, stage: (1.0, -9.0) if stage == FIRST else (1.0, 9.0), BOTH)
    assert starts(found) == near(1.0) and starts(found, "snap") == []


def test_a_much_weaker_onset_near_a_named_one_is_not_named_and_one_farther_off_is() -> None:
    found = heard(rows_with(6.0, [(2.0, 0.0), (2.25, -16.0), (2.6, -16.0)], decay=0.6), always(3.0))
    assert starts(found) == near(2.0, 2.6)


def test_an_earlier_onset_that_only_its_second_look_names_is_an_event_of_its_own() -> None:
    ears = Ears(Targets((CLAP,)), lambda seconds, stage: (3.0 if stage == SECOND or seconds > 2.1 else -3.0, -9.0))
    found = ears.hear(rows_with(5.0, [(2.0, 0.0), (2.2, 0.0)], decay=0.6))
    assert starts(found) == near(2.2, 2.0)
    assert [each.phase for each in found] == ["start", "end", "start", "end"]
    assert all(each.end is not None and each.end > each.start for each in found if each.phase == "end")


@pytest.mark.parametrize("suppress", [False, True])
def test_a_pattern_takes_claps_in_their_order_however_they_came(suppress: bool) -> None:
    targets = Targets((CLAP,), (pattern(suppress=suppress),))
    late = heard(rows_with(5.0, [(2.0, 0.0), (2.2, 0.0)], decay=0.6),
                 lambda seconds, stage: (3.0 if stage == SECOND or seconds > 2.1 else -3.0, -9.0), targets)
    assert starts(late, "double") == near(2.0)
    assert starts(late) == ([] if suppress else near(2.0, 2.2))


def test_a_pattern_waits_for_quiet_after_it() -> None:
    targets = Targets((CLAP,), (pattern(after=0.5),))
    assert starts(heard(rows_with(5.0, [(2.0, 0.0), (2.3, 0.0)]), always(3.0), targets), "double") == near(2.0)
    assert starts(heard(rows_with(5.0, [(2.0, 0.0), (2.3, 0.0), (2.6, 0.0)]), always(3.0), targets), "double") == []


def test_a_pattern_fires_as_soon_as_its_last_clap_is_named() -> None:
    ears = Ears(Targets((CLAP,), (pattern(),)), always(3.0))
    ears.hear(rows_with(5.0, [(2.0, 0.0), (2.5, 0.0)]), batch=1)
    at = next(at for at, each in ears.told if each.target == "double")
    assert at == pytest.approx(2.5 + (EARLY * STEP + 40) / SAMPLE_RATE, abs=0.02)


PLAIN = rows_with(8.0, [(1.5, 0.0), (1.7, -3.0), (3.0, -2.0), (3.1, -12.0), (5.0, 2.0), (5.2, 0.0), (7.8, 0.0)])


@pytest.mark.parametrize("batch", [1, 7, 24, 96, 800])
@pytest.mark.parametrize("gate", [True, False])
def test_how_rows_are_batched_changes_no_event_and_no_order(batch: int, gate: bool) -> None:
    targets = Targets((CLAP, SNAP), (pattern(), PatternTarget("quick", "snap", 2, 0, 16_000, 0, 0, False)), (louder(20.0),))

    def said(seconds: float, stage: int) -> Sequence[float]:
        return (2.0 if stage == SECOND or seconds > 4 else -2.0, 1.0 if 1.6 < seconds < 2.0 else -3.0)

    found = heard(PLAIN, said, targets, batch=batch, gate=gate)
    told = [[(each.phase, each.target, each.start, each.end, each.probability) for each in one]
            for one in (found, heard(PLAIN, said, targets, gate=gate))]
    assert told[0] == told[1]
    assert len(starts(found)) > 3 and starts(found, "double") and starts(found, "loud")


def test_an_onset_near_the_end_is_looked_at_with_the_rows_that_there_are() -> None:
    rows = rows_with(3.0, [(2.0, 0.0)])
    for rows_heard, looks in ((EARLY - 1, 0), (EARLY, 1), (EARLY + 5, 2), (AFTER, 2)):
        ears = Ears(Targets((CLAP,)), sure_at(2.0, stage=SECOND))
        found = ears.hear(rows[: 199 + rows_heard])
        assert len(ears.looks) == looks
        assert starts(found) == (near(2.0) if looks == 2 else [])
        assert all(one.heard in (EARLY, rows_heard) for one in ears.looks)


def test_a_burst_bounds_itself_and_the_loudest_is_still_looked_at() -> None:
    taps = [(1.0 + 0.1 * number, -6.0) for number in range(30)]
    taps[25] = (taps[25][0], 3.0)
    ears = Ears(Targets((CLAP,)), sure_at(taps[25][0]))
    found = ears.hear(rows_with(6.0, taps, decay=1.5))
    assert starts(found) == near(taps[25][0])
    at = [one.onset.position for one in ears.looks if one.stage == FIRST]
    assert max(sum(start <= each < start + SAMPLE_RATE for each in at) for start in at) <= MOST_A_SECOND // 2
    assert ears.decision.lookout is not None and ears.decision.lookout.left_out > 10


def test_a_commanded_threshold_above_what_a_look_says_is_kept() -> None:
    strict = clap_target(stages=(Platt(), Platt()), threshold=0.96)
    assert starts(heard(rows_with(3.0, [(1.0, 0.0)]), always(3.0), Targets((strict,)))) == []
    assert starts(heard(rows_with(3.0, [(1.0, 0.0)]), always(3.5), Targets((strict,)))) == near(1.0)


def test_each_look_has_its_own_scale_and_a_calibration_stands_over_both() -> None:
    """Logit 2: the first look makes 0.5 of it, the second 3; the calibration takes half, less 0.25."""
    target = clap_target(stages=(Platt(0.5, -0.5), Platt(1.0, 1.0)), threshold=0.6, scale=0.5, offset=-0.25)
    ears = Ears(Targets((target,)), always(2.0))
    start, end = ears.hear(rows_with(3.0, [(1.0, 0.0)]))
    assert start.probability == end.probability == pytest.approx(1 / (1 + np.exp(-(3.0 * 0.5 - 0.25))))
    assert start.score == pytest.approx(1 / (1 + np.exp(-2.0)))
    assert ears.seconds_to(1.0) > 0.4


def test_the_peak_is_the_look_and_says_which_network_made_it() -> None:
    *_, end = heard(rows_with(3.0, [(1.0, 0.0)]), lambda seconds, stage: (2.0 + stage, -9.0))
    assert end.peak is not None and end.peak.network == "made up"
    assert end.peak.logits is not None and end.peak.logits[0] == 3.0
    assert [each.logits[0] for each in end.beside if each.logits is not None] == [2.0]


def test_how_a_target_stands_is_told_with_the_patch_after_the_look() -> None:
    ears = Ears(BOTH, always(-0.3, 2.0))
    stands = []
    push = ears.decision.push

    def spy(scores: Scores) -> list[Detection]:
        found = push(scores)
        stands.append(ears.decision.hearing())
        return found

    ears.decision.push = spy  # type: ignore[method-assign]
    ears.hear(rows_with(3.0, [(1.5, 0.0)]))
    told = [(clap.refused, snap.probability) for clap, snap in stands[2:] if clap.probability is not None]
    assert told and {refused for refused, _ in told} == {"heard as snap"}
    assert all(probability == pytest.approx(1 / (1 + np.exp(-2.0))) for _, probability in told)
    assert len(told) < len(stands) / 2


def test_a_target_that_yields_and_is_named_by_patches_is_told_what_looks_took() -> None:
    patch_named = clap_target(name="other", rows=np.array([1], np.intp), yields=True)
    ears = Ears(Targets((CLAP, patch_named)), always(3.0))
    push = ears.decision.push
    ears.decision.push = lambda scores: push(  # type: ignore[method-assign]
        Scores(scores.position, np.array([0.1, 0.9], np.float32), first=scores.first))
    found = ears.hear(rows_with(4.0, [(2.0, 0.0)]))
    assert starts(found) == near(2.0) and [each for each in starts(found, "other") if each > 0.1] == []


def test_a_reload_names_no_onset_twice_and_loses_none() -> None:
    rows = rows_with(4.0, [(1.0, 0.0), (1.6, 0.0)])
    before, after = (Ears(Targets((CLAP,)), always(3.0)) for _ in range(2))
    cut = 158 + EARLY  # the first clap is named, the second waits for its first look
    before.decision.hear(rows[:cut], 0)
    before.look(0)
    assert starts([each for _, each in before.told]) == near(1.0)
    after.keep(0, after.decision.take_over(before.decision, cut * STEP))
    after.decision.hear(rows[cut:], cut * STEP)
    after.look(0)
    assert starts([each for _, each in after.told]) == near(1.6)


def test_looks_of_too_few_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="looks of 3 and 40 rows"):
        LookShape(3, 40, 58)


def test_a_gap_forgets_what_waits() -> None:
    ears = Ears(Targets((CLAP,)), always(3.0))
    rows = rows_with(2.0, [(1.0, 0.0)])
    ears.decision.hear(rows[:105], 0)
    ears.look(0)
    assert ears.decision.interrupt(105 * STEP) == []
    ears.decision.hear(rows_with(2.0, []), 100_000)
    ears.said = always(-3.0)
    ears.look(0, last=True)
    assert [one.onset.position for one in ears.looks] == [100_200, 100_200]  # where the room begins again


def test_looks_keep_no_backbone_awake() -> None:
    ears = Ears(Targets((CLAP,), (pattern(suppress=True),)), always(3.0))
    ears.decision.hear(rows_with(2.0, [(1.0, 0.0)])[:120], 0)
    ears.look(0)
    assert ears.told == [] and not ears.decision.busy  # the clap is held back for the pattern


def test_no_look_is_due_where_no_target_is_decided_by_looks() -> None:
    ears = Ears(Targets((clap_target(),)), always(3.0))
    assert ears.decision.lookout is None and ears.hear(rows_with(3.0, [(1.0, 0.0)])) == [] and ears.looks == []


def test_the_target_tells_that_looks_decide_it() -> None:
    assert CLAP.looked and not Target.looked.fget(clap_target())  # type: ignore[attr-defined]
