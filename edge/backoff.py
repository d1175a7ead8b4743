"""What fails again and again: how long to wait before the next try, and a fault that the log is told once."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable

FIRST_SECONDS = 0.5
STEADY_SECONDS = 10.0
"""A run at least this long counts as a success: the next pause is the first again."""


class Backoff:
    """Pauses of 0.5 (`first_seconds`), 1, 2, 4 ... seconds up to `longest_seconds`, each shortened by up to half at random.

    The jitter keeps a house full of boards from knocking at one camera or broker in step.
    """

    def __init__(self, longest_seconds: float, *, first_seconds: float = FIRST_SECONDS,
                 jitter: Callable[[], float] = random.random) -> None:
        """jitter: gives 0.0 up to 1.0; tests bring their own."""
        self._longest, self._first = longest_seconds, min(first_seconds, longest_seconds)
        self._jitter = jitter
        self._next = self._first

    def pause_seconds(self, ran_seconds: float = 0.0) -> float:
        """The next pause, after a run that lasted `ran_seconds`."""
        if ran_seconds >= STEADY_SECONDS:
            self.reset()
        pause = self._next
        self._next = min(pause * 2, self._longest)
        return pause * (1 - 0.5 * self._jitter())

    def reset(self) -> None:
        """Begin again with the first pause."""
        self._next = self._first


class Fault:
    """What is wrong with one thing. The log is told when a fault begins, when it becomes another, and when it
    is over; never twice of the same."""

    def __init__(self, log: logging.Logger, name: str, meanwhile: str = "") -> None:
        """name: what log lines begin with. meanwhile: what the log says of the time until the fault is
        over."""
        self._log, self._name = log, name
        self._meanwhile = f"; {meanwhile}" if meanwhile else ""
        self.text = ""
        """What is wrong, in words for health; empty where nothing is."""

    def found(self, text: str, trace: BaseException | None = None) -> None:
        """Note what is wrong. trace: an exception whose traceback the log is to show."""
        if text != self.text:
            self._log.error("%s: %s%s", self._name, text, self._meanwhile, exc_info=trace)
        self.text = text

    def over(self, words: str) -> None:
        """Note that nothing is wrong. words: what the log is told if something was wrong before."""
        if self.text:
            self._log.warning("%s: %s", self._name, words)
        self.text = ""


PARTS = ("source", "pace", "delegate", "update")
"""What health tells of in words beside the sinks, the same words for all: "ok", or what ails."""


def is_well(state: object) -> bool:
    """Whether a part's state, as health has it, says that the part is well. What follows "ok;" is no trouble."""
    return str(state).partition(";")[0] == "ok"
