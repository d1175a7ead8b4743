"""What is published retained, and when: targets' states; health, muted and pins. Pure but for a lock."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from edge.stream import Event


class States:
    """Whether each target sounds now.

    A state is told along with its event. After each connection the present states are told once. Events from
    before are then delivered without their states, so that nobody's lamp goes on for a sound of an hour ago.
    Where an event was dropped, its state was not told: `differing` finds such states.
    """

    def __init__(self, targets: Iterable[str]) -> None:
        """targets: every target that has a state."""
        self._lock = threading.Lock()
        self._sounding = dict.fromkeys(targets, False)
        self._told: dict[str, bool] = {}
        self._first: int | None = None
        self._newest = self._told_to = 0

    def put(self, event: Event) -> None:
        """Note the newest event; in the listener's thread."""
        with self._lock:
            if event.target in self._sounding:
                self._sounding[event.target] = event.phase == "start"
            self._first = event.sequence if self._first is None else self._first
            self._newest = event.sequence

    def retarget(self, targets: Iterable[str]) -> None:
        """Take over other targets; no state of a target that is gone is told any more."""
        with self._lock:
            self._sounding = {target: self._sounding.get(target, False) for target in targets}

    def all(self) -> dict[str, bool]:
        """Each target and whether it sounds now, to be told. No event so far tells a state after this."""
        with self._lock:
            self._told_to = self._newest
            self._told = dict(self._sounding)
            return dict(self._sounding)

    def told_with(self, sequence: int, target: str, *, sounds: bool) -> bool:
        """Whether to tell the state with this message: its event is of this run, and after the last `all`."""
        with self._lock:
            if self._first is None or sequence < self._first or sequence <= self._told_to or target not in self._sounding:
                return False
            self._told[target] = sounds
            return True

    def differing(self, newest: int) -> dict[str, bool]:
        """Targets whose state was told otherwise than it is, to be told now. newest: the number of the last
        message that was sent; none differs while newer messages wait, for those tell their states."""
        with self._lock:
            if newest < self._newest:
                return {}
            differing = {target: sounds for target, sounds in self._sounding.items() if self._told.get(target) != sounds}
            self._told |= differing
            return differing


class Kept:
    """The newest payload of each retained topic that is not a target's state: health, muted, pins."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._payloads: dict[str, str] = {}
        self._news: dict[str, None] = {}

    def put(self, topic: str, payload: str) -> None:
        """Keep a payload to tell, from any thread, instead of an older one of the same topic."""
        with self._lock:
            self._payloads[topic] = payload
            self._news[topic] = None

    def again(self) -> None:
        """Have every topic told anew: the broker may be another one, or have lost its memory."""
        with self._lock:
            self._news = dict.fromkeys(self._payloads)

    def take(self) -> tuple[str, str] | None:
        """The topic and payload to tell next, each payload once; None where all are told."""
        with self._lock:
            if not self._news:
                return None
            topic = next(iter(self._news))
            del self._news[topic]
            return topic, self._payloads[topic]
