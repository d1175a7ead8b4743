"""Looks: what a look shows of an onset, whatever the level and the steady noise."""

from __future__ import annotations

import numpy as np
import pytest

from edge.features.look import AFTER, BEFORE, EARLY, HIGHEST, HISTORY, LOOK_ROWS, LOWEST, SHOWN, look

ONSET = HISTORY + 20


def rows(level: float = 0.0, seed: int = 3) -> np.ndarray:
    """Steady noise, and a sound that begins at row ONSET, each band 4 nepers over its noise and falling by 0.1 a row."""
    rng = np.random.default_rng(seed)
    steady = np.linspace(-2.0, -4.0, 64, dtype=np.float32) + np.float32(level)
    found = steady + rng.uniform(-0.1, 0.1, (ONSET + AFTER, 64)).astype(np.float32)
    fall = np.maximum(4.0 - 0.1 * np.arange(AFTER, dtype=np.float32), 0.0)
    found[ONSET:] += fall[:, None]
    return found.astype(np.float32)


def test_the_first_channel_is_over_each_bands_floor() -> None:
    found = look(rows(), ONSET)
    assert found.shape == (LOOK_ROWS, 64, 2) and found.dtype == np.float32
    assert np.abs(found[:BEFORE, :, 0]).max() < 0.3
    assert np.abs(found[BEFORE, :, 0] - 4.0).max() < 0.3
    assert np.abs(found[BEFORE + 20, :, 0] - 2.0).max() < 0.3


def test_the_second_channel_is_under_the_loudest_cell() -> None:
    found = look(rows(), ONSET)
    assert found[:, :, 1].max() == pytest.approx(HIGHEST)
    assert found[BEFORE, :, 1].argmax() < 8  # the noise, and so the sound, is strongest in the low bands


def test_neither_level_nor_steady_colour_changes_the_first_channel() -> None:
    quiet, loud = look(rows(), ONSET), look(rows(level=1.5), ONSET)
    assert np.abs(quiet - loud).max() < 1e-5


def test_a_first_look_shows_the_beginning_only() -> None:
    first, second = look(rows(), ONSET, EARLY), look(rows(), ONSET)
    heard = BEFORE + EARLY
    assert np.array_equal(first[:heard], second[:heard])
    assert (first[BEFORE + SHOWN:] == LOWEST).all()


def test_the_newest_row_stands_for_those_that_a_first_look_has_not_heard() -> None:
    for heard in range(1, SHOWN + 1):
        newest = BEFORE + heard - 1
        found = look(rows(), ONSET, heard)
        assert (found[newest: BEFORE + SHOWN] == found[newest]).all() and (found[newest] > LOWEST).any()
        assert (found[BEFORE + SHOWN:] == LOWEST).all()


def test_what_comes_later_does_not_change_a_first_look() -> None:
    ended = rows()[: ONSET + EARLY]
    assert np.array_equal(look(ended, ONSET, EARLY), look(rows(), ONSET, EARLY))


def test_silence_lies_before_the_first_row() -> None:
    found = look(rows()[ONSET:], 0)
    silence = np.float32(np.log(0.001))
    assert np.allclose(found[BEFORE, :, 0], np.clip(rows()[ONSET] - silence, LOWEST, HIGHEST))
    assert (found[:BEFORE, :, 0] == 0.0).all()


@pytest.mark.parametrize(("onset", "heard"), [(-1, 1), (ONSET + AFTER, 1), (ONSET + 1, AFTER), (0, 0), (0, AFTER + 1)])
def test_an_onset_outside_the_rows_is_refused(onset: int, heard: int) -> None:
    with pytest.raises(ValueError, match=f"onset {onset}"):
        look(rows(), onset, heard)
