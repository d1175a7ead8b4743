"""What waits to be done about the appliance: commands and reloads, put in by any thread and done by the steering's."""

from __future__ import annotations

import queue
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from edge.control.commands import Command, Outcome

WAITING = 16
"""Commands that may wait. The sender of a further one is told that too many wait."""

Answer = Callable[[Outcome], None]


@dataclass(frozen=True, slots=True)
class Refitted:
    """Feedback was taken in, and is to be heard. counts: how it came out."""

    counts: Mapping[str, object]


Job = tuple[Command | Refitted, Answer] | None
"""None: look again at what was taught, calibrated and set."""


class Inbox:
    """A bounded queue of jobs. Made before all that puts into it, and before the steering that takes from it."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self.closed = False

    def command(self, command: Command, answer: Answer) -> bool:
        """Put a command in; `answer` is called once, from another thread. False where too many wait. Returns at once."""
        if self.closed or self._jobs.qsize() >= WAITING:
            return False
        self._jobs.put((command, answer))
        return True

    def reload(self) -> None:
        """Ask for another look at what was taught, calibrated and set. Returns at once; safe in a signal handler."""
        if self._jobs.qsize() <= WAITING:  # further signals change nothing: a reload waits already
            self._jobs.put(None)

    def refitted(self, counts: Mapping[str, object], answer: Answer) -> None:
        """Ask for feedback that was taken in to be heard; it always finds a place."""
        self._jobs.put((Refitted(counts), answer))

    def take(self, timeout: float | None) -> Job:
        """The oldest job; waits for one. Raises queue.Empty after `timeout` seconds."""
        return self._jobs.get(timeout=timeout)

    def close(self) -> None:
        """Take nothing more; whoever waits is woken."""
        self.closed = True
        self._jobs.put(None)
