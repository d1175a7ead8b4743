"""A siren that yelps, a smoke alarm that beeps, a foot that steps, a fan that turns."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

RATE = 16_000
Samples = npt.NDArray[np.float64]


def siren(seconds: float) -> Samples:
    """An electronic yelp: a bright tone that climbs from 650 to 1,450 Hz and falls back, twice a second; peak 1."""
    now = np.arange(round(seconds * RATE)) / RATE
    turn = (now / 0.5) % 1.0
    climb = np.where(turn < 0.45, turn / 0.45, (1.0 - turn) / 0.55)
    pitch = 650.0 * (1_450.0 / 650.0) ** np.sin(0.5 * np.pi * climb)
    angle = 2.0 * np.pi * np.cumsum(pitch) / RATE
    wave = np.zeros_like(now)
    for harmonic, strength in ((1, 1.0), (2, 0.45), (3, 0.5), (4, 0.18), (5, 0.2)):
        wave += np.where(harmonic * pitch < 7_300.0, strength * np.sin(harmonic * angle), 0.0)
    edge = np.minimum(1.0, np.minimum(now, seconds - now) / 0.15)
    wave *= edge * (1.0 + 0.06 * np.sin(2.0 * np.pi * 0.8 * now))
    return wave / np.abs(wave).max()


def smoke_alarm(cycles: int) -> Samples:
    """A piezo horn at 3.2 kHz in the rhythm T3 (ISO 8201): three half-second beeps, and a pause of 1.5 s; peak 1."""
    half = round(0.5 * RATE)
    now = np.arange(half) / RATE
    beep = np.sin(2.0 * np.pi * 3_200.0 * now) + 0.15 * np.sin(2.0 * np.pi * 6_400.0 * now + 0.7)
    beep *= (1.0 - np.exp(-now / 0.006)) * np.minimum(1.0, (now[-1] - now) / 0.003)
    horn = np.zeros(cycles * 8 * half)
    for start in (8 * cycle + 2 * number for cycle in range(cycles) for number in range(3)):
        horn[start * half : (start + 1) * half] = beep
    return horn[: -3 * half] / np.abs(horn).max()


def footstep(seed: int) -> Samples:
    """A soft shoe on wood: a dull heel, then a softer sole, 300 ms, peak 1."""
    rng = np.random.default_rng(seed)
    now = np.arange(round(0.3 * RATE)) / RATE
    sound = np.zeros_like(now)
    for start, strength, hertz in ((0.0, 1.0, rng.uniform(70.0, 95.0)), (rng.uniform(0.09, 0.12), 0.4, 130.0)):
        after = np.maximum(now - start, 0.0)
        begun = (now >= start) * (1.0 - np.exp(-after / 0.002))
        sound += strength * begun * np.sin(2.0 * np.pi * hertz * after) * np.exp(-after / 0.035)
        scuff = np.convolve(rng.standard_normal(len(now)), np.hanning(24) / 12.0, "same")
        sound += 0.3 * strength * begun * scuff * np.exp(-after / 0.03)
    return sound / np.abs(sound).max()


def fan(seconds: float, seed: int) -> Samples:
    """A fan: air that rushes, the blades' slow beat and the motor's hum under it; peak 1."""
    rng = np.random.default_rng(seed)
    now = np.arange(round(seconds * RATE)) / RATE
    spectrum = np.fft.rfft(rng.standard_normal(len(now)))
    hertz = np.fft.rfftfreq(len(now), 1.0 / RATE)
    air = np.fft.irfft(spectrum / (1.0 + (hertz / 420.0) ** 1.4), len(now))
    sound = air / np.std(air) * (1.0 + 0.08 * np.sin(2.0 * np.pi * 11.0 * now))
    for harmonic in (1, 2, 3):
        sound += 0.25 / harmonic * np.sin(2.0 * np.pi * 100.0 * harmonic * now)
    sound *= np.minimum(1.0, np.minimum(now, seconds - now) / 0.8)
    return sound / np.abs(sound).max()
