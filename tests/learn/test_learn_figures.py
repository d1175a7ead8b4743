"""Figures of merit against other ways to compute them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.learn.figures import (
    alarm_places,
    expected_calibration_error,
    heard_hours,
    poisson_upper,
    reliability,
    share_apart,
    wilson_interval,
)


@pytest.mark.parametrize("count", [0, 1, 2, 7, 40, 1000])
@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.999])
def test_the_poisson_bound_is_the_chi_square_quantile(count: int, confidence: float) -> None:
    stats = pytest.importorskip("scipy.stats")
    assert poisson_upper(count, confidence) == pytest.approx(stats.chi2.ppf(confidence, 2 * (count + 1)) / 2, rel=1e-9)


def test_the_poisson_bound_refuses_what_is_no_count() -> None:
    for count, confidence in ((-1, 0.95), (0, 0.0), (0, 1.0)):
        with pytest.raises(ValueError, match="count"):
            poisson_upper(count, confidence)


def test_one_sound_heard_by_several_patches_is_one_alarm() -> None:
    values = np.full(20, -5.0, np.float32)
    values[3:7] = (0.5, 2.0, 1.0, 0.2)  # one sound, in four patches
    values[15] = 1.5
    peaks = values[alarm_places(values, hop_seconds=0.24)]
    assert list(peaks[:2]) == [2.0, 1.5] and (peaks[2:] < 0.5).all()


@given(st.lists(st.floats(-20, 20, width=32), max_size=60), st.sampled_from([0.12, 0.24, 0.48]))
def test_alarms_are_a_second_apart_and_none_is_left_out(logits: list[float], hop_seconds: float) -> None:
    values = np.array(logits, np.float32)
    peaks = values[alarm_places(values, hop_seconds=hop_seconds)]
    assert (np.diff(peaks) <= 0).all()
    assert len(peaks) <= np.ceil(len(values) / (round(1.0 / hop_seconds) + 1)) * 2
    if len(values):
        assert peaks[0] == values.max()


def test_patches_that_were_not_scored_are_no_alarms() -> None:
    values = np.array([np.nan, -np.inf, 1.0, np.nan], np.float32)
    assert list(values[alarm_places(values, hop_seconds=0.24)]) == [1.0]
    assert not len(alarm_places(np.full(5, np.nan, np.float32), hop_seconds=0.24))


def test_hours_are_of_sound_and_not_of_patches() -> None:
    assert heard_hours([1], hop_seconds=0.24, patch_samples=15_600) == pytest.approx(0.975 / 3600)
    assert heard_hours([0, 11], hop_seconds=0.24, patch_samples=15_600) == pytest.approx(3.375 / 3600)


def test_probabilities_that_keep_their_word_have_no_calibration_error() -> None:
    rng = np.random.default_rng(1)
    probabilities = rng.random(200_000)
    truth = rng.random(200_000) < probabilities
    assert expected_calibration_error(probabilities, truth) < 0.01
    assert expected_calibration_error(probabilities**3, truth) > 0.15


def test_the_calibration_error_is_the_weighted_distance_of_the_bins() -> None:
    probabilities, truth = np.array([0.1, 0.1, 0.9, 1.0]), np.array([False, True, True, True])
    curve = reliability(probabilities, truth)
    assert list(curve.share) == [0.5, 1.0] and list(curve.weight) == [2.0, 2.0]
    assert expected_calibration_error(probabilities, truth) == pytest.approx((0.4 + 0.05) / 2)
    weights = np.array([1.0, 0.0, 1.0, 1.0])
    assert expected_calibration_error(probabilities, truth, weights) == pytest.approx((0.1 + 0.1) / 3)
    assert np.isnan(expected_calibration_error(probabilities[:0], truth[:0]))


def test_recordings_that_are_alike_within_their_groups_are_worth_as_many_as_there_are_groups() -> None:
    values = np.repeat([1.0, 5.0, -2.0, 3.0], 10)
    groups = [str(number // 10) for number in range(40)]
    assert share_apart(values, groups) == pytest.approx(4 / 40)
    mixed = np.random.default_rng(0).normal(size=4_000)
    assert share_apart(mixed, [str(number % 40) for number in range(4_000)]) > 0.5, "groups that say nothing"
    assert share_apart(values, [str(number) for number in range(40)]) == 1.0
    assert share_apart(values, ["one"] * 40) == 1.0 and share_apart(np.ones(9), list("aaabbbccc")) == 1.0


def test_an_interval_that_knows_of_groups_holds_other_groups() -> None:
    """One that takes recordings of a few sources for independent held the recall on other sources in one case of four."""
    rng, knows, believes = np.random.default_rng(4), 0, 0
    for _ in range(300):
        means = rng.normal(1.0, 1.0, 6)
        values, groups = (np.repeat(means, 20) + rng.normal(size=120)), [str(number // 20) for number in range(120)]
        share, true = float((values > 0.0).mean()), 0.7603  # 1 - Phi(-1 / sqrt(2)): over 0, of any group
        for worth in (120.0, 120.0 * share_apart(values, groups)):
            low, high = wilson_interval(share * worth, worth)
            held = low <= true <= high
            believes, knows = (believes + held, knows) if worth == 120.0 else (believes, knows + held)
    assert knows / 300 > 0.85 > 0.6 > believes / 300
