"""What the samples of a live source say of it: silent, stuck, clipping, off zero, or losing samples.

A quiet room is none of them.
"""

from __future__ import annotations

import numpy as np

from edge.stream import Block

AFTER_SECONDS = 8.0
"""How long a fault lasts before it is said: in health within 10 s. No analogue microphone gives one value for so long."""
CLIPPED_SHARE = 0.01
"""Share of samples at either end of int16 from which a block counts as clipping."""
FORGIVEN_SHARE = 1.0 / 3.0
"""Seconds of clipping that one clean second makes good. Too high a gain is a fault, a few loud seconds are not."""
OFF_ZERO = 1638
"""Mean of a block, 5 % of full scale, from which its samples count as off zero: no level under -26 dBFS shows then."""
GAPS, GAP_SECONDS = 3, 20.0
"""So many gaps, each forgotten after so long, are a fault."""


class Condition:
    """The channel in use, block by block. Run by the listener, not in a callback. Sound time only, no clock."""

    def __init__(self, channel: int) -> None:
        """channel: from 0, or -1 for all."""
        self._channel = channel
        self.trouble = ""
        """"", or "silent", "stuck", "clipping", "offset" or "overflowing"."""
        self.state = "ok"
        """"ok", or the same in words for people."""
        self._still_seconds = 0.0
        self._value: int | None = None
        self._clipping = _Lasting(FORGIVEN_SHARE)
        self._off_zero = _Lasting(1.0)
        self._side = 0
        self._gap_seconds = 0.0
        self._overflows = False

    def heard(self, block: Block, *, reopened: bool = False) -> None:
        """Take one block; `state` and `trouble` are then as it is. reopened: the device was lost before, and that was said:
        the gap is none of an overflow."""
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
        clips = self._clipping.watch(low != high and clipped >= CLIPPED_SHARE * len(samples), seconds)
        mean = int(samples.sum(dtype=np.int64)) // len(samples)
        side = (mean >= OFF_ZERO) - (mean <= -OFF_ZERO)
        off_zero = self._off_zero.watch(side != 0 and side == self._side, seconds)  # rumble changes sides
        self._side = side
        overflows = self._watch_gaps(block.gap and not reopened, seconds)
        if self._still_seconds >= AFTER_SECONDS:
            self.trouble = "stuck" if self._value else "silent"
        else:
            self.trouble = "clipping" if clips else "offset" if off_zero else "overflowing" if overflows else ""
        self.state = self._words()

    def _words(self) -> str:
        match self.trouble:
            case "silent":
                return "gives only zeros (muted, or not connected?)"
            case "stuck":
                return f"is stuck: every sample is {self._value}"
            case "clipping":
                return "clips (lower its gain)"
            case "offset":
                return "is off zero by a twentieth of its range or more (cable, converter?)"
            case "overflowing":
                return "loses samples again and again (machine or USB too busy?)"
        return "ok"

    def _watch_stillness(self, value: int | None, seconds: float) -> None:
        """value: what every sample of the block is, or None. One block with sound in it clears it."""
        if value is None or value != self._value:
            self._still_seconds = 0.0
        self._value = value
        if value is not None:
            self._still_seconds += seconds

    def _watch_gaps(self, gap: bool, seconds: float) -> bool:
        """Once it is said, a time without gaps takes it back."""
        most = GAPS * GAP_SECONDS
        self._gap_seconds = min(max(self._gap_seconds - seconds, 0.0) + gap * GAP_SECONDS, most)
        if self._gap_seconds > most - GAP_SECONDS:
            self._overflows = True
        elif self._gap_seconds == 0.0:
            self._overflows = False
        return self._overflows


class _Lasting:
    """A fault that is there once it has lasted for AFTER_SECONDS, and is gone once it was made good."""

    def __init__(self, forgiven: float) -> None:
        """forgiven: seconds of it that one good second makes good."""
        self._forgiven = forgiven
        self._seconds = 0.0
        self._there = False

    def watch(self, bad: bool, seconds: float) -> bool:
        """Take one block; whether the fault is there."""
        change = seconds if bad else -seconds * self._forgiven
        self._seconds = min(max(self._seconds + change, 0.0), AFTER_SECONDS)
        if self._seconds in (0.0, AFTER_SECONDS):
            self._there = self._seconds > 0.0
        return self._there
