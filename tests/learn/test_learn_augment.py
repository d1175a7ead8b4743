"""Alterations: int16 in, int16 out, saturating, the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest

from edge.learn.augment import altered, at_speed, gained, in_room, saturate, tilted, with_noise

RATE = 16_000


def tone(hertz: float, count: int = RATE, amplitude: float = 8000.0) -> np.ndarray:
    return saturate(amplitude * np.sin(2.0 * np.pi * hertz * np.arange(count) / RATE))


def decibels(samples: np.ndarray) -> float:
    return 20.0 * float(np.log10(np.sqrt(np.mean(samples.astype(float) ** 2))))


def test_too_loud_is_cut_off_and_never_wraps() -> None:
    ends = np.array([-32768, -20000, 0, 20000, 32767], np.int16)
    np.testing.assert_array_equal(gained(ends, 20.0), np.array([-32768, -32768, 0, 32767, 32767], np.int16))
    np.testing.assert_array_equal(gained(ends, 0.0), ends)


def test_gain_tilt_and_noise_change_the_level_by_what_they_say() -> None:
    assert decibels(gained(tone(1000.0), -12.0)) == pytest.approx(decibels(tone(1000.0)) - 12.0, abs=0.05)
    assert decibels(tilted(tone(4000.0), -3.0)) == pytest.approx(decibels(tone(4000.0)) - 6.0, abs=0.1)
    assert decibels(tilted(tone(1000.0), -3.0)) == pytest.approx(decibels(tone(1000.0)), abs=0.1)
    noise = with_noise(np.zeros(RATE, np.int16), np.random.default_rng(1), dbfs=-40.0, slope=0.5)
    assert decibels(noise) == pytest.approx(20.0 * np.log10(32768.0) - 40.0, abs=0.1)


def test_speed_moves_pitch_and_length_together() -> None:
    fast = at_speed(tone(1000.0), 1.05)
    assert len(fast) == round(RATE / 1.05)
    spectrum = np.abs(np.fft.rfft(fast.astype(float)))
    assert spectrum.argmax() * RATE / len(fast) == pytest.approx(1050.0, abs=2.0)


def test_a_room_adds_a_tail_and_keeps_what_was_before_the_sound() -> None:
    samples = np.zeros(RATE, np.int16)
    samples[4000:4100] = 8000
    wet = in_room(samples, np.random.default_rng(2), decay_seconds=0.4, reverb_db=-6.0)
    assert len(wet) == RATE and not wet[:4000].any()
    assert np.abs(wet[4300:6000].astype(int)).max() > 50
    assert decibels(wet[4200:6000]) > decibels(wet[9000:10800])


def test_alterations_are_int16_and_follow_their_seed() -> None:
    samples = tone(700.0)
    one, same, other = (altered(samples, np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert one.dtype == np.int16
    np.testing.assert_array_equal(one, same)
    assert len(one) != len(other) or (one != other).any()
    assert altered(np.zeros(400, np.int16), np.random.default_rng(1)).dtype == np.int16
