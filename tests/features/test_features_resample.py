from itertools import pairwise
from math import gcd

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import SettingsError
from edge.features.lowpass import coefficients, exponent, half_taps
from edge.features.resample import Resampler

EXACT = [4_000, 8_000, 11_025, 12_000, 22_050, 24_000, 32_000, 37_800, 44_100, 48_000, 88_200, 96_000, 176_400, 192_000]
ODD = [5_501, 12_345, 15_999, 44_101, 47_999]  # too many phases for a table


def noise(count, seed=0):
    return np.random.default_rng(seed).integers(-32_768, 32_768, count).astype(np.int16)


def sine(rate, hertz, seconds, amplitude=30_000.0, phase=0.0):
    return np.rint(amplitude * np.sin(2 * np.pi * hertz * np.arange(int(rate * seconds)) / rate + phase)).astype(np.int16)


def whole(rate, samples):
    resampler = Resampler(rate)
    return np.concatenate((resampler.push(samples), resampler.flush()))


def middle(samples):
    """Without the first and last 20 ms, where the filter meets the silence outside."""
    return samples[320:-320].astype(np.float64)


def decibels(ratio):
    return 20 * np.log10(np.maximum(ratio, 1e-9))


def test_16_khz_is_handed_on_untouched():
    resampler = Resampler(16_000)
    samples = noise(100)
    assert resampler.push(samples) is samples
    assert len(resampler.flush()) == 0
    assert resampler.latency_seconds == 0.0


