"""Cuts a stream into overlapping stretches of one length, in memory allocated once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

Scalar = TypeVar("Scalar", bound=np.generic)


class Framer(Generic[Scalar]):
    """`length` items every `step` items: samples into frames, rows into patches, samples into patches.

    The first stretch starts at the first item pushed after construction or `reset`. Items are copied in once, moved
    by at most `length` when the memory fills, and never widened. How they arrive in pushes changes nothing.
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
