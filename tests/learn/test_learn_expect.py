"""What to expect at other thresholds, against plain counts over made-up sound."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.learn.calibrate import Basis, Budget, peaks_of, positives_of, set_threshold
from edge.learn.expect import COUNTED, DRAWN, FEWER, MORE, lesson_outlooks, outlooks
from edge.learn.figures import poisson_upper, wilson_interval
from edge.learn.probability import Curve
from edge.learn.tally import MOST, alarms_with_bound, tally_of
from edge.model.calibration import Peaks, TargetCalibration
from edge.model.foreseen import Foreseen

HOP = 0.24
STEPS = [step / 100 for step in range(1, 101)]
HOURS = 2.5


def logits_of(tenths: list[int]) -> np.ndarray:
    """Between two steps of any threshold: no logit lies on one."""
    return np.array(tenths, np.float64) / 10.0 + 0.03


def heard_apart(logits: np.ndarray, hours: float) -> Peaks:
    """Peaks of sound in which they lie two minutes from each other."""
    stretch = np.full(len(logits) * 500 + 1, np.nan, np.float32)
    stretch[: len(logits) * 500: 500] = logits
    return peaks_of([stretch], hop_seconds=HOP, patch_samples=15_600, hours=hours)


def entry_of(negatives: Peaks, *, curve: Curve = Curve(), positives: np.ndarray | None = None,  # noqa: B008
             room: Peaks | None = None, per_day: float = 1.0) -> TargetCalibration:
    found = None if positives is None else positives_of(positives, [str(number) for number in range(len(positives))])
    basis = Basis(("clap",), "0" * 64, 0.5, curve, found, negatives)
    return set_threshold(basis, Budget(per_day), made="clips" if room is None else "room", room=room)


@settings(max_examples=40, deadline=None)
@given(negatives=st.lists(st.integers(-60, 60), min_size=1, max_size=60),
       positives=st.lists(st.integers(-60, 60), min_size=1, max_size=40),
       scale=st.sampled_from([0.4, 1.0, 1.7]), offset=st.sampled_from([-0.53, 0.0, 1.21]))
def test_what_is_counted_is_what_was_heard(negatives: list[int], positives: list[int], scale: float, offset: float) -> None:
    other, own, curve = logits_of(negatives), logits_of(positives), Curve(scale, scale, offset)
    entry = entry_of(heard_apart(other, HOURS), curve=curve, positives=own)
    others, owns = curve.probabilities(other), curve.probabilities(own)
    found = outlooks(entry, STEPS)
    assert [one.threshold for one in found] == STEPS
    for one in found:
        missed = float((owns < one.threshold).mean())
        interval = wilson_interval(missed * len(own), len(own))
        assert one.misses == pytest.approx((missed, *interval), abs=6e-5)
        if one.known == COUNTED:
            alarms = int((others >= one.threshold).sum())
            assert one.alarms_per_day == pytest.approx(alarms / HOURS * 0.2)
            assert one.alarms_upper == pytest.approx(poisson_upper(alarms) / HOURS * 0.2)
        assert one.alarms_upper >= one.alarms_per_day > 0.0 or one.known == COUNTED
    rates = [one.alarms_per_day for one in found]
    assert rates == sorted(rates, reverse=True), "a higher threshold never brings more"


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), hours=st.sampled_from([0.2, 2.0]), per_day=st.sampled_from([0.1, 1.0, 50.0]),
       with_room=st.booleans())
def test_at_its_own_threshold_it_says_what_the_calibration_said(seed: int, hours: float, per_day: float,
                                                                with_room: bool) -> None:
    rng = np.random.default_rng(seed)
    negatives, room = (heard_apart(np.round(-3.0 + rng.exponential(0.8, 60), 4), each) for each in (HOURS, hours))
    entry = entry_of(negatives, positives=rng.normal(3.0, 1.0, 20), room=room if with_room else None, per_day=per_day)
    (one,) = outlooks(entry, [entry.threshold])
    assert one.misses == entry.expected.misses and one.known in (COUNTED, DRAWN)
    assert (one.alarms_per_day, one.alarms_upper) == (entry.expected.alarms_per_day, entry.expected.alarms_upper)
    assert one.known == DRAWN or not entry.expected.extrapolated


def test_nothing_is_drawn_out_beyond_what_was_heard() -> None:
    """Ten minutes of a room say nothing of 0.0001 false alarms a day, however high the threshold."""
    logits = np.round(-3.0 + np.random.default_rng(1).exponential(0.8, 60), 4)
    entry = entry_of(heard_apart(logits, HOURS), room=heard_apart(logits, 0.2), positives=np.array([20.0, 21.0]))
    top = float(Curve.of(entry).probabilities(np.array([logits.max()]))[0])
    assert entry.threshold > top, "the calibration itself was drawn out to its own threshold"
    within, at, over, far = outlooks(entry, [(top + entry.threshold) / 2.0, entry.threshold, entry.threshold + 1e-9, 1.0])
    assert within.known == at.known == DRAWN and over.known == far.known == FEWER
    assert within.alarms_per_day > at.alarms_per_day == pytest.approx(1.0, rel=1e-3)
    assert far.alarms_per_day == over.alarms_per_day == pytest.approx(at.alarms_per_day)
    assert far.alarms_upper == over.alarms_upper == pytest.approx(at.alarms_upper)
    assert far.misses == pytest.approx((1.0, *wilson_interval(2, 2)), abs=6e-5)


def test_under_the_lowest_peak_that_was_kept_there_are_more() -> None:
    logits = np.round(np.linspace(4.0, -4.0, 1_000), 4)
    entry = entry_of(heard_apart(logits, HOURS))
    assert entry.negatives is not None and (len(entry.negatives.logits), entry.negatives.count) == (300, 1_000)
    lowest = float(Curve.of(entry).probabilities(np.array([entry.negatives.logits[-1]]))[0])
    under, over = outlooks(entry, [lowest - 0.01, lowest + 0.01])
    assert under.known == MORE and over.known == COUNTED
    assert over.alarms_per_day < under.alarms_per_day == pytest.approx(300 / HOURS * 0.2)
    assert under.alarms_upper == pytest.approx(poisson_upper(1_000) / HOURS * 0.2)


def test_a_room_in_which_nothing_rose_is_bounded_by_its_length() -> None:
    entry = set_threshold(Basis(("clap",), "0" * 64, 0.5), Budget(), made="room", room=Peaks((), 0, 0.2))
    for one in outlooks(entry, [0.01, 0.5, 0.99]):
        assert (one.alarms_per_day, one.known, one.misses) == (0.0, COUNTED, None)
        assert one.alarms_upper == pytest.approx(24.0 * poisson_upper(0) / 0.2)


def test_where_nothing_was_heard_nothing_is_said() -> None:
    entry = replace(entry_of(heard_apart(np.array([1.0]), HOURS)), negatives=None)
    assert outlooks(entry, STEPS) == []


def test_a_lesson_without_a_tally_foretells_its_own_threshold() -> None:
    (one,) = lesson_outlooks(0.63, Foreseen(8, 10, 2.0, 7.0), 0.2, STEPS)
    assert (one.threshold, one.alarms_per_day, one.known) == (0.63, 0.4, COUNTED)
    assert one.alarms_upper == pytest.approx(1.4)
    assert one.misses == pytest.approx((0.2, *wilson_interval(2, 10)), abs=6e-5)


@settings(max_examples=40, deadline=None)
@given(own=st.lists(st.integers(-60, 60), min_size=5, max_size=20), others=st.lists(st.tuples(
    st.integers(-60, 60), st.sampled_from([0.0, 0.5, 1.0, 2.0])), min_size=1, max_size=2 * MOST))
def test_a_lesson_with_a_tally_counts_at_every_threshold(own: list[int], others: list[tuple[int, float]]) -> None:
    recordings, logits = logits_of(own), logits_of([logit for logit, _ in others])
    seconds = np.array([each for _, each in others])
    tally = tally_of(recordings, logits, seconds, HOURS)
    assert len(tally.others) == min(int((seconds > 0.0).sum()), MOST)
    foreseen = Foreseen(1, 1, 0.5, 9.0, tally=tally)
    for step, one in zip(STEPS, lesson_outlooks(0.63, foreseen, 0.2, STEPS), strict=True):
        logit = math.log(step / (1.0 - step)) if step < 1.0 else math.inf
        missed = int((recordings < logit).sum())
        alarms, upper = alarms_with_bound(seconds[logits >= logit], seconds)
        if step == 0.63:
            assert (one.alarms_per_day, one.alarms_upper) == pytest.approx((0.1, 1.8)), "its own"
            continue
        assert one.misses == pytest.approx((missed / len(own), *wilson_interval(missed, len(own))), abs=6e-5)
        if one.known == COUNTED:
            assert one.alarms_per_day == pytest.approx(alarms / HOURS * 0.2)
            assert one.alarms_upper == pytest.approx(upper / HOURS * 0.2)
        else:
            assert one.known == MORE and one.alarms_per_day <= alarms / HOURS * 0.2 + 1e-9
            assert upper / HOURS * 0.2 <= one.alarms_upper + 1e-9
