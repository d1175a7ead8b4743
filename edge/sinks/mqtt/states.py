"""What every target's state is, and other things that are retained, and when to tell them. Pure but for a lock."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from edge.stream import Event


class States:
    """Whether each target sounds now.

    A state is told along with its event. At a connection the present ones are told, once: the events from before are
    delivered late, but nobody's lamp goes on for a sound of an hour ago. Where an event had to be dropped that was to
    tell one, `differing` mends it.
    """

    def __init__(self, targets: Iterable[str]) -> None:
        """targets: every target that has a state."""
        self._lock = threading.Lock()
        self._sounding = dict.fromkeys(targets, False)
        self._told: dict[str, bool] = {}
        self._first: int | None = None
        self._newest = self._told_to = 0

    def put(self, event: Event) -> None:
        """The newest event, in the listener's thread."""
        with self._lock:
            if event.target in self._sounding:
                self._sounding[event.target] = event.phase == "start"
            self._first = event.sequence if self._first is None else self._first
            self._newest = event.sequence

    def retarget(self, targets: Iterable[str]) -> None:
        """Other targets have states from now on; of those that went none is told any more."""
        with self._lock:
            self._sounding = {target: self._sounding.get(target, False) for target in targets}

    def all(self) -> dict[str, bool]:
        """Each target and whether it sounds now, to be told; covers every event so far, so those need not tell theirs."""
        with self._lock:
            self._told_to = self._newest
            self._told = dict(self._sounding)
            return dict(self._sounding)

    def told_with(self, sequence: int, target: str, *, sounds: bool) -> bool:
        """Whether the state is to be told with this message: it came after the last `all`, and not from an earlier run."""
        with self._lock:
            if self._first is None or sequence < self._first or sequence <= self._told_to or target not in self._sounding:
                return False
            self._told[target] = sounds
            return True

    def differing(self, newest: int) -> dict[str, bool]:
        """States that were told otherwise than they are, to be told now. newest: the last message that was sent; while
        there are newer ones, nothing differs yet."""
        with self._lock:
            if newest < self._newest:
                return {}
            differing = {target: sounds for target, sounds in self._sounding.items() if self._told.get(target) != sounds}
            self._told |= differing
            return differing


class Kept:
    """The newest payload of each retained topic that is no target's: health, muted, pins."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._payloads: dict[str, str] = {}
        self._news: dict[str, None] = {}

    def put(self, topic: str, payload: str) -> None:
        """From any thread. What was not told yet of the same topic is forgotten."""
        with self._lock:
            self._payloads[topic] = payload
            self._news[topic] = None

    def again(self) -> None:
        """All of it is to be told anew: this may be another broker, or one that has lost its memory."""
        with self._lock:
            self._news = dict.fromkeys(self._payloads)

    def take(self) -> tuple[str, str] | None:
        """The next to tell, topic and payload, each once; None where there is no news."""
        with self._lock:
            if not self._news:
                return None
            topic = next(iter(self._news))
            del self._news[topic]
            return topic, self._payloads[topic]
