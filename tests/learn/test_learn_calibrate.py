"""Thresholds for a budget: what labelled sound demands, what the room adds, and what is said of both."""

from __future__ import annotations

import math

import numpy as np
import pytest

from edge.errors import SettingsError, SourceError
from edge.learn.calibrate import Basis, Budget, parse_budget, peaks_of, positives_of, set_threshold, threshold_logit
from edge.learn.labelled import Sound, calibrate_labelled, fold_numbers, pool
from edge.learn.probability import Curve
from edge.model.calibration import Peaks

RNG = np.random.default_rng(5)


def basis(**known: object) -> Basis:
    return Basis(("clap",), "0" * 64, 0.5, **known)  # type: ignore[arg-type]


def peaks(count: int, hours: float, *, at: float = -3.0) -> Peaks:
    logits = np.sort(at + np.random.default_rng(count).exponential(0.8, count))[::-1]
    return Peaks(tuple(map(float, logits[:300])), count, hours)


@pytest.mark.parametrize(("text", "per_day"), [
    ("1/day", 1.0), ("5/hour", 120.0), ("0.2/week", 0.2 / 7), (" 2 / days ", 2.0), (".5/hour", 12.0), ("1/minute", 1440.0)])
def test_a_budget_is_a_number_over_a_time(text: str, per_day: float) -> None:
    assert parse_budget(text).per_day == pytest.approx(per_day)


@pytest.mark.parametrize("text", ["", "1", "1/", "/day", "0/day", "-1/day", "nan/day", "1/year", "one/day", "1e9/day"])
def test_nonsense_is_no_budget(text: str) -> None:
    with pytest.raises(SettingsError, match="--budget"):
        parse_budget(text)
    with pytest.raises(SettingsError, match="--varied-minutes"):
        parse_budget("1/day", -1.0)


def test_a_quiet_room_never_brings_the_threshold_under_what_labelled_sound_demands() -> None:
    known = basis(negatives=peaks(2_000, 3.0))
    without = set_threshold(known, Budget(), made="clips")
    quiet = set_threshold(known, Budget(), made="room", room=peaks(60, 0.2, at=-20.0))
    loud = set_threshold(known, Budget(), made="room", room=peaks(200, 0.2, at=-2.0))
    assert threshold_logit(quiet) == pytest.approx(threshold_logit(without), abs=0.1)
    assert threshold_logit(loud) > threshold_logit(without) + 1.0
    assert loud.expected.alarms_per_day == pytest.approx(1.0, rel=1e-3) and loud.expected.alarms_upper > 2.0
    assert loud.expected.extrapolated


def test_without_labelled_sound_a_quiet_room_leaves_the_targets_own_threshold() -> None:
    entry = set_threshold(basis(), Budget(), made="room", room=peaks(60, 0.2, at=-9.0))
    assert threshold_logit(entry) == pytest.approx(0.5)
    assert entry.expected.misses is None
    empty = set_threshold(basis(), Budget(), made="room", room=Peaks((), 0, 0.2))
    assert threshold_logit(empty) == pytest.approx(0.5)
    assert empty.expected.alarms_per_day == 0.0 and empty.expected.alarms_upper == pytest.approx(24 * 3.0 / 0.2, rel=0.01)
    with pytest.raises(SettingsError, match="nothing to set a threshold"):
        set_threshold(basis(), Budget(), made="room")


def test_a_smaller_budget_costs_misses_and_they_are_told() -> None:
    positives = positives_of(np.linspace(-2.0, 6.0, 81), [str(number) for number in range(81)])
    entries = [set_threshold(basis(negatives=peaks(2_000, 3.0), positives=positives), parse_budget(text), made="clips")
               for text in ("5/hour", "1/day", "0.2/week")]
    thresholds = [threshold_logit(entry) for entry in entries]
    misses = [entry.expected.misses for entry in entries]
    assert thresholds == sorted(thresholds) and thresholds[0] < thresholds[-1]
    for entry, found in zip(entries, misses, strict=True):
        assert found is not None
        share, low, high = found
        assert low <= share <= high
        assert share == pytest.approx(float((np.linspace(-2.0, 6.0, 81) < threshold_logit(entry)).mean()), abs=0.013)
        assert entry.release_threshold < entry.threshold


def test_a_lively_room_costs_no_more_than_was_allowed_and_what_it_would_have_cost_can_be_asked_for() -> None:
    """Ten minutes of talk and dishes, taken for a whole day, brought a threshold over nearly every recorded clap."""
    positives = positives_of(np.linspace(-2.0, 6.0, 81), [str(number) for number in range(81)])
    known = basis(negatives=peaks(2_000, 3.0), positives=positives)
    alone = set_threshold(known, Budget(), made="clips")
    lively = peaks(400, 0.17, at=-1.0)
    entries = [set_threshold(known, Budget(most_cost=cost), made="room", room=lively) for cost in (0.0, 0.1, 0.3, 1.0)]
    missed = [entry.expected.misses[0] - alone.expected.misses[0] for entry in entries  # type: ignore[index]
              if entry.expected.misses is not None and alone.expected.misses is not None]
    assert missed[0] == pytest.approx(0.0, abs=0.001) and 0.08 < missed[1] <= 0.1001
    assert 0.28 < missed[2] <= 0.3001 < missed[3]
    told = [entry.expected.alarms_per_day > 1.001 for entry in entries]
    assert told == [True, True, True, False], "what is given up is said"
    quiet = peaks(60, 0.2, at=-20.0)
    assert set_threshold(known, Budget(), made="room", room=quiet).threshold == pytest.approx(
        set_threshold(known, Budget(most_cost=1.0), made="room", room=quiet).threshold), "a quiet room costs nothing"
    with pytest.raises(SettingsError, match="--cost"):
        parse_budget("1/day", most_cost=1.5)


