"""From logits to the probability of a target."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.decision.calibration import FARTHEST_LOGIT, heard, logits_of, probability_of
from edge.decision.targets import Correction, Target
from edge.stream import Scores

LABELS = ("a", "b", "c")


def target(**changes: object) -> Target:
    values: dict[str, object] = {"name": "t", "rows": np.array([0, 2], np.intp), "threshold": 0.5,
                                 "release_threshold": 0.25, "minimum_duration": 0, "release": 0, "refractory": 0}
    return Target(**(values | changes))  # type: ignore[arg-type]


def scores(logits: list[float], embedding: list[float] | None = None) -> Scores:
    values = np.array([probability_of(each) for each in logits], np.float32)
    return Scores(0, values, np.array(logits, np.float32), None if embedding is None else np.array(embedding, np.float32))


@given(st.floats(-1e6, 1e6), st.floats(0.01, 10.0), st.floats(-50.0, 50.0))
def test_a_probability_is_one_and_rises_with_the_logit(logit: float, scale: float, offset: float) -> None:
    low, high = probability_of(logit, scale, offset), probability_of(logit + 1.0, scale, offset)
    assert 0.0 <= low <= high <= 1.0


def test_nothing_calibrated_leaves_the_score_as_it_is() -> None:
    said = scores([0.3, 5.0, 1.2])
    found = heard(target(), LABELS, said, logits_of(said).tolist())
    assert (found.label, found.probability) == ("c", found.score) == ("c", float(said.values[2]))


def test_scale_and_offset_belong_to_the_target_and_its_highest_label() -> None:
    said = scores([0.3, 5.0, 1.2])
    found = heard(target(scale=2.0, offset=-1.0), LABELS, said, logits_of(said).tolist())
    assert found.score == float(said.values[2])
    assert found.probability == pytest.approx(1 / (1 + math.exp(-(2.0 * 1.2 - 1.0))))


def test_a_correction_adds_to_the_logit() -> None:
    said = scores([0.0, 0.0, 1.0], [1.0, -2.0])
    none, strong, weak = [0.0, 0.0], [1.0, -1.0], [0.5, 0.0]
    veto = Correction(np.array([none, strong, weak], np.float32), np.array([0.0, 0.5, 0.0], np.float32))
    found = heard(target(correction=veto), LABELS, said, logits_of(said).tolist())
    assert found.probability == pytest.approx(probability_of(1.0 - 3.5), abs=1e-6), "the strongest veto, not their sum"
    both = Correction(np.array([strong, weak], np.float32), np.array([0.0, -9.0], np.float32))
    found = heard(target(correction=both), LABELS, said, logits_of(said).tolist())
    assert found.probability == pytest.approx(probability_of(1.0 + 3.0), abs=1e-6), "a veto raises nothing on its other side"


def test_a_model_without_logits_gets_them_from_its_scores() -> None:
    logits = logits_of(Scores(0, np.array([0.0, 0.5, 1.0, 0.9], np.float32)))
    assert logits.tolist() == pytest.approx([-FARTHEST_LOGIT, 0.0, FARTHEST_LOGIT, math.log(9.0)], abs=1e-4)


def test_not_a_number_stays_one() -> None:
    assert math.isnan(probability_of(math.nan))
