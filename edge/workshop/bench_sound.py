"""The sounds that costs are measured with: always the same samples."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.stream import SAMPLE_RATE


def test_sound(seconds: float) -> NDArray[np.int16]:
    """int16 `(n,)` at 16 kHz: noise with a burst a second, for sound that is quiet and loud."""
    random = np.random.default_rng(1)
    length = round(seconds * SAMPLE_RATE)
    noise = random.normal(0.0, 300.0, length)
    for start in range(SAMPLE_RATE // 2, length - 1600, SAMPLE_RATE):
        noise[start: start + 1600] += random.normal(0.0, 6000.0, 1600) * np.exp(-np.arange(1600) / 300.0)
    return np.clip(noise, -32768, 32767).astype(np.int16)


def quiet_room(seconds: float) -> NDArray[np.int16]:
    """int16 `(n,)` at 16 kHz: steady noise at -61 dBFS, in which nothing happens."""
    return np.random.default_rng(1).normal(0.0, 30.0, round(seconds * SAMPLE_RATE)).astype(np.int16)


def write_wav(path: Path, samples: NDArray[np.int16]) -> None:
    """A plain WAV, 16 kHz mono. samples: int16 `(n,)`."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes(samples.astype("<i2").tobytes())
