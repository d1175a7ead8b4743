"""Those who watch, and what each of them is told. From any thread; no method waits for a watcher."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from edge.sinks.watching.messages import PAST_EVENTS, message, to_line
from edge.sinks.watching.watcher import Watcher
from edge.topics import rfc3339


class Audience:
    """One lock for all: what is told comes to each watcher in one order, and to nobody twice."""

    def __init__(self, utc: Callable[[], float], pins: Mapping[str, bool]) -> None:
        """utc: seconds since 1970; pins: what each is at the start."""
        self.watchers: tuple[Watcher, ...] = ()
        self._utc = utc
        self._lock = threading.Lock()
        self._past: deque[bytes] = deque(maxlen=PAST_EVENTS)
        self._pins = dict(pins)

    def now(self) -> str:
        """The date of a message."""
        return rfc3339(datetime.fromtimestamp(self._utc(), UTC))

    def line(self, kind: str, **others: object) -> bytes:
        """A message of now."""
        return to_line(message(kind, self.now(), **others))

    def wants(self, kind: str) -> bool:
        """Whether anybody wants to be told of this."""
        return any(kind in watcher.wants for watcher in self.watchers)

    def tell(self, line: bytes, *, minor: bool = False, of: str = "", keep: bool = False) -> None:
        """Send a line to each, or to those who want what it is `of`. keep: tell those who come later, too."""
        with self._lock:
            if keep:
                self._past.append(line)
            self._send(line, minor=minor, of=of)

    def tell_one(self, watcher: Watcher, line: bytes) -> None:
        """Send a line to one, who may have left meanwhile."""
        with self._lock:
            watcher.send(line)

    def pin(self, pin: str, on: bool) -> None:
        """Note what a pin is, and tell those who want to know."""
        with self._lock:
            self._pins[pin] = on
            self._send(self._line_of_pins(), of="pins")

    def greet(self, watcher: Watcher, about: bytes) -> None:
        """Take one in. Whoever sees the greeting is among those who are told what is new."""
        with self._lock:
            self.watchers = (*self.watchers, watcher)
            for line in (about, *self._past):
                watcher.send(line)

    def want(self, watcher: Watcher, kinds: frozenset[str], answer: bytes) -> None:
        """Tell one of these from now on, and at once of the pins."""
        with self._lock:
            watcher.wants = kinds
            watcher.send(answer)
            if "pins" in kinds:
                watcher.send(self._line_of_pins())

    def leave(self, *watchers: Watcher, goodbye: bytes = b"") -> None:
        """Hang up on these."""
        with self._lock:
            for watcher in watchers:
                if goodbye:
                    watcher.send(goodbye)
                watcher.hang_up()
            self.watchers = tuple(other for other in self.watchers if other not in watchers)

    def _line_of_pins(self) -> bytes:
        return self.line("pins", pins=self._pins)

    def _send(self, line: bytes, *, minor: bool = False, of: str = "") -> None:
        """The caller holds the lock. A watcher that has lost messages is told so first."""
        for watcher in self.watchers:
            if watcher.lost and watcher.has_room:
                lost, watcher.lost = watcher.lost, 0
                watcher.send(self.line("lost", messages=lost))
            if line and (not of or of in watcher.wants):
                watcher.send(line, minor=minor)
