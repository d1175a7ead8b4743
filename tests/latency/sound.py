"""Claps to be heard: the demo's, one about every second, each at a moment of its own, in a noise as quiet as its room."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.stream import SAMPLE_RATE
from tests.decision.measure_latency import AT, claps

LEAD_SECONDS, LAST_SECONDS = 6.0, 2.0
"""Quiet before the first clap, while the microphone is opened and the noise floor is found; and after the last."""
CLAP_SAMPLES = 11_200
"""Of the recording, from just before a clap: 0.7 s."""
BEFORE = 160
"""Samples of it before the clap begins."""
SPACING = 0.8, 1.2
"""Seconds from one clap to the next: no block, hop or look goes in step with them."""


@dataclass(frozen=True, slots=True)
class Claps:
    """samples: int16, 16 kHz. begins: where each clap begins, in samples."""

    samples: NDArray[np.int16]
    begins: NDArray[np.int64]


def series(count: int, *, seed: int = 0) -> Claps:
    """So many claps."""
    random, recording = np.random.default_rng(seed), claps()
    quiet = max(float(np.std(recording[: SAMPLE_RATE // 2].astype(np.float64))), 1.0)
    starts = (SAMPLE_RATE * (LEAD_SECONDS + np.cumsum(random.uniform(*SPACING, count)))).astype(np.int64)
    sound = random.normal(0.0, quiet, int(starts[-1]) + round(LAST_SECONDS * SAMPLE_RATE))
    for number, start in enumerate(starts):
        first = round(AT[number % len(AT)] * SAMPLE_RATE) - BEFORE
        sound[start: start + CLAP_SAMPLES] += recording[first: first + CLAP_SAMPLES]
    return Claps(np.clip(np.rint(sound), -32_768, 32_767).astype(np.int16), starts + BEFORE)
