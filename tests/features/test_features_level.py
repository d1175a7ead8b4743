import numpy as np
import pytest

from edge.features.level import count_clipped, level_of


def measure(*samples, **others):
    return level_of(np.array(samples, np.int16), **others)


def test_silence_is_minus_120_dbfs():
    level = measure(0, 0, 0)
    assert (level.rms_dbfs, level.peak_dbfs, level.clipped) == (-120.0, -120.0, 0)


def test_the_lowest_sample_is_full_scale_and_clipped():
    level = measure(-32_768, -32_768)
    assert (level.rms_dbfs, level.peak_dbfs, level.clipped) == (0.0, 0.0, 2)


def test_a_full_scale_square_wave_is_0_dbfs():
    level = measure(*[-32_768, 32_767] * 8_000)
    assert level.rms_dbfs == pytest.approx(0.0, abs=0.001)
    assert level.peak_dbfs == 0.0
    assert level.clipped == 16_000


def test_a_sine_is_3_db_under_its_peak():
    sine = np.rint(16_384 * np.sin(np.arange(16_000) * 2 * np.pi * 1_000 / 16_000)).astype(np.int16)
    level = level_of(sine)
    assert level.peak_dbfs == pytest.approx(-6.02, abs=0.01)
    assert level.rms_dbfs == pytest.approx(-9.03, abs=0.01)
    assert level.clipped == 0


def test_a_constant_has_its_own_level():
    assert measure(*[-16_384] * 100).rms_dbfs == pytest.approx(-6.0206, abs=0.0001)


def test_a_minute_of_full_scale_does_not_overflow():
    assert level_of(np.full(960_000, -32_768, np.int16)).rms_dbfs == 0.0


def test_only_the_ends_of_the_range_count_as_clipped():
    assert count_clipped(np.array([-32_768, -32_767, 0, 32_766, 32_767], np.int16)) == 2


def test_what_was_clipped_before_the_resampler_can_be_told():
    assert measure(0, 1, clipped=7).clipped == 7
