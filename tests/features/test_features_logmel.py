import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.features.frontend import FrontEnd
from edge.features.logmel import LogMel, mel_weights
from edge.stream import BANDS, FRAME_SAMPLES, PATCH_FRAMES, PATCH_SAMPLES, Block, StreamFormat

SILENCE = np.float32(np.log(np.float32(0.001)))


def noise(count, seed=0):
    return np.random.default_rng(seed).integers(-32_768, 32_768, (count, FRAME_SAMPLES)).astype(np.int16)


def test_the_mel_matrix_is_yamnets_own(yamnet):
    assert np.array_equal(mel_weights(), yamnet.mel_weights)


@pytest.mark.big
def test_int8_patches_of_real_clips_equal_those_of_yamnets_own_front_end(yamnet, clips):
    cells = different = largest = 0
    for samples in clips(200.0):
        front_end = FrontEnd(wants="bands", hop_seconds=0.96)
        patches = front_end.push(Block(samples, 0, StreamFormat(16_000, 1))) + front_end.finish()
        padded = np.concatenate((samples, np.zeros(PATCH_SAMPLES, np.int16)))
        for patch in patches:
            theirs, _ = yamnet.hear(padded[patch.position:patch.position + PATCH_SAMPLES])
            steps = np.abs(yamnet.quantise(patch.data).astype(int) - theirs)
            cells += steps.size
            different += np.count_nonzero(steps)
            largest = max(largest, int(steps.max()))
    assert cells > 80 * 96 * 64
    assert largest <= 1
    assert different <= 0.001 * cells


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 60), max_size=20))
def test_how_frames_are_batched_never_shows_in_a_row(sizes):
    frames = noise(200)
    log_mel, whole = LogMel(), LogMel().rows(frames)
    at = 0
    for size in sizes:
        assert np.array_equal(log_mel.rows(frames[at:at + size]), whole[at:at + size])
        at += size


def test_rows_are_new_float32_arrays():
    log_mel = LogMel()
    first = log_mel.rows(noise(5))
    kept = first.copy()
    log_mel.rows(noise(5, seed=1))
    assert first.dtype == np.float32
    assert first.shape == (5, BANDS)
    assert np.array_equal(first, kept)
    assert log_mel.rows(noise(0)).shape == (0, BANDS)


def test_silence_is_the_logarithm_of_the_offset_in_every_band():
    assert np.all(LogMel().rows(np.zeros((PATCH_FRAMES, FRAME_SAMPLES), np.int16)) == SILENCE)


@pytest.mark.parametrize("frame", [
    np.full(FRAME_SAMPLES, -32_768), np.full(FRAME_SAMPLES, 32_767),
    np.where(np.arange(FRAME_SAMPLES) % 2, 32_767, -32_768), np.where(np.arange(FRAME_SAMPLES) // 20 % 2, 32_767, -32_768),
], ids=["lowest", "highest", "fastest square", "400 Hz square"])
def test_extreme_frames_give_finite_bands_in_range(frame):
    row = LogMel().rows(frame[np.newaxis].astype(np.int16))
    assert np.all(np.isfinite(row))
    assert row.min() >= SILENCE
    assert row.max() < 7.0  # full scale at one frequency: log(100 times a few bins)


def test_a_full_scale_constant_barely_leaks_into_the_lowest_band_which_starts_at_125_hz():
    assert LogMel().rows(np.full((1, FRAME_SAMPLES), 32_767, np.int16)).max() < 0.0


def test_a_sine_is_loudest_in_the_band_that_holds_it():
    weights = mel_weights()
    for band in (5, 20, 40, 60):
        hertz = weights[:, band].argmax() * 16_000 / 512
        sine = np.rint(20_000 * np.sin(np.arange(FRAME_SAMPLES) * 2 * np.pi * hertz / 16_000)).astype(np.int16)
        assert abs(int(LogMel().rows(sine[np.newaxis]).argmax()) - band) <= 1
