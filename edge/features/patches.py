"""Rows or samples to patches, one every hop."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.features.framing import Framer
from edge.features.logmel import BANDS, FRAME_STEP, PATCH_FRAMES, PATCH_SAMPLES
from edge.stream import Patch


class _PatchMaker:
    """What both makers share: where the next patch starts, and how far patches have covered the sound."""

    def __init__(self, patch_samples: int, hop_samples: int) -> None:
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

    def _patch(self, data: NDArray[np.float32] | NDArray[np.int16]) -> Patch:
        kept = data.copy()
        kept.setflags(write=False)  # it travels, and may be kept
        patch = Patch(kept, self._start, self._first)
        self._start += self._hop_samples
        self._first = False
        return patch

    def _restart(self, position: int) -> None:
        self._start = position
        self._first = True


class BandPatches(_PatchMaker):
    """Log-mel rows to patches of 96 rows; a patch covers 15,600 samples."""

    def __init__(self, hop_frames: int) -> None:
        """hop_frames: 10 ms frames from one patch to the next, 1 to 96."""
        super().__init__(PATCH_SAMPLES, hop_frames * FRAME_STEP)
        self._framer = Framer(PATCH_FRAMES, hop_frames, dtype=np.float32, item=(BANDS,), room=PATCH_FRAMES)

    def push(self, rows: NDArray[np.float32]) -> list[Patch]:
        """Patches of float32 `(96, 64)` that rows float32 `(k, 64)` complete, often none."""
        return [self._patch(data) for stretches in self._framer.push(rows) for data in stretches]

    def restart(self, position: int) -> None:
        """Forget; the next row's frame starts at `position`."""
        self._framer.reset()
        self._restart(position)


class SamplePatches(_PatchMaker):
    """Samples to patches of samples, for models that take the waveform."""

    def __init__(self, patch_samples: int, hop_samples: int) -> None:
        """Both in 16 kHz samples, 1 <= hop_samples <= patch_samples."""
        super().__init__(patch_samples, hop_samples)
        self._framer = Framer(patch_samples, hop_samples, dtype=np.int16, room=max(hop_samples, 4096))

    def push(self, samples: NDArray[np.int16]) -> list[Patch]:
        """Patches of int16 `(patch_samples,)` that samples int16 `(n,)` complete, often none."""
        return [self._patch(data) for stretches in self._framer.push(samples) for data in stretches]

    def restart(self, position: int) -> None:
        """Forget; the next sample is at `position`."""
        self._framer.reset()
        self._restart(position)
