"""What the samples say of a microphone: dead (all zero), stuck or clipping. Run by the listener, not in a callback."""

from __future__ import annotations

import numpy as np

from edge.stream import Block

AFTER_SECONDS = 10.0
"""How long a fault lasts before it is said. No analogue microphone gives one value for so long."""
CLIPPED_SHARE = 0.01
"""Share of samples at either end of int16 from which a block counts as clipping."""
FORGIVEN_SHARE = 0.25
"""Seconds of clipping that one clean second makes good: a loud minute is no fault, too high a gain is."""


class Condition:
    """Watches the channel in use. Sound time only, no clock."""

    def __init__(self, channel: int) -> None:
        """channel: from 0, or -1 for all."""
        self._channel = channel
        self.reset()

    def reset(self) -> None:
        """Forget everything, as after construction."""
        self.state = "ok"
        self._value: int | None = None
        self._still_seconds = 0.0
        self._clipped_seconds = 0.0
        self._clips = False

    def heard(self, block: Block) -> None:
        """Take one block; `state` is then "ok" or what is wrong."""
        samples = block.samples
        if self._channel >= 0:
            samples = samples[self._channel::block.format.channels]
        if len(samples) == 0:
            return
        seconds = block.length / block.format.rate
        low, high = int(samples.min()), int(samples.max())
        self._watch_stillness(low if low == high else None, seconds)
        ends = low == -32768 or high == 32767
        clipped = int(np.count_nonzero((samples == -32768) | (samples == 32767))) if ends else 0
        self._watch_clipping(low != high and clipped >= CLIPPED_SHARE * len(samples), seconds)
        if self._still_seconds >= AFTER_SECONDS:
            self.state = ("gives only zeros (muted, or not connected?)" if self._value == 0 else
                          f"is stuck: every sample is {self._value}")
        else:
            self.state = "clips (lower its gain)" if self._clips else "ok"

    def _watch_stillness(self, value: int | None, seconds: float) -> None:
        """value: what every sample of the block is, or None. One block with sound in it clears it."""
        if value is None or value != self._value:
            self._still_seconds = 0.0
        self._value = value
        if value is not None:
            self._still_seconds += seconds

    def _watch_clipping(self, clips: bool, seconds: float) -> None:
        change = seconds if clips else -seconds * FORGIVEN_SHARE
        self._clipped_seconds = min(max(self._clipped_seconds + change, 0.0), AFTER_SECONDS)
        if self._clipped_seconds in (0.0, AFTER_SECONDS):
            self._clips = self._clipped_seconds > 0.0
