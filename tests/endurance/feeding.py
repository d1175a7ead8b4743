"""Hands a board its sound as fast as the board hears it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.endurance.account import Heard, Hour
from tests.endurance.board import TARGETS, Board, board
from tests.endurance.sound import HOUR, MINUTE, RATE, minute
from tests.endurance.vitals import vitals

BLOCK = RATE // 10
AHEAD = RATE // 2
"""So much of what was fed may be unheard, as far as is known: no more than makes a board slow (decision/pace.py)."""
BEGIN = 12
"""Blocks that are fed in real time: the first rows come with the first whole patch."""
LAST_ROW = 400
"""The newest row ends so far before the newest sample, at most."""
RELOAD_AFTER = 29
"""The minute after which the board reloads its settings: a quiet one."""
CHANGING = "snoring"
"""The target that every second reload takes away again. Nothing in the sound is like it."""


class Feeding:
    """A board, and the pipe to the command that is its source. fed: samples so far."""

    def __init__(self, board: Board, pipe: int) -> None:
        self.board = board
        self.fed = 0
        self._pipe = pipe
        self._changing = False

    def hour(self) -> Hour:
        """Feed an hour, with a reload, and wait until all that came of it has arrived everywhere."""
        begin = self.fed
        for number in range(HOUR // MINUTE):
            self.feed(minute(number))
            if number == RELOAD_AFTER:
                self.settle()
                self._reload()
        self.settle()
        told = list(self.board.events)
        self.board.events.clear()
        ids = {(each["event"]["id"], each["event"]["phase"]) for each in told}
        received = {(payload["id"], payload["phase"]) for payload, _ in self.board.witness.received}
        self.board.witness.received.clear()
        self.board.witness.said.clear()
        heard = tuple(_heard(each, begin) for each in told)
        return Hour(heard, len(ids - received), vitals(self.board.pid), self._journal_bytes())

    def feed(self, samples: NDArray[np.int16]) -> None:
        """Hand over int16 `(n,)`, a whole number of blocks."""
        for start in range(0, len(samples), BLOCK):
            if self.fed < BEGIN * BLOCK:
                time.sleep(0.1)
            else:
                self.board.wait(lambda: self.fed - self.board.heard < AHEAD)
            os.write(self._pipe, samples[start: start + BLOCK].astype("<i2").tobytes())
            self.fed += BLOCK

    def settle(self) -> None:
        """Until all that was fed is heard, and the subscriber has every message, or patience ends."""
        self.board.wait(lambda: self.fed - self.board.heard <= LAST_ROW)
        self.board.fresh_health()
        self.board.witness.wait_for(lambda: len(self.board.witness.received) >= len(self.board.events))

    def _reload(self) -> None:
        """Change the targets, and have the board take that up, while no sound comes."""
        self._changing = not self._changing
        wanted = (*TARGETS, CHANGING) if self._changing else TARGETS
        self.board.set_targets(wanted)
        targets = self.board.reload()
        if set(targets) != set(wanted):
            raise RuntimeError(f"reload: {targets}; wanted {wanted}")

    def _journal_bytes(self) -> int:
        return sum(part.stat().st_size for part in self.board.state.glob("journal.sqlite3*"))


@contextmanager
def feeding(folder: Path) -> Iterator[Feeding]:
    """A board in this folder whose source waits to be fed."""
    sound = folder / "sound"
    os.mkfifo(sound)
    pipe = os.open(sound, os.O_RDWR)  # both ends: nobody waits for the other, and none is told that the other has gone
    try:
        with board(folder, ("cat", str(sound))) as made:
            yield Feeding(made, pipe)
    finally:
        os.close(pipe)


def _heard(told: dict[str, object], begin: int) -> Heard:
    event, start, end = told["event"], told["start"], told["end"]
    assert isinstance(event, dict) and isinstance(start, int) and (end is None or isinstance(end, int))
    return (event["target"], event["phase"], start - begin, None if end is None else end - begin, event["probability"])
