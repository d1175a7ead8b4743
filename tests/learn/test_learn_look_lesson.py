"""A sound learnt from its onsets: told apart from others at a stated number of false alarms, by either look."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edge.learn.look_bank import LookBank
from edge.learn.look_examples import Onsets
from edge.learn.look_lesson import LookExamples, LookNegatives, learn_look, powers
from edge.learn.look_teach import learn_from_onsets, look_negatives
from edge.learn.tally import alarms_at
from edge.model.head import logistic
from edge.model.look_offer import LookOffer, Stage
from edge.model.manifest import TensorSpec

SIZE = 6
SPEC = TensorSpec((1, SIZE), "int8", 0.05, 0)


def bank(rng: np.random.Generator, count: int = 400) -> LookBank:
    """Half talk that goes on, half claps; the second value tells them apart. An hour of talk."""
    cells = rng.normal(0.0, 12.0, (count, 2, SIZE))
    claps = np.arange(count) >= count // 2
    cells[claps, :, 1] += 60.0
    names = np.where(claps, "hand_clap", "neg_speech")
    return LookBank(np.clip(cells, -127, 127).astype(np.int8), SPEC.scale, SPEC.zero_point, names,
                    np.where(claps, names, ""), np.array([f"source {number % 20}" for number in range(count)]),
                    np.ones(count, np.float32), claps, np.zeros(count, np.bool_), 1.0)


def onsets(rng: np.random.Generator, clips: int = 6, apart: float = 60.0) -> Onsets:
    """A sound whose first value is high, and its second one that of a clap."""
    cells = rng.normal(0.0, 12.0, (clips, 2, SIZE))
    cells[..., 0] += apart
    cells[..., 1] += 60.0
    return Onsets(np.clip(cells, -127, 127).astype(np.int8), np.arange(clips, dtype=np.uint8), np.zeros(clips, np.uint8),
                  clips)


def negatives(rng: np.random.Generator) -> LookNegatives:
    return look_negatives(bank(rng), (), SPEC, name="mine", adds=False)


def examples(made: Onsets) -> LookExamples:
    return LookExamples(SPEC.to_real(made.cells), made.clip.astype(np.intp), made.kind.astype(np.intp),
                        np.arange(made.clips))


def test_a_sound_that_differs_is_heard_and_others_are_not() -> None:
    rng = np.random.default_rng(1)
    other, mine = negatives(rng), onsets(rng)
    lesson = learn_look(examples(mine), other, alarms_per_hour=2.0)
    assert lesson.heard == lesson.alone == lesson.clips == 6 and lesson.recall == 1.0
    start = np.log(lesson.threshold / (1.0 - lesson.threshold))
    logits = other.embeddings.astype(np.float64) @ lesson.row + lesson.bias
    assert (powers(logits, lesson.stages)[~other.lone] >= start).sum() <= 2
    (over, _, _), (under, upper, _) = (alarms_at(lesson.tally, float(start) + away) for away in (1e-3, -1e-3))
    assert over <= lesson.alarms_per_hour <= under and lesson.alarms_upper <= upper
    assert sum(each >= start for each in lesson.tally.recordings) == 6
    fresh = SPEC.to_real(onsets(rng, 50).cells).astype(np.float64) @ lesson.row + lesson.bias
    assert (powers(fresh, lesson.stages) >= start).mean() > 0.9


def test_an_onset_counts_once_and_either_look_may_be_sure() -> None:
    stages = ((1.0, 0.0), (2.0, -1.0))
    assert powers(np.array([[3.0, -5.0], [0.0, 4.0]]), stages).tolist() == [3.0, 7.0]


def test_more_false_alarms_allowed_hear_more_of_a_sound_that_is_like_claps() -> None:
    rng = np.random.default_rng(2)
    other, mine = negatives(rng), onsets(rng, 10, 18.0)
    few, many = (learn_look(examples(mine), other, alarms_per_hour=rate) for rate in (1.0, 40.0))
    assert few.threshold < 1.0 and few.recall <= many.recall
    assert few.alarms_per_hour <= 1.0 and few.alarms_upper > few.alarms_per_hour


def test_a_sound_like_claps_is_taken_for_them_where_it_adds_nothing() -> None:
    rng = np.random.default_rng(3)
    clap = onsets(rng, 6, 0.0)
    kept, dropped = (look_negatives(bank(rng), (), SPEC, name="hand_clap", adds=adds) for adds in (False, True))
    assert "hand_clap" in kept.names and "hand_clap" not in dropped.names
    alike, added = (learn_look(examples(clap), one, alarms_per_hour=2.0) for one in (kept, dropped))
    assert alike.recall < 0.5 and added.recall == 1.0
    assert alike.collisions[0][0] == "hand_clap"


def test_an_added_sound_comes_over_the_targets_threshold_where_its_lesson_would() -> None:
    rng = np.random.default_rng(4)
    own = LookOffer("hand_clap", 0, 0.8, (Stage(1.0, 0.0), Stage(1.0, 0.0)), None, "d" * 64)
    made = onsets(rng)
    look, lesson = learn_from_onsets("hand_clap", made, negatives(rng), SPEC, own=own, network="n" * 64, look_version=1,
                                     alarms_per_hour=2.0, taught_at="2026-11-29T18:00:00+00:00")
    assert look.adds and look.threshold == 0.8
    scale, offset = lesson.stages[0]
    at = (np.log(lesson.threshold / (1.0 - lesson.threshold)) - offset) / scale
    assert logistic(np.array([look.first.scale * at + look.first.offset]))[0] == pytest.approx(0.8)


def test_what_was_taught_before_is_a_negative_and_its_own_name_is_none() -> None:
    rng = np.random.default_rng(5)
    look, _ = learn_from_onsets("mine", onsets(rng), negatives(rng), SPEC, own=None, network="n" * 64, look_version=1,
                                alarms_per_hour=2.0, taught_at="2026-11-29T18:00:00+00:00")
    taught = [look, replace(look, name="other"), replace(look, name="hand_clap", adds=True)]
    other = look_negatives(bank(rng), taught, SPEC, name="mine", adds=False, like=["hand_clap"])
    assert set(other.names) == {"neg_speech", "other (taught)"}
    assert other.onsets[other.names == "other (taught)"].sum() == 0.0, "made sounds are no false alarms of a day"


def test_a_recording_without_an_onset_is_one_that_is_not_heard() -> None:
    rng = np.random.default_rng(6)
    made = onsets(rng)
    five = Onsets(made.cells[:5], made.clip[:5], made.kind[:5], 6)
    lesson = learn_look(examples(five), negatives(rng), alarms_per_hour=2.0)
    assert (lesson.alone, lesson.clips) == (5, 6)
    with pytest.raises(ValueError, match="no recording has an onset"):
        learn_look(examples(Onsets(made.cells[:0], made.clip[:0], made.kind[:0], 6)), negatives(rng), alarms_per_hour=2.0)


def test_nothing_is_judged_by_a_recording_over_noise() -> None:
    rng = np.random.default_rng(7)
    made, poor = onsets(rng), onsets(rng, 6, 0.0)
    both = Onsets(np.concatenate((poor.cells, made.cells)), np.tile(made.clip, 2), np.repeat([0, 2], 6).astype(np.uint8), 6)
    assert learn_look(examples(both), negatives(rng), alarms_per_hour=2.0).alone < 3
