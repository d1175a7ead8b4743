"""Rows or samples to patches, one every hop."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.features.framing import Framer
from edge.stream import BANDS, FRAME_STEP, PATCH_FRAMES, PATCH_SAMPLES, Patch


class Patches:
    """Cuts a patch every hop, and knows where the next patch lies and how much sound is covered."""

    def __init__(self, framer: Framer[Any], *, patch_samples: int, hop_samples: int) -> None:
        """framer: of rows or samples; its length is a patch, its step a hop. The rest in 16 kHz samples."""
        self._framer = framer
        self._patch_samples, self._hop_samples = patch_samples, hop_samples
        self._start = 0
        self._first = True

    @property
    def covered(self) -> int:
        """Position up to which every sample since `restart` lies in a patch already made."""
        return self._start if self._first else self._start - self._hop_samples + self._patch_samples

    @property
    def next_end(self) -> int:
        """Position after the last sample of the next patch."""
        return self._start + self._patch_samples

    def push(self, items: NDArray[Any]) -> list[Patch]:
        """Patches that `items` complete, often none.

        items: rows float32 `(k, 64)` give patches float32 `(96, 64)`; samples int16 `(n,)` give int16 `(patch_samples,)`.
        """
        return [self._patch(data) for stretches in self._framer.push(items) for data in stretches]

    def restart(self, position: int) -> None:
        """Forget; the next item begins at `position`."""
        self._framer.reset()
        self._start = position
        self._first = True

    def _patch(self, data: NDArray[Any]) -> Patch:
        kept = data.copy()
        kept.setflags(write=False)  # it travels, and may be kept
        patch = Patch(kept, self._start, self._first)
        self._start += self._hop_samples
        self._first = False
        return patch


def band_patches(hop_frames: int) -> Patches:
    """Patches of 96 rows (15,600 samples). hop_frames: 10 ms frames from one patch to the next, 1 to 96."""
    framer = Framer(PATCH_FRAMES, hop_frames, dtype=np.float32, item=(BANDS,), room=PATCH_FRAMES)
    return Patches(framer, patch_samples=PATCH_SAMPLES, hop_samples=hop_frames * FRAME_STEP)


def sample_patches(patch_samples: int, hop_samples: int) -> Patches:
    """Patches of samples, for a model that takes the waveform. 1 <= hop_samples <= patch_samples."""
    framer = Framer(patch_samples, hop_samples, dtype=np.int16, room=max(hop_samples, 4096))
    return Patches(framer, patch_samples=patch_samples, hop_samples=hop_samples)
