"""Where the sound is in a recording, and the stretches that are cut of it."""

from __future__ import annotations

import numpy as np
import pytest

from edge.learn.augment import Samples
from edge.learn.examples import MOST_HEARD, cut, find_sounds
from edge.stream import PATCH_SAMPLES

RATE = 16_000


def room(seconds: float, level: float = 20.0, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0, level, round(seconds * RATE))


def knock(at: float, seconds: float, *, decay: float = 0.03, amplitude: float = 9000.0) -> np.ndarray:
    """Noise that begins at `at` and dies away, in `seconds` of silence."""
    out = np.zeros(round(seconds * RATE))
    first = round(at * RATE)
    time = np.arange(len(out) - first) / RATE
    out[first:] = amplitude * np.exp(-time / decay) * np.random.default_rng(3).normal(0.0, 1.0, len(time))
    return out


def sound(*parts: np.ndarray) -> Samples:
    return np.clip(np.rint(sum(parts)), -32768, 32767).astype(np.int16)


def test_a_knock_in_a_room_is_found_where_it_is() -> None:
    found = find_sounds(sound(room(3.0), knock(1.2, 3.0)))
    assert found is not None and found.impulsive and len(found.sounds) == 1
    start, stop = found.sounds[0]
    assert abs(start / RATE - 1.2) < 0.04 and 0.05 < (stop - start) / RATE < 0.4


def test_two_knocks_are_two_and_a_weak_click_beside_them_is_none() -> None:
    found = find_sounds(sound(room(4.0), knock(0.5, 4.0), knock(2.0, 4.0), knock(3.2, 4.0, amplitude=300.0)))
    assert found is not None and [round(start / RATE, 1) for start, _ in found.sounds] == [0.5, 2.0]


def test_a_long_sound_is_lasting_and_silence_is_none() -> None:
    lasting = find_sounds(sound(room(5.0), np.pad(room(2.5, 4000.0, 2), (RATE, 5 * RATE - RATE - 40_000))))
    assert lasting is not None and not lasting.impulsive
    assert find_sounds(np.zeros(RATE, np.int16)) is None
    assert find_sounds(np.zeros(10, np.int16)) is None


def test_a_recording_cut_tightly_is_all_sound() -> None:
    samples = sound(room(0.2, 3000.0))
    found = find_sounds(samples)
    assert found is not None and found.sounds == ((0, len(samples)),) and found.impulsive


def test_stretches_hold_the_sound_and_quiet_ones_do_not() -> None:
    samples = sound(room(6.0), knock(3.0, 6.0))
    found = find_sounds(samples)
    assert found is not None
    stretches = cut(samples, found, np.random.default_rng(1))
    every = [*stretches.heard, *stretches.placed, *stretches.altered, *stretches.quiet]
    assert all(one.shape == (PATCH_SAMPLES,) and one.dtype == np.int16 for one in every)
    assert all(int(np.abs(one.astype(int)).max()) > 5000 for one in (*stretches.placed, *stretches.heard))
    assert stretches.quiet and all(int(np.abs(one.astype(int)).max()) < 500 for one in stretches.quiet)


def test_a_long_recording_gives_a_bounded_number_of_stretches() -> None:
    samples = sound(room(29.0, 4000.0))
    found = find_sounds(samples)
    assert found is not None
    stretches = cut(samples, found, np.random.default_rng(1))
    assert len(stretches.heard) <= MOST_HEARD
    assert len(stretches.heard) + len(stretches.placed) + len(stretches.altered) + len(stretches.quiet) < 32


def beeps(seconds: float, count: int, *, every: float, frequency: float = 3_000.0) -> np.ndarray:
    """Tones of a length in seconds, `every` so many seconds, from 0.5 s on, in silence."""
    time = np.arange(round((1.0 + every * count) * RATE)) / RATE
    on = (time >= 0.5) & ((time - 0.5) % every < seconds) & (time < 0.5 + every * count)
    return np.where(on, 6000.0 * np.sin(2 * np.pi * frequency * time), 0.0)


@pytest.mark.parametrize(("seconds", "count", "every"), [(0.3, 1, 1.0), (0.4, 4, 0.5), (0.5, 3, 1.0), (0.1, 16, 0.2)])
def test_a_sound_that_holds_its_level_has_length(seconds: float, count: int, every: float) -> None:
    """An alarm of beeps of 0.4 s was taken for a sound without length, and gave four events in 2 s."""
    tones = beeps(seconds, count, every=every)
    found = find_sounds(sound(room(len(tones) / RATE), tones))
    assert found is not None and not found.impulsive


@pytest.mark.parametrize("decay", [0.005, 0.03, 0.08])
@pytest.mark.parametrize("clean", [True, False])
def test_a_clap_has_none_dry_or_in_a_hall(decay: float, clean: bool) -> None:
    """decay: 0.08 s is a reverberation of 0.55 s."""
    found = find_sounds(sound(knock(0.3, 2.0, decay=decay), room(2.0, 0.0 if clean else 60.0)))
    assert found is not None and found.impulsive
