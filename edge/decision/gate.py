"""The activity gate: is there anything over the room's noise that is worth waking the backbone for? Pure."""

from __future__ import annotations

from typing import cast

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
        self._rise = settings.open_db / DB_PER_NEPER
        self._hang_over = max(round(settings.hang_over_seconds * SAMPLE_RATE), patch_samples)
        self._frames = max(hop_samples // FRAME_STEP, 1)
        self._hops = max(round(FLOOR_SECONDS * SAMPLE_RATE / hop_samples), 1)
        self._heard = 0
        self._means: NDArray[np.float32] = np.empty((0, 0), np.float32)
        """float32 `(hops, bands)`, a ring: each hop's mean; infinite where none was heard yet."""
        self._open_until = 0

    def push(self, patch: Patch) -> bool:
        """True while the gate is open for this patch. Call once for every patch, in order."""
        frames = self._newest(patch)
        count, bands = frames.shape
        if not self._heard:
            self._means = np.full((self._hops, bands), np.inf, np.float32)
        # Every call counts here: the gate may cost no more than it spares. A reduce is half of `mean`.
        mean = np.add.reduce(frames, axis=0) / np.float32(count)
        floor = np.minimum.reduce(self._means, axis=0) if self._heard else mean
        self._means[self._heard % self._hops] = mean
        self._heard += 1
        # The mean of a row over the floor is the row's mean over the floor's.
        wide = float(np.maximum.reduce(np.add.reduce(frames, axis=1)) - np.add.reduce(floor)) / bands
        narrow = float(np.maximum.reduce(mean - floor))
        if self._heard <= self._hops or wide >= self._rise or narrow >= 2.0 * self._rise:
            self._open_until = patch.position + self._hang_over
        return patch.position <= self._open_until

    def _newest(self, patch: Patch) -> NDArray[np.float32]:
        """float32 `(frames, bands)` in nepers of what is new: the newest hop, all of a first patch. A waveform has one
        band."""
        if patch.data.ndim == 2:
            return cast("NDArray[np.float32]", patch.data if patch.first else patch.data[-self._frames:])
        newest = (patch.data if patch.first else patch.data[-self._frames * FRAME_STEP:]).astype(np.float32)
        frames = newest[: len(newest) // FRAME_STEP * FRAME_STEP].reshape(-1, FRAME_STEP)
        power = np.square(frames).mean(axis=1, keepdims=True) / np.float32(32768.0**2)
        return np.asarray(0.5 * np.log(np.maximum(power, 1e-12)), np.float32)
