"""The budget on simulated rooms whose alarm rate is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edge.learn.tail import Share, alarms_per_day, alarms_upper, fit_tail, threshold_for
from edge.model.calibration import Peaks


def room(rng: np.random.Generator, hours: float, per_hour: float, beta: float) -> Peaks:
    """Peaks of a room in which `per_hour` sounds an hour rise over -5, exponentially."""
    logits = np.sort(-5.0 + rng.exponential(beta, rng.poisson(hours * per_hour)))[::-1]
    return Peaks(tuple(map(float, logits[:300])), len(logits), hours)


def true_per_day(threshold: float, per_hour: float, beta: float) -> float:
    return 24.0 * per_hour * math.exp(-max(threshold + 5.0, 0.0) / beta)


@pytest.mark.big
@pytest.mark.parametrize("minutes", [10, 60])
def test_the_bound_holds_where_the_room_held_no_alarm(minutes: int) -> None:
    rng = np.random.default_rng(minutes)
    held, near = 0, []
    for _ in range(400):
        shares = [Share(fit_tail(room(rng, minutes / 60, 1_200, 0.8)), 24.0)]
        threshold = threshold_for(shares, 1.0)
        assert shares[0].tail.extrapolated(threshold)
        assert alarms_per_day(shares, threshold) == pytest.approx(1.0, rel=1e-3)
        true = true_per_day(threshold, 1_200, 0.8)
        held += true <= alarms_upper(shares, threshold)
        near.append(true)
    assert held / 400 >= 0.9, "a 95 % bound, by the delta method"
    assert np.median(near) == pytest.approx(1.0, rel=0.5), "one a day was asked for"
    assert np.quantile(near, 0.9) < (40.0 if minutes == 10 else 6.0), "what ten minutes and an hour are worth"


def test_alarms_that_were_heard_are_counted() -> None:
    peaks = Peaks(tuple(float(logit) for logit in range(300, 0, -1)), 300, 10.0)
    tail = fit_tail(peaks)
    assert tail.counted(291.0) == 10 and not tail.extrapolated(291.0) and tail.extrapolated(297.5)
    assert tail.rate(100.0) == pytest.approx(20.1)
    assert tail.upper(100.0) > tail.rate(100.0)


def test_more_sound_of_the_same_kind_narrows_the_bound() -> None:
    rng = np.random.default_rng(3)
    short, long = (Share(fit_tail(room(rng, hours, 1_000, 0.7)), 24.0) for hours in (0.2, 5.0))
    ratios = [alarms_upper([share], (at := threshold_for([share], 1.0))) / alarms_per_day([share], at)
              for share in (short, long)]
    assert ratios[0] > ratios[1] > 1.0


def test_a_room_without_peaks_draws_no_tail_and_says_what_three_hours_of_nothing_mean() -> None:
    tail = fit_tail(Peaks((), 0, 3.0))
    assert tail.over == 0 and tail.rate(0.0) == 0.0 and tail.upper(0.0) == pytest.approx(1.0, rel=0.01)
    few = fit_tail(Peaks((2.0, 1.0), 2, 0.5))
    assert few.over == 0 and few.rate(1.5) == 2.0 and few.rate(2.5) == 0.0
    assert threshold_for([Share(few, 24.0)], 1.0) > 2.0
    assert threshold_for([Share(tail, 24.0)], 1.0, floor=0.7) == 0.7


def test_peaks_that_are_all_alike_do_not_break_the_tail() -> None:
    tail = fit_tail(Peaks((-16.0,) * 60, 60, 0.5))
    assert -16.0 <= threshold_for([Share(tail, 24.0)], 1.0) < -15.0


def test_no_sound_is_refused() -> None:
    with pytest.raises(ValueError, match="no sound"):
        fit_tail(Peaks((), 0, 0.0))


@example([0.0] * 10, 3.0, 24.0, -math.inf)
@given(st.lists(st.floats(-16, 16, width=32), min_size=1, max_size=300), st.floats(0.05, 20), st.floats(0.03, 500),
       st.floats(-16, 16) | st.just(-math.inf))
def test_the_threshold_keeps_the_budget_and_never_lies_under_the_floor(
        logits: list[float], hours: float, per_day: float, floor: float) -> None:
    shares = [Share(fit_tail(Peaks(tuple(sorted(logits, reverse=True)), len(logits), hours)), 24.0)]
    threshold = threshold_for(shares, per_day, floor=floor)
    assert threshold >= floor
    assert alarms_per_day(shares, threshold) <= per_day * (1 + 1e-6)
    assert alarms_upper(shares, threshold) >= alarms_per_day(shares, threshold)
    assert alarms_per_day(shares, threshold + 1.0) <= alarms_per_day(shares, threshold)
