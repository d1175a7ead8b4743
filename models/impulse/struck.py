"""Knocks and breaking glass that nobody recorded: damped modes, struck once or falling to pieces.

Both give float32 `(n,)`, peak 1, the onset LEAD samples in. Which of them sound like what they should is for the critic.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.impulse.hands import placed
from models.impulse.stock import SAMPLE_RATE

Floats = npt.NDArray[np.float32]
KNOCK, GLASS = 4_800, 12_000


def knock_by_formula(rng: np.random.Generator) -> Floats:
    """A knuckle on wood: three to nine modes from 70 Hz on, heavily damped, and a soft blow."""
    seconds = np.arange(KNOCK) / SAMPLE_RATE
    sound = np.zeros(KNOCK)
    base = np.exp(rng.uniform(np.log(70.0), np.log(500.0)))
    for number in range(int(rng.integers(3, 10))):
        frequency = base * (1.0 + number * rng.uniform(0.4, 1.6))
        decay = np.exp(rng.uniform(np.log(0.005), np.log(0.06))) / (1.0 + number * 0.3)
        sound += _mode(rng, seconds, frequency, decay) * rng.uniform(0.2, 1.0) / (1.0 + number * rng.uniform(0.0, 0.6))
    blow = rng.standard_normal(KNOCK) * np.exp(-seconds / rng.uniform(0.0008, 0.008))
    pole = rng.uniform(0.3, 0.95)
    return placed(_dull(sound / max(np.abs(sound).max(), 1e-9) + blow * rng.uniform(0.02, 0.6), pole))


def glass_by_formula(rng: np.random.Generator) -> Floats:
    """A blow, then shards: dozens of high modes that begin one after another, and their rattle."""
    seconds = np.arange(GLASS) / SAMPLE_RATE
    sound = rng.standard_normal(GLASS) * np.exp(-seconds / rng.uniform(0.004, 0.05)) * rng.uniform(0.3, 1.2)
    longest = rng.uniform(0.1, 0.6)
    for _ in range(int(rng.integers(8, 60))):
        start = rng.exponential(longest / 3) if rng.random() < 0.75 else 0.0
        after = np.maximum(seconds - start, 0.0) * (seconds >= start)
        frequency = np.exp(rng.uniform(np.log(1_500.0), np.log(7_600.0)))
        decay = np.exp(rng.uniform(np.log(0.004), np.log(0.15)))
        rattle = rng.standard_normal(GLASS) * np.exp(-after / 0.003)
        ring = _mode(rng, after, frequency, decay) + rng.uniform(0.0, 0.6) * rattle
        sound += ring * (seconds >= start) * rng.exponential(0.3) * np.exp(-start / longest)
    return placed(sound)


def _mode(rng: np.random.Generator, seconds: npt.NDArray[np.float64], frequency: float,
          decay: float) -> npt.NDArray[np.float64]:
    return np.sin(2.0 * np.pi * min(frequency, 7_700.0) * seconds + rng.uniform(0.0, 6.28)) * np.exp(-seconds / decay)


def _dull(sound: npt.NDArray[np.float64], pole: float) -> npt.NDArray[np.float64]:
    spectrum = np.fft.rfft(sound)
    turn = np.exp(-1j * np.pi * np.linspace(0.0, 1.0, len(spectrum)))
    return np.fft.irfft(spectrum * (1.0 - pole) / (1.0 - pole * turn), len(sound))
