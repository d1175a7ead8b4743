"""Onsets: where, how many, and what is none."""

from __future__ import annotations

import numpy as np
import pytest
from decision_scripts import STEP, rows_with
from hypothesis import given
from hypothesis import strategies as st

from edge.decision.onset import Onset, OnsetDetector
from edge.stream import SAMPLE_RATE


def onsets(rows: np.ndarray, batch: int = 24) -> list[Onset]:
    detector = OnsetDetector()
    found = []
    for start in range(0, len(rows), batch):
        found += detector.push(rows[start: start + batch], start * STEP)
    return [onset for onset in found if onset.position > 1_600]  # what begins with the stream is an onset of its own


def seconds(found: list[Onset]) -> list[float]:
    return [onset.position / SAMPLE_RATE for onset in found]


def test_an_attack_is_an_onset_within_a_frame_or_two_of_its_place() -> None:
    assert seconds(onsets(rows_with(3.0, [(1.0, 0.0), (2.0, 0.0)]))) == [pytest.approx(1.0, abs=0.02),
                                                                          pytest.approx(2.0, abs=0.02)]


def test_steady_noise_has_no_onset() -> None:
    assert onsets(rows_with(20.0, [])) == []


def test_loud_unsteady_noise_raises_the_floor() -> None:
    rows = np.random.default_rng(1).normal(0.0, 0.8, (1000, 64)).astype(np.float32)
    assert [onset for onset in onsets(rows) if onset.position > SAMPLE_RATE] == []


@pytest.mark.parametrize(("gap", "decibels", "echo"), [
    (0.09, -6.5, True), (0.118, -20.0, True), (0.09, -3.0, False), (0.15, -10.0, False)])
def test_an_echo_is_6_db_weaker_and_within_120_ms(gap: float, decibels: float, echo: bool) -> None:
    found = onsets(rows_with(3.0, [(1.0, 0.0), (1.0 + gap, decibels)], decay=0.6))
    assert [onset.echo for onset in found] == [False, echo]


def test_two_edges_of_one_attack_are_one_onset() -> None:
    assert len(onsets(rows_with(3.0, [(1.0, 0.0), (1.04, 3.0)], decay=0.6))) == 1


def test_the_end_of_a_tone_is_no_onset() -> None:
    """A tone that stops splashes into all bands: a smoke alarm's beeps had an event at both ends."""
    rows = rows_with(4.0, [])
    rows[100:200, 30:33] = 4.0
    rows[200, :] += 2.5  # the splash
    assert seconds(onsets(rows)) == [pytest.approx(1.0, abs=0.03)]


@given(st.integers(1, 300))
def test_batching_changes_no_onset(batch: int) -> None:
    rows = rows_with(6.0, [(1.0, 0.0), (1.3, -2.0), (2.0, -12.0), (4.0, 5.0), (4.1, -4.0)])
    assert onsets(rows, batch) == onsets(rows, len(rows))


def test_a_jump_in_position_and_reset_make_it_forget() -> None:
    rows = rows_with(3.0, [(1.0, 0.0)])
    detector, jumped = OnsetDetector(), OnsetDetector()
    fresh = detector.push(rows, 0)
    jumped.push(rows, 0)
    again = jumped.push(rows, 10_000_000)
    assert [onset.position - 10_000_000 for onset in again] == [onset.position for onset in fresh]
    detector.reset()
    assert detector.push(rows, 0) == fresh


def test_a_sound_is_over_where_it_has_fallen_by_20_db() -> None:
    detector = OnsetDetector()
    (onset,) = [each for each in detector.push(rows_with(2.0, [(1.0, 0.0)], decay=0.25), 0) if each.position > 1_600]
    end = detector.decayed(onset, 2 * SAMPLE_RATE)
    assert end is not None and 0.05 < (end - onset.position) / SAMPLE_RATE < 0.15
    assert detector.decayed(onset, onset.position + 800) is None


def test_a_sound_that_stays_loud_is_over_after_half_a_second() -> None:
    detector = OnsetDetector()
    rows = rows_with(3.0, [])
    rows[100:] = 2.0
    (onset,) = [each for each in detector.push(rows, 0) if each.position > 1_600]
    assert detector.decayed(onset, onset.position + 7_999) is None
    assert detector.decayed(onset, onset.position + 8_000) == onset.position + 8_000
