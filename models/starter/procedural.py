"""Sounds made from formulas: a few per cent of what the student hears, for variety.

They have no label and measure nothing. The bundled sounds of models/demo are made by other code, and a test keeps it so.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

RATE = 16_000
Floats = npt.NDArray[np.float32]


def struck_body(rng: np.random.Generator, samples: int) -> Floats:
    """Something struck: two to nine damped modes and a little attack noise."""
    time = np.arange(samples) / RATE
    sound = np.zeros(samples)
    base = np.exp(rng.uniform(np.log(80), np.log(4000)))
    for _ in range(rng.integers(2, 10)):
        frequency = min(base * rng.uniform(1.0, 6.0), 7600.0)
        decay = np.exp(rng.uniform(np.log(0.004), np.log(0.7)))
        sound += (
            rng.uniform(0.1, 1.0) * np.sin(2 * np.pi * frequency * time + rng.uniform(0, 6.28)) * np.exp(-time / decay)
        )
    attack = rng.standard_normal(samples) * np.exp(-time / rng.uniform(0.0005, 0.01))
    return (sound + rng.uniform(0, 2) * attack).astype(np.float32)


def tone(rng: np.random.Generator, samples: int) -> Floats:
    """A steady or interrupted tone with harmonics and a little vibrato."""
    time = np.arange(samples) / RATE
    frequency = np.exp(rng.uniform(np.log(90), np.log(4000)))
    wobble = rng.uniform(0, 0.02) * np.sin(2 * np.pi * rng.uniform(2, 9) * time)
    phase = 2 * np.pi * np.cumsum(frequency * (1 + wobble)) / RATE
    sound = sum(
        np.sin(k * phase) / k ** rng.uniform(0.3, 2.0) for k in range(1, rng.integers(2, 9)) if k * frequency < 7600
    )
    if rng.random() < 0.4:
        sound = sound * (np.sin(2 * np.pi * rng.uniform(0.7, 12) * time + rng.uniform(0, 6)) > rng.uniform(-0.5, 0.5))
    return np.asarray(sound * np.ones(samples), np.float32)


def chirp(rng: np.random.Generator, samples: int) -> Floats:
    """One to eight sweeps, up, down, or there and back."""
    turns = rng.uniform(0.5, 8.0) * np.arange(samples) / samples
    ramp = turns % 1.0 if rng.random() < 0.5 else np.abs((turns % 1.0) * 2 - 1)
    low, high = np.exp(np.sort(rng.uniform(np.log(100), np.log(7000), 2)))
    direction = ramp if rng.random() < 0.5 else 1 - ramp
    phase = 2 * np.pi * np.cumsum(low * (high / low) ** direction) / RATE
    return np.tanh(rng.uniform(0.5, 4.0) * np.sin(phase)).astype(np.float32)


def noise_bursts(rng: np.random.Generator, samples: int) -> Floats:
    """Bursts of coloured noise at irregular times."""
    sound = np.zeros(samples)
    pole, zero = rng.uniform(-0.9, 0.97), rng.uniform(-0.9, 0.9)
    coloured = lfilter([1.0, -zero], [1.0, -pole], rng.standard_normal(samples))
    for _ in range(rng.integers(1, 25)):
        start = int(rng.integers(0, samples))
        length = int(RATE * np.exp(rng.uniform(np.log(0.002), np.log(0.6))))
        stop = min(samples, start + length)
        sound[start:stop] += (
            rng.uniform(0.1, 1.0) * coloured[start:stop] * np.exp(-np.arange(stop - start) / (0.4 * length))
        )
    return sound.astype(np.float32)


def moving_noise(rng: np.random.Generator, samples: int) -> Floats:
    """Noise through a resonance, its loudness rising and falling slowly."""
    centre, width = np.exp(rng.uniform(np.log(100), np.log(6500))), rng.uniform(0.6, 0.995)
    feedback = [1.0, -2 * width * np.cos(2 * np.pi * centre / RATE), width * width]
    swell = 1.0 + rng.uniform(0, 1) * np.sin(
        2 * np.pi * rng.uniform(0.2, 8) * np.arange(samples) / RATE + rng.uniform(0, 6)
    )
    return (lfilter([1.0], feedback, rng.standard_normal(samples)) * swell).astype(np.float32)


KINDS = (struck_body, tone, chirp, noise_bursts, moving_noise)


def procedural_sound(rng: np.random.Generator, samples: int) -> Floats:
    """One sound of a random kind, peak 1: float32 (samples,)."""
    sound = KINDS[rng.integers(len(KINDS))](rng, samples)
    if rng.random() < 0.4:
        sound = np.roll(sound, int(rng.integers(samples)))
    return sound / max(float(np.abs(sound).max()), 1e-6)
