"""What to leave out where the board is too slow for all: first patches, then sound. Pure: how much waits is told."""

from __future__ import annotations

from edge.stream import SAMPLE_RATE

BEHIND_SECONDS = 0.5
"""So much sound may wait before the hop stretches, and at the longest hop before patches are passed over."""
LATEST_SECONDS = 1.2
"""So much may wait before sound is dropped. Two blocks in turn must have been behind: a pause of the board is caught up."""
CAUGHT_UP_SECONDS = 0.25
"""Patches are passed over, and sound is dropped, until so little waits."""
CALM_SECONDS = 10.0
"""After so many seconds of sound with no more than that waiting, the hop is halved again."""


class Pace:
    """Stretches the hop between the patches that are scored, from 1 to 2, 4 ... hops and at most the length of a patch.

    So every sound still lies in a patch. The hop doubles at a block before which more than BEHIND_SECONDS of sound wait, and
    no less than before the last one: a board that catches up by itself is left alone. Where that happens twice in turn at
    the longest hop, patches are passed over until little waits: one more would make all that follows later still. Onsets and
    rows are found as ever.
    """

    def __init__(self, *, hop_samples: int, patch_samples: int) -> None:
        """hop_samples: from patch to patch at 16 kHz; patch_samples: their length."""
        self._hop, self._limit = hop_samples, 1
        while 2 * self._limit * hop_samples <= patch_samples:
            self._limit *= 2
        self.stretch = 1
        """Hops from one scored patch to the next."""
        self.drops = False
        """Whether sound is thrown away until the rest is heard in time."""
        self._passing = self._passed = False
        """Patches are passed over until less waits; one was, since the hop is as it is."""
        self._before = self._calm = 0.0
        self._next = 0

    @property
    def trouble(self) -> str:
        """"slow", or "" where nothing is left out. From any thread."""
        return "slow" if self.drops or self._passed or self.stretch > 1 else ""

    @property
    def state(self) -> str:
        """"ok", or in words what is left out. From any thread."""
        if not self.trouble:
            return "ok"
        words = f"too slow: listens every {self.stretch * self._hop / SAMPLE_RATE:.2f} s{' or less often' * self._passed}"
        return f"{words}, and sound is dropped" if self.drops else words

    def take(self, waiting_seconds: float, block_seconds: float) -> None:
        """Once a block, before it is heard. waiting_seconds: of sound that has come and waits behind the block."""
        before, self._before = self._before, waiting_seconds
        behind = waiting_seconds > BEHIND_SECONDS and waiting_seconds >= before
        again = behind and before > BEHIND_SECONDS
        self._calm = 0.0 if waiting_seconds > CAUGHT_UP_SECONDS else self._calm + block_seconds
        self._passing = self._passing and waiting_seconds > CAUGHT_UP_SECONDS
        if self.drops:
            self.drops = waiting_seconds > CAUGHT_UP_SECONDS
        elif again and waiting_seconds > LATEST_SECONDS:
            self.stretch, self.drops = self._limit, True
        elif behind and self.stretch < self._limit:
            self.stretch *= 2
        elif again:
            self._passing = True
        elif self._calm >= CALM_SECONDS and self.trouble:
            self.stretch = max(self.stretch // 2, 1)
            self._calm, self._passed = 0.0, False

    def scores(self, position: int, *, first: bool) -> bool:
        """Whether the patch at a position is scored. Once for each; first: nothing was heard before it."""
        if not first and (position < self._next or self._passing):
            self._passed = self._passed or self._passing
            return False
        self._next = position + self.stretch * self._hop
        return True