def test_the_threshold_is_a_probability_of_the_curve() -> None:
    entry = set_threshold(basis(negatives=peaks(2_000, 3.0), curve=Curve(0.4, 1.1, -0.7)), Budget(), made="clips")
    plain = set_threshold(basis(negatives=peaks(2_000, 3.0)), Budget(), made="clips")
    assert threshold_logit(entry) == pytest.approx(threshold_logit(plain), abs=1e-6)
    assert entry.threshold != plain.threshold


def test_peaks_of_one_burst_are_one_witness() -> None:
    alone = [np.array([3.0], np.float32) for _ in range(40)]
    together = [np.full(40 * 5, 3.0, np.float32)]
    one, other = (peaks_of(each, hop_seconds=0.24, patch_samples=15_600) for each in (alone, together))
    assert (one.count, other.count) == (40, 40)
    assert one.apart == 1.0 and other.apart < 0.1
    gated = peaks_of([np.array([np.nan, 1.0, np.nan], np.float32)], hop_seconds=0.24, patch_samples=15_600, hours=0.5)
    assert gated.count == 1 and gated.hours == 0.5


def sounds(count: int, *, apart: float, groups: int = 10) -> list[Sound]:
    made = []
    for number in range(count):
        for present in (True, False):
            top = RNG.normal(apart if present else 0.0, 1.0)
            logits = np.append(top - RNG.exponential(2.0, 20) - 1.0, top).astype(np.float32)
            made.append(Sound(logits, present, f"{present}{number % groups}"))
    return made


def test_labelled_sound_gives_curve_threshold_and_what_they_are_worth() -> None:
    entry, worth = calibrate_labelled(sounds(200, apart=5.0), basis(), Budget(per_day=24.0, varied_hours=1.0),
                                      hop_seconds=0.24, patch_samples=15_600)
    before, after = entry.expected.error_before, entry.expected.error_after
    assert before is not None and after is not None and after < before
    assert worth.groups == (10, 10) and worth.hours > 0.2
    share, low, high = worth.recall
    assert low < share <= high and share > 0.6
    assert entry.expected.misses is not None and entry.expected.misses[0] == pytest.approx(1 - share, abs=1e-3)
    assert worth.alarms / worth.hours < 100.0 and worth.upper > worth.alarms / worth.hours


@pytest.mark.big
def test_the_budget_holds_on_sound_that_the_threshold_never_saw() -> None:
    budget, counted, hours = Budget(per_day=240.0, varied_hours=1.0), 0, 0.0
    for _ in range(8):
        entry, _ = calibrate_labelled(sounds(100, apart=4.0), basis(), budget, hop_seconds=0.24, patch_samples=15_600)
        fresh = [sound.logits for sound in sounds(100, apart=4.0) if not sound.present]
        found = peaks_of(fresh, hop_seconds=0.24, patch_samples=15_600)
        counted += sum(logit >= threshold_logit(entry) for logit in found.logits)
        hours += found.hours
    assert counted / hours == pytest.approx(240.0, rel=0.35)


def test_too_few_recordings_and_positives_that_lie_low_are_refused() -> None:
    with pytest.raises(SourceError, match="4 recordings with it"):
        calibrate_labelled(sounds(4, apart=4.0), basis(), Budget(), hop_seconds=0.24, patch_samples=15_600)
    with pytest.raises(SourceError, match="score no higher"):
        calibrate_labelled(sounds(40, apart=-4.0), basis(), Budget(), hop_seconds=0.24, patch_samples=15_600)


def test_folds_keep_groups_whole_and_hold_both_sides() -> None:
    groups = [f"g{number % 7}" for number in range(70)]
    present = np.arange(70) % 2 == 0
    folds = fold_numbers(groups, present)
    assert all(len({int(fold) for fold, name in zip(folds, groups, strict=True) if name == group}) == 1 for group in groups)
    for fold in range(5):
        assert present[folds == fold].any() and not present[folds == fold].all()
    one_source = fold_numbers(["a"] * 10 + [f"b{n}" for n in range(10)], np.arange(20) < 10)
    assert len(set(one_source[:10].tolist())) == 5, "a single source is dealt out: nothing could be left out otherwise"


def test_pooled_peaks_are_never_more_than_both_lots_hold_in_full() -> None:
    full, cut = Peaks((5.0, 1.0, -2.0), 3, 0.5), Peaks((6.0, 4.0), 50, 2.0)
    both = pool(full, cut)
    assert both.logits == (6.0, 5.0, 4.0) and both.count == 53 and both.hours == 2.5
    assert math.isclose(both.apart, 1.0)
