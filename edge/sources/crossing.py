"""The one thread crossing: blocks from a sound card's or a reader's thread to the listener's, bounded and counted."""

from __future__ import annotations

import queue
from math import ceil, inf

import numpy as np
from numpy.typing import NDArray

from edge.stats import Stats
from edge.stream import Block, StreamFormat


class Bell:
    """An event that may be rung from a signal handler; for one waiting thread.

    threading.Event will not do: its lock is not reentrant, so a handler that interrupts wait() in its own thread could
    wait for itself. SimpleQueue.put is made for this.
    """

    def __init__(self) -> None:
        self.rung = False
        self._rings: queue.SimpleQueue[None] = queue.SimpleQueue()

    def ring(self) -> None:
        """Wake who waits, now and from now on."""
        self.rung = True
        self._rings.put(None)

    def wait(self, seconds: float) -> bool:
        """True as soon as it was rung, False after `seconds`."""
        if not self.rung:
            try:
                self._rings.get(timeout=seconds)
            except queue.Empty:
                pass
        return self.rung


class BlockQueue:
    """A bounded queue of blocks for one producer and one consumer. The producer never waits.

    What the producer offers is put together to blocks of `block_seconds`. A block ends sooner where the consumer is in a
    hurry: a look at a clap is not to wait for the rest of a block.
    Full: the newest block is dropped, and the next one that fits is marked with a gap. The producer only keeps the
    position; the consumer, by comparing positions, counts what was lost. So each counter has one writer.
    """

    def __init__(self, limit: int, stats: Stats, *, block_seconds: float = 0.0) -> None:
        """limit: blocks that may wait. block_seconds: of a whole block; 0: what is offered is a block as it is."""
        self._limit = limit
        self._stats = stats
        self._block_seconds = block_seconds
        self._blocks: queue.SimpleQueue[tuple[Block, bool] | None] = queue.SimpleQueue()
        # The producer's side.
        self._format = StreamFormat(0, 0)
        self._position = 0
        self._length = 0
        """Sample times of a whole block; 0: any."""
        self._parts: list[NDArray[np.int16]] = []
        self._begun = 0
        """Position of the first of `_parts`."""
        self._gap = self._begins = False
        self.offered = 0
        """Sample times offered since the start, dropped ones too: it stands still when the device does."""
        # The consumer's side.
        self._heard_format = self._format
        self._expected = 0
        self.reopened = False
        """Whether the newest block that was taken is the first after another opening."""
        self._wanted = inf
        """Position at which the producer ends a block that is not whole; only the block that holds it."""

    def begin(self, form: StreamFormat) -> None:
        """Producer, before the first offer of each opening: the position goes on, at the new rate, after a gap."""
        self.flush()
        if self._format.rate not in (0, form.rate):
            # The same moment, rounded up so that time never goes back.
            self._position = -(-self._position * form.rate // self._format.rate)
        self._gap = self._gap or self._position > 0
        self._begins = self._position > 0
        self._format, self._begun = form, self._position
        self._length = round(self._block_seconds * form.rate)

    def offer(self, samples: NDArray[np.int16], *, lost_before: bool = False) -> None:
        """Producer: hand over int16 `(n * channels,)`, interleaved, never written to again; dropped if it does not fit.

        lost_before: an unknown number of samples is missing just before these.
        """
        if lost_before:
            self.flush()
            self._gap = True
        times = len(samples) // self._format.channels
        self._parts.append(samples)
        self._position += times
        self.offered += times
        while self._length and self._position - self._begun > self._length:
            held, size = np.concatenate(self._parts), self._length * self._format.channels
            self._parts = [held[size:]]
            self._put(held[:size])
        if self._position - self._begun >= self._length or self._begun < self._wanted <= self._position:
            self.flush()

    def flush(self) -> None:
        """Producer: hand over what is less than a block, for no more may follow."""
        if self._parts:
            held, self._parts = self._parts[0] if len(self._parts) == 1 else np.concatenate(self._parts), []
            self._put(held)

    def _put(self, samples: NDArray[np.int16]) -> None:
        position, self._begun = self._begun, self._begun + len(samples) // self._format.channels
        if self._blocks.qsize() >= self._limit:
            self._gap = True
            return
        self._blocks.put((Block(samples, position, self._format, self._gap), self._begins))
        self._gap = self._begins = False

    def hurry(self, seconds: float) -> None:
        """Consumer: the next block may end so soon after the last one that was taken; infinite: it is to be whole."""
        self._wanted = inf if seconds == inf else self._expected + ceil(seconds * self._heard_format.rate)

    @property
    def waiting_seconds(self) -> float:
        """Consumer: seconds of sound offered after the last block that was taken; what was dropped counts."""
        if not (offered := self._format.rate):
            return 0.0
        taken = self._expected / self._heard_format.rate if self._heard_format.rate else 0.0
        return max(self._position / offered - taken, 0.0)

    def take(self, seconds: float) -> Block | None:
        """Consumer: the next block, or None after `seconds` or a `wake`."""
        try:
            taken = self._blocks.get(timeout=seconds)
        except queue.Empty:
            return None
        if taken is None:
            return None
        block, self.reopened = taken
        if block.format == self._heard_format:
            self._stats.lost_samples += block.position - self._expected
        self._heard_format = block.format
        self._expected = block.position + block.length
        self._stats.gaps += block.gap
        return block

    def wake(self) -> None:
        """From any thread or a signal handler: end a `take` that waits."""
        self._blocks.put(None)
