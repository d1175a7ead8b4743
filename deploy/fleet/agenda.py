"""What is to be done, and when."""

from __future__ import annotations

import heapq
from collections.abc import Callable


class Agenda:
    """Things to do at times, in seconds; those of one time in the order they were put down."""

    def __init__(self) -> None:
        self._entries: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0

    def add(self, time: float, do: Callable[[], None]) -> None:
        """Put `do` down for `time`."""
        self._count += 1
        heapq.heappush(self._entries, (time, self._count, do))

    def do_due(self, now: float) -> None:
        """Do what is due, the earliest first; what is put down meanwhile is due too."""
        while self._entries and self._entries[0][0] <= now:
            heapq.heappop(self._entries)[2]()

    def pause_seconds(self, now: float, longest: float) -> float:
        """How long nothing is due, `longest` at most."""
        return min(max(self._entries[0][0] - now, 0.0), longest) if self._entries else longest
