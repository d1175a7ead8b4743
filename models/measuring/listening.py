"""A recording through the listener in blocks as a microphone gives them, so that each event has the time it was raised."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from edge.control.plan import Plan
from edge.listener import Listener
from edge.sources.recording import open_recording
from edge.stream import SAMPLE_RATE, Block, Event
from models.measuring.onsets import Raised

BLOCK_SECONDS = 0.02


class _Blocks:
    """A source that gives a recording in blocks of BLOCK_SECONDS, and knows how much it has given."""

    live = False
    state = "ok"
    hangs = False
    waiting_seconds = 0.0
    trouble = ""

    def __init__(self, blocks: Iterator[Block | None]) -> None:
        self._blocks = blocks
        self.seconds = 0.0

    def hurry(self, seconds: float) -> None:
        """Not live: never asked."""

    def blocks(self) -> Iterator[Block | None]:
        """The blocks, cut small."""
        for block in self._blocks:
            if block is None:
                continue
            step = round(BLOCK_SECONDS * block.format.rate)
            for start in range(0, block.length, step):
                width = block.format.channels
                samples = block.samples[start * width : (start + step) * width]
                self.seconds = (block.position + start + len(samples) // width) / block.format.rate
                yield Block(samples, block.position + start, block.format, gap=block.gap and not start)

    def close(self) -> None:
        """Nothing to give back."""


class _Heard:
    """A sink that notes when each event came first, and where it ended."""

    name = "heard"
    state = "ok"
    waiting_messages = 0

    def __init__(self, source: _Blocks) -> None:
        self._source = source
        self.events: dict[str, Raised] = {}

    def start(self) -> None:
        """Nothing to take."""

    def event(self, event: Event) -> None:
        """Note it."""
        start = event.start / SAMPLE_RATE
        end = event.end / SAMPLE_RATE if event.end is not None else self._source.seconds
        first = self.events.get(event.id)
        raised = first.raised if first is not None else self._source.seconds
        self.events[event.id] = Raised(event.target, start, end, raised)

    def health(self, health: object) -> None:
        """Nobody asks."""

    def stop(self) -> None:
        """Nothing to give back."""


def listen(plan: Plan, path: Path) -> tuple[tuple[Raised, ...], float]:
    """Events of a recording in the order in which they were raised, and its seconds. Raises SourceError."""
    with open_recording(path) as recording:
        source = _Blocks(recording.blocks())
        sink = _Heard(source)
        Listener(plan).run(source, [sink])
    return tuple(sink.events.values()), source.seconds
