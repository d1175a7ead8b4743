"""Events that wait for the broker, and what every target's state is meanwhile. Pure but for a lock; no broker here."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from edge.stats import Stats
from edge.stream import Event


@dataclass(frozen=True, slots=True)
class Waiting:
    """One event in the queue; number: counts what was put, from 1."""

    number: int
    event: Event


class EventQueue:
    """A bounded queue between the listener, which puts, and the thread that talks to the broker, which takes.

    What was taken stays the taker's until the broker has it; after a lost connection the taker gives it back. Where
    the queue is full the oldest go first, counted in `stats.dropped_events`.

    A state is told along with its event. After a connection only the present states are told, once (`states`): the
    events from before are delivered late, but nobody's lamp goes on for a sound of an hour ago.
    """

    def __init__(self, targets: Iterable[str], limit: int, stats: Stats) -> None:
        """targets: every target that has a state; limit: events that may wait."""
        self._waiting: deque[Waiting] = deque()
        self._limit = limit
        self._stats = stats
        self._lock = threading.Lock()
        self._sounding = dict.fromkeys(targets, False)
        self._number = 0
        self._told = 0
        self._state_lost = False

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, event: Event) -> None:
        """Add the newest event. From any thread; never waits for more than another `put` or `take`."""
        with self._lock:
            self._number += 1
            self._sounding[event.target] = event.phase == "start"
            self._waiting.append(Waiting(self._number, event))
            self._trim()

    def take(self) -> Waiting | None:
        """The oldest event, or None."""
        with self._lock:
            return self._waiting.popleft() if self._waiting else None

    def give_back(self, taken: Iterable[Waiting]) -> None:
        """Put what the broker has not acknowledged in front again, oldest first."""
        with self._lock:
            self._waiting.extendleft(sorted(taken, key=lambda waiting: waiting.number, reverse=True))
            self._trim()

    def states(self) -> dict[str, bool]:
        """Each target and whether it sounds now; covers every event put so far, so those need not tell theirs."""
        with self._lock:
            self._told = self._number
            self._state_lost = False
            return dict(self._sounding)

    def state_is_news(self, waiting: Waiting) -> bool:
        """Whether this event's state is to be told with it: it came after the last `states`."""
        return waiting.number > self._told

    @property
    def state_lost(self) -> bool:
        """Whether an event was dropped that was to tell a state: time to tell all of them again."""
        return self._state_lost

    def _trim(self) -> None:
        while len(self._waiting) > self._limit:
            self._state_lost |= self._waiting.popleft().number > self._told
            self._stats.dropped_events += 1
