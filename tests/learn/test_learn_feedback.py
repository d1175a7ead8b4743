"""What judgements do to a target: silence the like of what was wrong, keep the rest, and say what cannot be told apart."""

from __future__ import annotations

import numpy as np
import pytest

from edge.decision.targets import Correction
from edge.learn.feedback import MOST_LOST, Corrected, Standing, fit_correction

COLUMNS = 24


def cloud(at: dict[int, float], count: int, *, seed: int, spread: float = 0.4) -> np.ndarray:
    """Embeddings float32 `(count, COLUMNS)` around a place."""
    centre = np.zeros(COLUMNS)
    for column, value in at.items():
        centre[column] = value
    return (centre + spread * np.random.default_rng(seed).normal(size=(count, COLUMNS))).astype(np.float32)


def standing(embeddings: np.ndarray) -> Standing:
    """The target's own row is the first column: over 1 it hears."""
    return Standing(embeddings, embeddings[:, 0] - np.float32(1.0))


HEARD, REST = cloud({0: 3.0}, 200, seed=1), cloud({0: -3.0}, 2_000, seed=2)
BANK = standing(np.concatenate((HEARD, REST)))
NONE = np.zeros(3, np.bool_)


def after(found: Corrected, embeddings: np.ndarray) -> np.ndarray:
    """Powers with the correction, as the appliance adds it."""
    correction = Correction(found.rows, found.bias)
    return standing(embeddings).power + np.array([correction.logit(one) for one in embeddings])


def test_three_wrong_ones_silence_the_like_of_them_and_nothing_else() -> None:
    found = fit_correction(BANK, standing(cloud({0: 2.5, 5: 4.0}, 3, seed=3)), NONE)
    assert (found.silenced, found.wrong, found.rows.shape) == (3, 3, (2, COLUMNS)), "one veto for all three"
    assert found.present - found.kept <= MOST_LOST[0] * found.present and found.present == 200
    assert (after(found, cloud({0: 2.5, 5: 4.0}, 200, seed=4)) < 0.0).mean() > 0.95, "other playbacks of the same sound"
    assert (after(found, cloud({0: 3.0}, 400, seed=5)) >= 0.0).mean() > 0.95, "sounds of the target that nobody judged"
    assert (after(found, REST) <= standing(REST).power).all(), "a veto raises nothing"


def test_wrong_ones_of_different_kinds_get_a_veto_each() -> None:
    kinds = [cloud({0: 2.5, column: 4.0}, 2, seed=column) for column in (5, 6, 7)]
    found = fit_correction(BANK, standing(np.concatenate(kinds)), np.zeros(6, np.bool_))
    assert len(found.rows) == 4 and found.silenced == 6
    for column in (5, 6, 7):
        assert (after(found, cloud({0: 2.5, column: 4.0}, 50, seed=column + 10)) < 0.0).mean() > 0.9


def test_what_cannot_be_told_apart_is_left_and_its_price_is_told() -> None:
    wrong = standing(cloud({0: 3.0, 5: 0.35}, 3, seed=8, spread=0.05))
    found = fit_correction(BANK, wrong, NONE)
    assert found.silenced == 0 and found.kept == found.present and len(found.rows) == 1, "nothing silenced, no cost"
    assert found.price is not None and found.price > 0.2
    forced = fit_correction(BANK, wrong, NONE, force=True)
    assert forced.silenced == 3 and 1.0 - forced.kept / forced.present == pytest.approx(found.price)
    middle = standing(np.stack([HEARD.mean(axis=0)] * 3))
    never = fit_correction(BANK, middle, NONE, force=True)
    assert never.price is None and never.silenced == 0 and never.kept == never.present


def test_a_right_one_that_was_missed_is_supported_and_the_bank_stays_as_it_was() -> None:
    missed = standing(cloud({0: 0.5, 9: 4.0}, 3, seed=11))
    found = fit_correction(BANK, missed, np.ones(3, np.bool_))
    assert (found.supported, found.right, found.wrong, found.price) == (3, 3, 0, 0.0)
    assert (after(found, cloud({0: 0.5, 9: 4.0}, 100, seed=12)) >= 0.0).mean() > 0.5
    assert (after(found, REST) < 0.0).all() and found.kept == found.present
    nothing = fit_correction(BANK, standing(HEARD[:2]), np.ones(2, np.bool_))
    assert not nothing.rows.any() and nothing.supported == 2, "heard already: nothing to do"


def test_a_wrong_event_is_silenced_where_none_of_its_patches_is_heard() -> None:
    """Its peak lies apart from its edge, which is over the threshold too: the peak alone leaves the edge heard."""
    peaks, edges = cloud({0: 2.5, 5: 4.0}, 3, seed=3), cloud({0: 2.0, 7: 4.0}, 3, seed=13)
    alone = fit_correction(BANK, standing(peaks), NONE)
    assert alone.silenced == 3 and (after(alone, edges) >= 0.0).all()
    both = np.stack((peaks, edges), axis=1).reshape(6, COLUMNS)
    found = fit_correction(BANK, standing(both), NONE, np.full(3, 2))
    assert (found.silenced, found.wrong) == (3, 3) and (after(found, both) < 0.0).all()
    further = np.concatenate((cloud({0: 2.5, 5: 4.0}, 100, seed=14), cloud({0: 2.0, 7: 4.0}, 100, seed=15)))
    assert (after(found, further) < 0.0).mean() > 0.9
    middle = np.concatenate((peaks[:1], HEARD.mean(axis=0)[None], peaks[1:]))
    part = fit_correction(BANK, standing(middle), np.zeros(3, np.bool_), np.array([2, 1, 1]))
    assert (part.silenced, part.wrong) == (2, 3), "a patch that cannot be told apart leaves its event heard"
    right = fit_correction(BANK, standing(np.concatenate((peaks, HEARD[:1]))), np.array([False, True]), np.array([3, 1]))
    assert (right.silenced, right.wrong, right.supported, right.right) == (1, 1, 1, 1)


def test_both_together_come_out_as_judged() -> None:
    judged = standing(np.concatenate((cloud({0: 2.5, 5: 4.0}, 3, seed=3), cloud({0: 0.5, 9: 4.0}, 3, seed=11))))
    found = fit_correction(BANK, judged, np.arange(6) >= 3)
    assert (found.silenced, found.supported) == (3, 3)
