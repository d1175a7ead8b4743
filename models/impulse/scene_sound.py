"""The sound of a scene, whole and in blocks of a second."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.stream import SAMPLE_RATE, Block, StreamFormat


def samples_of(path: Path) -> NDArray[np.int16]:
    """Samples int16 `(n,)` of a WAV as models/scenes/build.py writes it."""
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.int16)


def blocks_of(samples: NDArray[np.int16]) -> Iterator[Block]:
    """The same, a second at a time."""
    for start in range(0, len(samples), SAMPLE_RATE):
        yield Block(samples[start: start + SAMPLE_RATE], start, StreamFormat(SAMPLE_RATE, 1))
