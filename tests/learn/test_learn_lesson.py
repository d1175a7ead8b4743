"""One sound learnt: what is judged out of fold, what is refused, and how thresholds and bounds come about."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from edge.learn.figures import poisson_upper
from edge.learn.lesson import (
    ALTERED,
    HEARD,
    LOWEST_RECALL,
    Examples,
    Lesson,
    Negatives,
    learn_sound,
    source_folds,
    start_logit,
)
from edge.learn.tally import alarms_at, alarms_with_bound
from edge.learn.teach import refusal

COLUMNS = 24


def crowd(count: int = 600, seed: int = 1) -> Negatives:
    """Six kinds of sound from thirty sources, each kind around a place of its own."""
    random = np.random.default_rng(seed)
    kind = np.arange(count) % 6
    places = random.normal(0.0, 1.0, (6, COLUMNS))
    embeddings = np.maximum(places[kind] + random.normal(0.0, 0.6, (count, COLUMNS)), 0.0)
    return Negatives(embeddings.astype(np.float32), np.array([f"kind {each}" for each in kind]),
                     np.array([f"source {each}" for each in np.arange(count) % 30]), np.full(count, 6.0, np.float32),
                     np.ones(count, np.float32))


def examples_at(place: np.ndarray, clips: int = 8, seed: int = 2) -> Examples:
    random = np.random.default_rng(seed)
    clip = np.repeat(np.arange(clips), 6)
    embeddings = np.maximum(place + random.normal(0.0, 0.4, (len(clip), COLUMNS)), 0.0)
    return Examples(embeddings.astype(np.float32), clip, np.where(np.arange(len(clip)) % 6 < 2, HEARD, ALTERED))


def learnt(place: np.ndarray, **more: float) -> Lesson:
    return learn_sound(examples_at(place), crowd(), alarms_per_hour=more.get("alarms_per_hour", 2.0))


def test_a_sound_of_its_own_is_heard_and_one_like_the_others_is_refused() -> None:
    apart = learnt(np.random.default_rng(9).normal(0.0, 1.5, COLUMNS))
    assert apart.recall == 1.0 and refusal(apart) == ""
    assert 0.0 < apart.release_threshold < apart.threshold < 1.0
    kind = np.random.default_rng(1).normal(0.0, 1.0, (6, COLUMNS))[2]
    alike = learnt(kind)
    assert alike.recall < LOWEST_RECALL
    assert alike.collisions[0][0] == "kind 2" and "kind 2" in refusal(alike)
    assert refusal(alike, ["kettle"]).endswith(" and the target kettle")


def test_the_examples_reach_the_threshold_that_the_lesson_gives() -> None:
    place = np.random.default_rng(9).normal(0.0, 1.5, COLUMNS)
    lesson = learnt(place)
    fresh = examples_at(place, seed=77).embeddings
    assert (lesson.probabilities(fresh) >= lesson.threshold).mean() > 0.95
    others = lesson.probabilities(crowd(seed=1).embeddings)
    assert (others >= lesson.threshold).mean() < 0.02


def test_the_tally_counts_what_the_lesson_foretold() -> None:
    """Also where the sound is like others, and some of both sides lie at the threshold."""
    alike = np.random.default_rng(1).normal(0.0, 1.0, (6, COLUMNS))[2]
    for place in (np.random.default_rng(9).normal(0.0, 1.5, COLUMNS), alike):
        lesson = learnt(place, alarms_per_hour=30.0)
        start = math.log(lesson.threshold / (1.0 - lesson.threshold))
        (over, _, _), (under, upper, _) = (alarms_at(lesson.tally, start + away) for away in (1e-3, -1e-3))
        assert over <= lesson.alarms_per_hour <= under and lesson.alarms_upper <= upper and lesson.tally.all_seconds > 0.0
        heard = [sum(each >= start + away for each in lesson.tally.recordings) for away in (1e-3, -1e-3)]
        assert heard[0] <= lesson.heard <= heard[1] and len(lesson.tally.recordings) == lesson.clips


def test_recordings_that_sound_alike_do_not_vouch_for_each_other() -> None:
    """Five alarms of one recording session: 5 of 5 would be heard, said `teach`; 1 of 5 others was."""
    random = np.random.default_rng(9)
    one, other = examples_at(random.normal(0.0, 1.5, COLUMNS), 4), examples_at(random.normal(0.0, 1.5, COLUMNS), 4, 3)
    both = Examples(np.concatenate((one.embeddings, other.embeddings)), np.concatenate((one.clip, 4 + other.clip)),
                    np.concatenate((one.kind, other.kind)))
    alone = learn_sound(both, crowd(), alarms_per_hour=2.0)
    assert (alone.heard, alone.alone, alone.clips, alone.groups) == (8, 8, 8, 8)
    apart = learn_sound(replace(both, groups=np.repeat([0, 1], 4)), crowd(), alarms_per_hour=2.0)
    assert apart.heard < 8 and (apart.alone, apart.clips, apart.groups) == (8, 8, 2)
    assert apart.recall == 1.0 and refusal(apart) == ""  # that it differs from day to day is no reason to refuse it
    as_one = learn_sound(replace(one, groups=np.zeros(4, np.intp)), crowd(), alarms_per_hour=2.0)
    assert (as_one.heard, as_one.clips, as_one.groups) == (4, 4, 1)


def test_the_same_lesson_comes_of_the_same_sounds() -> None:
    place = np.random.default_rng(9).normal(0.0, 1.5, COLUMNS)
    np.testing.assert_array_equal(learnt(place).row, learnt(place).row)


def test_folds_keep_a_source_together_and_are_even() -> None:
    sources = np.array(["a"] * 5 + ["b"] * 3 + ["c"] * 2 + ["d"])
    folds = source_folds(sources, 2)
    assert all(len(set(folds[sources == name])) == 1 for name in "abcd")
    assert sorted(np.bincount(folds)) == [5, 6]


def test_a_threshold_spends_the_budget_and_no_more() -> None:
    other = np.linspace(-5.0, 5.0, 1000, dtype=np.float32)
    seconds = np.full(1000, 3.6, np.float32)  # an hour in all; two seconds at most count for each
    start = start_logit(np.array([0.0], np.float32), other, seconds, alarms_per_hour=20.0)
    assert 2.0 * (other >= start).sum() == pytest.approx(20.0, abs=2.0)
    clear = start_logit(np.array([15.0, 20.0], np.float32), other, seconds, alarms_per_hour=20.0)
    assert start < clear < 15.0


def test_the_bound_is_poissons_where_every_sound_weighs_the_same() -> None:
    seconds = np.ones(3600, np.float32)
    assert alarms_with_bound(seconds[:0], seconds) == (0.0, pytest.approx(poisson_upper(0)))
    assert alarms_with_bound(seconds[:3], seconds) == (3.0, pytest.approx(poisson_upper(3)))
    few, bound = alarms_with_bound(np.array([2.0, 2.0], np.float32), seconds)
    assert few == 4.0 and bound == pytest.approx(2.0 * poisson_upper(2))
    little, bound = alarms_with_bound(np.array([0.1], np.float32), seconds)
    assert little == pytest.approx(0.1) and bound >= poisson_upper(0), "no less than what none at all may hide"
