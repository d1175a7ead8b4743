"""The activity gate: is there anything over the room's noise that is worth waking the backbone for? Pure."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from edge.decision.onset import DB_PER_NEPER
from edge.settings import GateSettings
from edge.stream import FRAME_STEP, PATCH_SAMPLES, SAMPLE_RATE, Patch

FLOOR_SECONDS = 15.0
"""The noise floor is the lowest mean of a hop in so many seconds. A shorter sound does not raise it."""


class Gate:
    """Judges the newest hop of every patch against a floor tracked for each band.

    The gate opens when one frame rises over the floor by `open_db` in the mean of all bands (a click, a clap), or
    when the hop's mean rises by twice that in any one band (a quiet beep hardly moves the mean of all bands).
    The gate then stays open for `hang_over_seconds`. At the start, the gate is open until `FLOOR_SECONDS` have
    been heard, because the room is not known before.
    """

    def __init__(self, settings: GateSettings, *, hop_samples: int, patch_samples: int = PATCH_SAMPLES) -> None:
        """hop_samples: distance between patches at 16 kHz, at least one frame step (160); patch_samples: their length.

        The gate stays open for at least a patch: every patch that holds the sound must be heard.
        """
        self._open_db = settings.open_db
        self._hang_over = max(round(settings.hang_over_seconds * SAMPLE_RATE), patch_samples)
        self._frames = max(hop_samples // FRAME_STEP, 1)
        self._means: deque[NDArray[np.float32]] = deque(maxlen=max(round(FLOOR_SECONDS * SAMPLE_RATE / hop_samples), 1))
        self._open_until = 0

    def push(self, patch: Patch) -> bool:
        """True while the gate is open for this patch. Call once for every patch, in order."""
        frames = self._decibels(patch)
        mean = frames.mean(axis=0)
        known = len(self._means) == self._means.maxlen
        floor = np.min(self._means, axis=0) if self._means else mean
        self._means.append(mean)
        wide = float((frames - floor).mean(axis=1).max())
        narrow = float((mean - floor).max())
        if not known or wide >= self._open_db or narrow >= 2.0 * self._open_db:
            self._open_until = patch.position + self._hang_over
        return patch.position <= self._open_until

    def _decibels(self, patch: Patch) -> NDArray[np.float32]:
        """float32 `(frames, bands)` in dB of what is new: the newest hop, all of a first patch. A waveform has one band."""
        if patch.data.ndim == 2:
            rows = patch.data if patch.first else patch.data[-self._frames:]
            return np.asarray(rows * np.float32(DB_PER_NEPER), np.float32)
        newest = (patch.data if patch.first else patch.data[-self._frames * FRAME_STEP:]).astype(np.float32)
        frames = newest[: len(newest) // FRAME_STEP * FRAME_STEP].reshape(-1, FRAME_STEP)
        power = np.square(frames).mean(axis=1, keepdims=True) / np.float32(32768.0**2)
        return np.asarray(10.0 * np.log10(np.maximum(power, 1e-12)), np.float32)
