"""What rooms, microphones and distances do to a sound, at random.

Every function takes float32 (n,) samples at 16 kHz and a generator, and gives float32 back.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.signal import fftconvolve, lfilter

RATE = 16_000
Floats = npt.NDArray[np.float32]


def at_speed(samples: Floats, speed: float) -> Floats:
    """Played faster (above 1) or slower, pitch with it."""
    places = np.arange(0, len(samples) - 1, speed)
    return np.interp(places, np.arange(len(samples)), samples).astype(np.float32)


def through_microphone(rng: np.random.Generator, samples: Floats) -> Floats:
    """A spectral tilt, up to three broad peaks or dips, and sometimes a narrow band."""
    spectrum = np.fft.rfft(samples)
    hertz = np.linspace(0, RATE / 2, len(spectrum))
    octaves = np.log2(np.maximum(hertz, 60.0) / 1000.0)
    decibels = rng.normal(0, 2.0) * octaves
    for _ in range(rng.integers(0, 4)):
        decibels += rng.normal(0, 5) * np.exp(-0.5 * ((octaves - rng.uniform(-3, 2.8)) / rng.uniform(0.2, 1.2)) ** 2)
    if rng.random() < 0.25:
        decibels -= rng.uniform(6, 24) * np.maximum(0, octaves - np.log2(rng.uniform(2500, 7000) / 1000))
    if rng.random() < 0.25:
        decibels -= rng.uniform(6, 24) * np.maximum(0, np.log2(rng.uniform(80, 500) / 1000) - octaves)
    return np.fft.irfft(spectrum * 10 ** (decibels / 20), len(samples)).astype(np.float32)


def in_room(rng: np.random.Generator, samples: Floats) -> Floats:
    """A direct sound, some early echoes and a decaying tail that grows duller; length as before."""
    decay = np.exp(rng.uniform(np.log(0.05), np.log(1.0)))
    length = int(RATE * min(decay * 1.2, 0.9))
    tail = rng.standard_normal(length) * 10 ** (-3 * np.arange(length) / (RATE * decay))
    tail = lfilter([1 - (pole := rng.uniform(0.0, 0.75))], [1, -pole], tail)
    tail[: int(rng.uniform(0.001, 0.02) * RATE)] = 0
    response = tail / max(np.sqrt(np.sum(tail**2)), 1e-9) * 10 ** (rng.uniform(-18, 3) / 20)
    for _ in range(rng.integers(0, 7)):
        response[int(rng.uniform(0.0005, 0.03) * RATE)] += rng.normal(0, 0.35)
    response[0] += 1.0
    return fftconvolve(samples, response)[: len(samples)].astype(np.float32)


def background(rng: np.random.Generator, samples: int) -> Floats:
    """Steady noise of a random colour, sometimes with mains hum; RMS 1."""
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    hertz = np.maximum(np.linspace(0, RATE / 2, len(spectrum)), 20.0)
    noise = np.fft.irfft(spectrum * (hertz / 1000) ** -rng.uniform(-0.2, 1.3), samples)
    noise /= max(float(np.sqrt(np.mean(noise**2))), 1e-9)
    if rng.random() < 0.15:
        mains = rng.choice([50, 60]) * rng.integers(1, 4)
        noise += rng.uniform(0.3, 2) * np.sin(2 * np.pi * mains * np.arange(samples) / RATE + rng.uniform(0, 6))
    return noise.astype(np.float32)


def peak_level(rng: np.random.Generator, samples: Floats, lowest: float = -50.0, highest: float = 0.0) -> Floats:
    """The same sound with its peak at a random level in dBFS; silence stays silence."""
    peak = float(np.abs(samples).max())
    level = lowest + (highest - lowest) * rng.beta(1.6, 1.1)
    return samples * np.float32(10 ** (level / 20) / max(peak, 1e-5))
