"""The appliance with its own parts, in a process of its own, that notes when what came by.

    python -m tests.latency.ears SETTINGS STATE_DIR NOTES

Ends at SIGTERM. NOTES is an .npz: of each block when the listener had it, where it lies and what it holds; of each event
that began when it was decided, where it lies, the number of blocks that were heard by then, and its id; when a pin went on.
Nothing is written while it hears, so that noting costs next to nothing.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edge.app import build
from edge.seams import Source
from edge.settings_file import load_settings
from edge.sources.open import open_source
from edge.stats import Stats
from edge.stream import Block, Event


class Noted:
    """A source around another, and a sink; monotonic seconds of what passes."""

    name, waiting_messages = "noted", 0

    def __init__(self, source: Source) -> None:
        self._source = source
        self.heard: list[tuple[float, Block]] = []
        self.decided: list[tuple[float, int, int, str]] = []
        self.on: list[float] = []

    def __getattr__(self, name: str) -> Any:
        """All else is as the source has it."""
        return getattr(self._source, name)

    def hurry(self, seconds: float) -> None:
        self._source.hurry(seconds)

    def blocks(self) -> Iterator[Block | None]:
        for block in self._source.blocks():
            if block is not None:
                self.heard.append((time.monotonic(), block))
            yield block

    def start(self) -> None:
        """Nothing to open."""

    def event(self, event: Event) -> None:
        if event.phase == "start":
            self.decided.append((time.monotonic(), event.start, len(self.heard), event.id))

    def health(self, health: Mapping[str, object]) -> None:
        """Nobody asks."""

    def stop(self) -> None:
        """Nothing to give back."""

    def pin(self, _pin: str, on: bool) -> None:
        if on:
            self.on.append(time.monotonic())


def main(settings_file: str, state_dir: str, notes: str) -> None:
    """Hear until SIGTERM."""
    settings = load_settings(Path(settings_file))
    noted = Noted(open_source(settings.source, Stats()))
    appliance = build(settings, Path(state_dir), source=noted, extra_sinks=[noted], on_pin_change=noted.pin)
    signal.signal(signal.SIGTERM, lambda *_: appliance.stop())
    appliance.run()
    blocks = [block for _, block in noted.heard]
    np.savez(notes, heard=[at for at, _ in noted.heard], positions=[block.position for block in blocks],
             lengths=[block.length for block in blocks], gaps=[block.gap for block in blocks],
             rates=[block.format.rate for block in blocks],
             samples=np.concatenate([block.samples for block in blocks]) if blocks else np.zeros(0, np.int16),
             decided=[each[0] for each in noted.decided], starts=[each[1] for each in noted.decided],
             blocks_before=[each[2] for each in noted.decided], ids=[each[3] for each in noted.decided], on=noted.on)


if __name__ == "__main__":
    main(*sys.argv[1:])
