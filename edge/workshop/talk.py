"""A command that is talked to by a program: JSON lines on standard output, one answer on standard input."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from edge.errors import EdgeError

OFTEN_SECONDS = 0.25
"""A kind of line that tells how it goes comes no more often than this."""
KEEP, FORCE = "keep", "force"
"""Answers that keep what was found. All others, and the end of standard input, keep nothing."""


class Talk:
    """Writes a line at once, so that the other side sees how it goes. Raises BrokenPipeError where nobody reads any more."""

    def __init__(self, out: TextIO, given: TextIO | None) -> None:
        """given: where the answer comes from; None where there is nothing to read."""
        self._out, self._given = out, given
        self._told: dict[str, float] = {}

    def say(self, kind: str, **fields: object) -> None:
        """One line."""
        print(json.dumps({"kind": kind, **fields}, allow_nan=False), file=self._out, flush=True)

    def due(self, kind: str) -> bool:
        """Whether a line of this kind, of which more come soon, is to be said now; it counts as said."""
        now = time.monotonic()
        if now - self._told.get(kind, -OFTEN_SECONDS) < OFTEN_SECONDS:
            return False
        self._told[kind] = now
        return True

    def answer(self) -> str:
        """One line of the other side, without what is around the word; empty at the end of its lines."""
        return "" if self._given is None else self._given.readline(80).strip()


@contextmanager
def talking(form: str) -> Iterator[Talk | None]:
    """A talk over standard output and input where the form of the output is jsonl, else None.

    What goes wrong in the block is said as a line, too.
    """
    if form != "jsonl":
        yield None
        return
    talk = Talk(sys.stdout, sys.stdin)
    try:
        yield talk
    except EdgeError as error:
        talk.say("error", thing=error.thing, found=error.found, wanted=error.wanted)
        raise