@pytest.mark.parametrize("rate", EXACT)
def test_the_output_is_that_of_integer_arithmetic_alone(rate):
    """A sum of int64 products, rounded half to even by shifts: the float64 matrix products add nothing of their own."""
    samples = noise(rate // 16)
    common = gcd(rate, 16_000)
    up, down = 16_000 // common, rate // common
    half, shift = half_taps(rate), 15 + exponent(rate)
    outputs = np.arange(-(-len(samples) * up // down))
    start, phase = np.divmod(outputs * down, up)
    taps = coefficients(rate, np.arange(up) / up).astype(np.int64)[phase]
    padded = np.concatenate((np.zeros(half - 1, np.int64), samples, np.zeros(half + 1, np.int64)))
    sums = (padded[start[:, np.newaxis] + np.arange(2 * half)] * taps).sum(axis=1)
    down_sums = sums >> shift
    rest = sums - (down_sums << shift)
    one_half = 1 << (shift - 1)
    rounded = down_sums + ((rest > one_half) | ((rest == one_half) & (down_sums % 2 == 1)))
    assert np.array_equal(whole(rate, samples), np.clip(rounded, -32_768, 32_767))


@pytest.mark.big
@pytest.mark.parametrize("rate", EXACT + ODD)
@settings(max_examples=6, deadline=None)
@given(cuts=st.lists(st.floats(0, 1), max_size=15))
def test_block_size_does_not_change_the_output(rate, cuts):
    samples = noise(rate // 8 + 3)
    edges = sorted({0, len(samples), *(int(cut * len(samples)) for cut in cuts)})
    resampler = Resampler(rate)
    pieces = [resampler.push(samples[start:end]) for start, end in pairwise(edges)]
    assert np.array_equal(np.concatenate((*pieces, resampler.flush())), whole(rate, samples))


@pytest.mark.parametrize("rate", [44_100, 12_345])
def test_single_samples_give_the_same_output_too(rate):
    samples = noise(2_000)
    resampler = Resampler(rate)
    pieces = [resampler.push(samples[at:at + 1]) for at in range(len(samples))]
    assert np.array_equal(np.concatenate((*pieces, resampler.flush())), whole(rate, samples))


@pytest.mark.big
@pytest.mark.parametrize("rate", EXACT + ODD + [384_000])
def test_n_samples_give_the_outputs_up_to_the_last_ones_time(rate):
    for count in (0, 1, 2, rate // 100, rate // 10 + 1):
        assert len(whole(rate, noise(count))) == -(-count * 16_000 // rate)


@pytest.mark.parametrize("rate", EXACT + ODD)
def test_every_coefficient_is_an_int16_and_each_phase_sums_to_one(rate):
    taps = coefficients(rate, np.arange(97) / 97)
    assert np.array_equal(taps, np.rint(taps))
    assert -32_768 <= taps.min() <= taps.max() <= 32_767
    assert np.all(taps.sum(axis=1) == 1 << (15 + exponent(rate)))


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000, 192_000])
def test_the_rounded_coefficients_pass_to_7500_hz_within_half_a_db_and_stop_from_8500_by_60(rate):
    up = 16_000 // gcd(rate, 16_000)
    taps = coefficients(rate, np.arange(up) / up)
    # Tap j of phase p lies at time j - p / up: interleaved, the phases are one filter at `up` times the rate.
    prototype = np.concatenate((taps[:, ::-1].T.reshape(-1), np.zeros(8 * taps.size)))
    response = decibels(np.abs(np.fft.rfft(prototype)) / taps.sum())
    hertz = np.linspace(0, rate * up / 2, len(response))
    assert np.abs(response[hertz <= 7_500]).max() < 0.5
    assert response[hertz >= 8_500].max() < -60


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000, 192_000, 44_101])
@pytest.mark.parametrize("hertz", [50, 440, 1_000, 3_999, 6_000, 7_000, 7_500])
def test_sines_to_7500_hz_come_out_within_half_a_db(rate, hertz):
    out = middle(whole(rate, sine(rate, hertz, 0.3)))
    assert abs(decibels(np.sqrt(2 * (out ** 2).mean()) / 30_000)) < 0.5


@pytest.mark.big
@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000, 192_000, 44_101])
@pytest.mark.parametrize("hertz", [8_500, 8_600, 10_000, 12_345, 15_900, 17_000, 20_000, 21_900])
def test_sines_from_8500_hz_come_out_60_db_down(rate, hertz):
    out = middle(whole(rate, sine(rate, hertz, 0.3)))
    assert decibels(np.sqrt(2 * (out ** 2).mean()) / 30_000) < -60


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
def test_sweeps_stay_within_half_a_db_below_and_60_db_down_above(rate):
    time = np.arange(4 * rate) / rate

    def sweep(first, last):
        turns = first * time + (last - first) * time ** 2 / 8
        out = middle(whole(rate, np.rint(30_000 * np.sin(2 * np.pi * turns)).astype(np.int16)))
        pieces = out[:len(out) // 800 * 800].reshape(-1, 800)  # 50 ms each
        return decibels(np.sqrt(2 * (pieces ** 2).mean(axis=1)) / 30_000)

    assert np.abs(sweep(200, 7_500)).max() < 0.5
    assert sweep(8_500, rate / 2).max() < -60


@pytest.mark.parametrize("rate", EXACT + ODD)
def test_output_k_stands_for_the_sound_at_its_own_time(rate):
    """The filter's delay is taken out: a sine comes out as the same sine sampled at 16 kHz, phase included."""
    hertz = 0.4 * min(rate, 16_000)
    out = middle(whole(rate, sine(rate, hertz, 0.3, phase=0.3)))
    expected = middle(sine(16_000, hertz, 0.3, phase=0.3))[:len(out)]
    error = out[:len(expected)] - expected
    assert decibels(np.sqrt((error ** 2).mean()) / 30_000) < -60


@pytest.mark.parametrize("rate", [8_000, 11_025, 12_000, 12_345])
def test_what_a_slow_recording_lacks_is_not_made_up(rate):
    out = middle(whole(rate, sine(rate, 0.45 * rate, 0.5)))
    spectrum = np.abs(np.fft.rfft(out * np.hanning(len(out))))
    hertz = np.linspace(0, 8_000, len(spectrum))
    assert decibels(spectrum[hertz > rate * 8.5 / 16].max() / spectrum.max()) < -60


@pytest.mark.big
@pytest.mark.parametrize("rate", EXACT + ODD)
@pytest.mark.parametrize("constant", [-32_768, -1, 1, 12_345, 32_767])
def test_a_constant_comes_out_as_it_went_in(rate, constant):
    out = whole(rate, np.full(rate // 8, constant, np.int16))
    assert set(out[320:-320].tolist()) == {constant}


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000, 44_101])
def test_a_full_scale_square_wave_saturates_and_never_wraps(rate):
    square = np.where(np.arange(rate) % (rate // 100) < rate // 200, 32_767, -32_768).astype(np.int16)  # 100 Hz
    out = whole(rate, square)
    assert out.max() == 32_767  # overshoot at every edge, held at the end of the range
    assert out.min() == -32_768
    time = np.arange(len(out)) / 16_000 * rate % (rate // 100) / (rate // 100)
    assert np.all(out[(time > 0.1) & (time < 0.4)] > 30_000)
    assert np.all(out[(time > 0.6) & (time < 0.9)] < -30_000)


def test_silence_stays_silent():
    assert not whole(44_100, np.zeros(10_000, np.int16)).any()


@pytest.mark.parametrize("rate", [11_025, 44_100, 48_000, 12_345])
@pytest.mark.parametrize("forget", [Resampler.reset, Resampler.flush])
def test_after_reset_or_flush_it_is_as_new(rate, forget):
    resampler = Resampler(rate)
    resampler.push(noise(rate // 10 + 7))
    forget(resampler)
    samples = noise(rate // 10, seed=1)
    assert np.array_equal(np.concatenate((resampler.push(samples), resampler.flush())), whole(rate, samples))


@pytest.mark.parametrize("rate", EXACT + ODD)
def test_no_output_waits_longer_than_the_latency_told(rate):
    resampler = Resampler(rate)
    made = heard = 0
    for _ in range(100):
        made += len(resampler.push(noise(97)))
        heard += 97
        assert made / 16_000 >= heard / rate - resampler.latency_seconds - 1 / 16_000
    assert resampler.latency_seconds < 0.05


@pytest.mark.parametrize("rate", [44_100, 12_345])
def test_what_is_held_does_not_grow(rate):
    resampler = Resampler(rate)
    sizes = set()
    for _ in range(200):
        resampler.push(noise(1_000))
        sizes.add(len(resampler._held))
    assert max(sizes) < 1_000


@pytest.mark.parametrize("rate", [0, -1, 3_999, 384_001])
def test_a_rate_that_no_card_has_is_an_error_that_says_so(rate):
    with pytest.raises(SettingsError, match=f"sample rate: found {rate} Hz; wanted 4000 to 384000 Hz"):
        Resampler(rate)
