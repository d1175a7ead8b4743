"""Samples of any width to int16: round, clip, cast."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Decode = Callable[[bytes], NDArray[np.int16]]
"""Little-endian sample bytes, a whole number of samples, to int16 `(n,)`."""


def from_float(samples: NDArray[np.floating[Any]]) -> NDArray[np.int16]:
    """float32 or float64 `(n,)`, full scale -1..1, to int16 `(n,)`. NaN becomes 0; beyond full scale clips."""
    # Clipped before it is scaled: 3e38 * 32768 would overflow float32.
    clipped = np.clip(np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0), -1.0, 1.0)
    rounded: NDArray[np.int16] = np.clip(np.rint(clipped * 32768), -32768, 32767).astype(np.int16)
    return rounded


def decoder(bits: int, floating: bool) -> Decode | None:
    """What turns little-endian samples of `bits` (of their container) into int16, or None where we cannot."""
    if floating:
        return {32: _float32, 64: _float64}.get(bits)
    return {8: _int8, 16: _int16, 24: _int24, 32: _int32}.get(bits)


def _int8(data: bytes) -> NDArray[np.int16]:
    """8-bit WAV is the one unsigned width: 128 is silence. -128..127 << 8 stays within int16."""
    return (np.frombuffer(data, np.uint8).astype(np.int16) - 128) << 8


def _int16(data: bytes) -> NDArray[np.int16]:
    return np.frombuffer(data, "<i2").astype(np.int16, copy=False)


def _int24(data: bytes) -> NDArray[np.int16]:
    wide = np.zeros((len(data) // 3, 4), np.uint8)
    wide[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
    return _upper_half(wide.view("<i4").ravel())


def _int32(data: bytes) -> NDArray[np.int16]:
    return _upper_half(np.frombuffer(data, "<i4"))


def _upper_half(samples: NDArray[np.int32]) -> NDArray[np.int16]:
    """int32 / 65536, rounded half up. The rounding bit is added after the shift, so nothing overflows but 32767 + 1."""
    rounded = (samples >> 16) + ((samples >> 15) & 1)
    return np.minimum(rounded, 32767).astype(np.int16)


def _float32(data: bytes) -> NDArray[np.int16]:
    return from_float(np.frombuffer(data, "<f4"))


def _float64(data: bytes) -> NDArray[np.int16]:
    return from_float(np.frombuffer(data, "<f8"))
