"""Rooms by formula: a direct sound, reflections that thin out, and a tail that dies sooner the higher it is.

For the tail: Moorer, About this reverberation business (Computer Music Journal, 1979): noise that decays exponentially.
"""

from __future__ import annotations

import itertools
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.signal import butter, sosfilt

from models.impulse.stock import SAMPLE_RATE

Floats = npt.NDArray[np.float32]
EDGES = (250.0, 500.0, 1_000.0, 2_000.0, 4_000.0)
"""Between the bands of the tail, in hertz."""
SECONDS = 0.55
"""Of a response: a window holds no more after its onset."""


@lru_cache(maxsize=1)
def _bands() -> list[npt.NDArray[np.float64]]:
    middle = [butter(2, pair, "band", fs=SAMPLE_RATE, output="sos") for pair in itertools.pairwise(EDGES)]
    return [butter(2, EDGES[0], "low", fs=SAMPLE_RATE, output="sos"), *middle,
            butter(2, EDGES[-1], "high", fs=SAMPLE_RATE, output="sos")]


def room(rng: np.random.Generator) -> Floats:
    """A response, float32 `(8800,)`: from a furnished room (0.15 s) to a hall (3 s), near and far."""
    count = round(SECONDS * SAMPLE_RATE)
    seconds = np.arange(count) / SAMPLE_RATE
    longest = np.exp(rng.uniform(np.log(0.15), np.log(3.0)))
    slope = rng.uniform(0.6, 1.05)  # of the decay from one band to the next
    noise = rng.standard_normal(count)
    tail = np.zeros(count)
    for number, band in enumerate(_bands()):
        decay = max(longest * slope**number * np.exp(rng.normal(0.0, 0.15)), 0.05)
        tail += sosfilt(band, noise) * 10 ** (-3.0 * seconds / decay) * 10 ** (rng.normal(0.0, 3.0) / 20)
    begins = rng.uniform(0.002, 0.06)
    tail *= 1.0 / (1.0 + np.exp(-(seconds - begins) / rng.uniform(0.001, 0.012)))
    tail /= max(float(np.sqrt(np.sum(tail**2))), 1e-9)
    response = tail * 10 ** (rng.uniform(-14.0, 10.0) / 20)
    for _ in range(int(rng.integers(0, 16))):
        place = int(np.exp(rng.uniform(np.log(0.0006), np.log(0.08))) * SAMPLE_RATE)
        response[place] += rng.normal(0.0, 0.45)
    response[0] += 1.0
    return response.astype(np.float32)
