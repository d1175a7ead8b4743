"""The control queue: what changes how the listener hears, taken between two blocks, each change whole or not at all."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from edge.control.plan import Plan

LIMIT = 16
"""Changes that may wait. The listener takes all of them at every block, and at least once a second."""


def _nothing() -> None:
    """For a change that nobody waits for."""


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """One change. muted: throw the sound away, or hear again; plan: hear with this one. None leaves it as it is.

    taken: called by the listener's thread when the change is in force, to tell sinks; it returns at once.
    """

    muted: bool | None = None
    plan: Plan | None = None
    taken: Callable[[], None] = _nothing
    settled: threading.Event = field(default_factory=threading.Event)
    """Set when the change is in force. Never set where the listener ended before it took the change."""


class Control:
    """A bounded queue between any threads, which put, and the listener's, which takes. Not for signal handlers."""

    def __init__(self, limit: int = LIMIT) -> None:
        """limit: changes that may wait."""
        self._limit = limit
        self._waiting: deque[Change] = deque()
        self._lock = threading.Lock()
        self._closed = False

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, change: Change) -> bool:
        """Add a change; never waits. False where the queue is full or closed: the change will not be made."""
        with self._lock:
            if self._closed or len(self._waiting) >= self._limit:
                return False
            self._waiting.append(change)
            return True

    def take(self) -> list[Change]:
        """Everything that waits, in order."""
        if not self._waiting:  # the usual case, at every block
            return []
        with self._lock:
            changes = list(self._waiting)
            self._waiting.clear()
            return changes

    def withdraw(self, change: Change) -> bool:
        """Take a change back that still waits; False where the listener has taken it."""
        with self._lock:
            if change in self._waiting:
                self._waiting.remove(change)
                return True
            return self._closed and not change.settled.is_set()

    def close(self) -> None:
        """The listener has ended: what waits is dropped, and nothing more is taken."""
        with self._lock:
            self._closed = True
            self._waiting.clear()
