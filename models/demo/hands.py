"""A hand clap from its physics: air pressed out between two palms that ring like a small open vessel while the skin slaps.

A clap is a few puffs within milliseconds (fingers, then palm). Each is a burst of noise: a crack of two or three
milliseconds, and under it the palms' slower breath. The hollow of the hands (from cupped to flat) colours it, then the
fingers (2 to 3.5 kHz); the body takes some of the lows, the air some of the highs.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

RATE = 16_000
Samples = npt.NDArray[np.float64]
LENGTH_SECONDS = 0.3


def hand_clap(seed: int, cupped: float = 0.4) -> Samples:
    """One clap, 300 ms, peak 1; ``cupped`` from 0 (flat) to 1 (hollow)."""
    rng = np.random.default_rng(seed)
    pressure = puffs(rng, 4 if cupped < 0.5 else 2)
    spectrum = np.fft.rfft(pressure, 8_192)
    hertz = np.maximum(np.fft.rfftfreq(8_192, 1.0 / RATE), 1.0)
    hollow = (1_650.0 - 650.0 * cupped) * np.exp(rng.normal(0.0, 0.05))
    modes = [
        (hollow, 1.0),
        (hollow * rng.uniform(0.45, 0.60), 0.65),
        (hollow * rng.uniform(1.70, 2.20), 0.40),
        (rng.uniform(2_500.0, 3_500.0), 0.30),
    ]
    gain = np.full(len(hertz), 0.20, np.complex128)
    for centre, share in modes:
        gain += share / (1.0 + 1j * 1.7 * (hertz / centre - centre / hertz))
    gain /= (1.0 + (260.0 / hertz) ** 2) * np.sqrt(1.0 + (hertz / 1_900.0) ** 2)
    clap = np.fft.irfft(spectrum * gain)[: len(pressure)]
    return clap / np.abs(clap).max()


def puffs(rng: np.random.Generator, count: int) -> Samples:
    """The air's bursts, the last the strongest."""
    seconds = np.arange(round(LENGTH_SECONDS * RATE)) / RATE
    pressure = np.zeros_like(seconds)
    starts = np.sort(rng.uniform(0.0, 0.0036 if count > 2 else 0.009, count))
    for number, start in enumerate(starts):
        after = np.maximum(seconds - start, 0.0)
        crack = np.exp(-after / rng.uniform(0.0017, 0.0026))
        breath = rng.uniform(0.14, 0.32) * np.exp(-after / rng.uniform(0.032, 0.046))
        shape = np.where(seconds >= start, (1.0 - np.exp(-after / 0.0003)) * (crack + breath), 0.0)
        strength = 1.0 if number == count - 1 else rng.uniform(0.3, 0.8)
        pressure += strength * shape * rng.standard_normal(len(seconds))
    return pressure
