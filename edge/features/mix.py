"""Interleaved channels to one: a channel picked, or the mean of all. Integer arithmetic, nothing kept between calls."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.errors import SettingsError

MEAN = -1
"""The `channel` that stands for the mean of all."""


def mix(samples: NDArray[np.int16], channels: int, channel: int = MEAN) -> NDArray[np.int16]:
    """One channel int16 `(n,)` of interleaved int16 `(n * channels,)`.

    channel: from 0, or -1 for the mean of all, rounded half up. The sum is widened to 32 bits, good for 65,534
    channels of full scale; a mean of int16 values is an int16 value again, so nothing can be out of range.
    One channel in: the same array out. Raises SettingsError for a channel that is not there.
    """
    if not MEAN <= channel < channels:
        raise SettingsError("[source] channel", found=f"channel {channel}, sound of {channels}",
                            wanted=f"0 to {channels - 1}, or -1 for the mean of all")
    if channels == 1:
        return samples
    if channel != MEAN:
        return samples[channel::channels]
    total = samples[0::channels].astype(np.int32)
    for other in range(1, channels):
        total += samples[other::channels]
    total += channels // 2
    total //= channels
    return total.astype(np.int16)
