"""Cuts a stream into overlapping stretches: samples into frames, and rows or samples into patches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from edge.stream import BANDS, FRAME_STEP, PATCH_FRAMES, PATCH_SAMPLES, Patch

Scalar = TypeVar("Scalar", bound=np.generic)


class Framer(Generic[Scalar]):
    """`length` items every `step` items: samples into frames, rows into patches, samples into patches.

    The memory is allocated once. The first stretch starts at the first item pushed after construction or
    `reset`. Items are copied in once, moved by at most `length` when the memory fills, and never widened. How
    they arrive in pushes changes nothing.
    """

    def __init__(self, length: int, step: int, *, dtype: type[Scalar], item: tuple[int, ...] = (),
                 room: int = 4096) -> None:
        """length, step: in items, 1 <= step <= length. item: shape of one item. room: items taken in at a time."""
        if not 1 <= step <= length:
            raise ValueError(f"step {step}: found outside 1 to {length}")
        self._length, self._step = length, step
        self._memory: NDArray[Scalar] = np.zeros((length + room, *item), dtype)
        stride, *inner = self._memory.strides
        self._stretches = as_strided(self._memory, (room // step + 1, length, *item),
                                     (step * stride, stride, *inner), writeable=False)
        self._held = 0

    @property
    def held(self) -> int:
        """Items kept for stretches to come."""
        return self._held

    def push(self, items: NDArray[Scalar]) -> Iterator[NDArray[Scalar]]:
        """Stretches `(k, length, *item)`, k > 0, in order, as views that the next step of the iteration overwrites.

        items: `(n, *item)`, any n. Nothing is taken in until the iterator is run, to its end.
        """
        while len(items):
            taken = min(len(items), len(self._memory) - self._held)
            self._memory[self._held:self._held + taken] = items[:taken]
            self._held += taken
            items = items[taken:]
            if self._held < self._length:
                continue
            count = (self._held - self._length) // self._step + 1
            yield self._stretches[:count]
            self._held -= count * self._step
            start = count * self._step
            self._memory[:self._held] = self._memory[start:start + self._held]

    def reset(self) -> None:
        """Forget what is held."""
        self._held = 0


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
