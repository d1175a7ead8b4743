"""Curves from logits to probabilities: known distortions are taken back, and what is fitted only rises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.learn.figures import expected_calibration_error
from edge.learn.probability import Curve, balanced, fit_beta, fit_curve, fit_platt, log_loss


def sample(count: int, distort: Curve, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logits whose true probability is `distort`'s, what was so, and folds."""
    rng = np.random.default_rng(seed)
    truth = rng.random(count) < 0.5
    powers = np.where(truth, rng.normal(2.0, 2.0, count), rng.normal(-2.0, 2.0, count))  # so the log odds are the power
    grid = np.linspace(-60, 60, 24_001)
    return np.interp(powers, distort.powers(grid), grid), truth, np.arange(count) % 5


def test_platt_finds_the_scale_and_offset_that_made_the_logits() -> None:
    logits, truth, _ = sample(20_000, Curve(0.4, 0.4, 1.5))
    curve = fit_platt(logits, truth)
    assert (curve.scale, curve.offset) == (pytest.approx(0.4, abs=0.02), pytest.approx(1.5, abs=0.08))
    assert curve.scale == curve.scale_below


def test_calibration_lowers_the_error_of_a_known_distortion() -> None:
    logits, truth, folds = sample(2_000, Curve(0.25, 0.25, -1.0))
    fitted = fit_curve(logits, truth, folds)
    before = expected_calibration_error(Curve().probabilities(logits), truth, balanced(truth))
    after = expected_calibration_error(fitted.out_of_fold, truth, balanced(truth))
    assert before > 0.1 and after < 0.04


@pytest.mark.big
def test_beta_wins_where_the_two_slopes_differ_and_platt_where_they_do_not() -> None:
    logits, truth, folds = sample(20_000, Curve(0.15, 1.5, 0.0))
    fitted = fit_curve(logits, truth, folds)
    assert fitted.form == "beta"
    assert fitted.curve.scale == pytest.approx(0.15, abs=0.03) and fitted.curve.scale_below == pytest.approx(1.5, abs=0.15)
    platt = fit_platt(logits, truth)
    assert log_loss(fitted.curve.probabilities(logits), truth) < log_loss(platt.probabilities(logits), truth)
    assert fit_curve(*sample(20_000, Curve(0.5, 0.5, 0.3))).form == "platt"


def test_beta_calibration_of_the_score_is_what_its_authors_wrote() -> None:
    score = np.array([0.01, 0.3, 0.5, 0.99])
    a, b, c = 0.7, 1.9, -0.4
    theirs = 1 / (1 + 1 / (np.exp(c) * score**a / (1 - score) ** b))
    ours = Curve(scale=b, scale_below=a, offset=c).probabilities(np.log(score) - np.log1p(-score))
    assert ours == pytest.approx(theirs)


def test_sounds_that_are_told_apart_perfectly_give_a_finite_curve() -> None:
    logits, truth = np.array([-4.0, -3.0, -2.0, 3.0, 5.0]), np.array([False, False, False, True, True])
    for curve in (fit_platt(logits, truth), fit_beta(logits, truth)):
        assert np.isfinite([curve.scale, curve.scale_below, curve.offset]).all()
        assert 0.6 < curve.probabilities(np.array([5.0]))[0] < 0.9, "Platt's targets: two positives are no certainty"


def test_how_many_recordings_of_a_side_there_are_does_not_move_the_curve() -> None:
    logits, truth, _ = sample(6_000, Curve(0.5, 0.5, 0.5))
    few = np.concatenate([np.flatnonzero(truth)[:300], np.flatnonzero(~truth)])
    assert fit_platt(logits[few], truth[few]).offset == pytest.approx(fit_platt(logits, truth).offset, abs=0.3)


def test_a_side_without_recordings_is_refused() -> None:
    with pytest.raises(ValueError, match="some of both"):
        fit_platt(np.array([1.0, 2.0]), np.array([True, True]))


@pytest.mark.big
@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.floats(-16, 16), st.booleans()), min_size=4, max_size=60))
def test_every_fitted_curve_rises(sounds: list[tuple[float, bool]]) -> None:
    logits = np.array([logit for logit, _ in sounds])
    truth = np.array([present for _, present in sounds])
    if not 0 < truth.sum() < len(truth):
        return
    curve = fit_curve(logits, truth, np.arange(len(truth)) % 3).curve
    probabilities = curve.probabilities(np.linspace(-20, 20, 201))
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    rising = np.diff(probabilities)
    assert (rising >= -1e-12).all() if curve.scale >= 0 and curve.scale_below >= 0 else (rising <= 1e-12).all()
