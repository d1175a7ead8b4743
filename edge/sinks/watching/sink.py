"""What is heard now, for `edge-audio watch`: a local socket in the state directory, for this user and root only.

While nobody watches, nothing is made and no thread is awake. A watcher that stops reading loses messages, and is told how
many; one that is killed is forgotten; none can make the listener wait.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from edge.errors import SinkError
from edge.sinks.watching.messages import event_message, hearing_message, message, to_line
from edge.sinks.watching.server import Line, WatchServer
from edge.sinks.watching.socket import NAME, listening
from edge.stream import Event, Hearing
from edge.topics import rfc3339

LOG = logging.getLogger(__name__)

PATCH_SAMPLES = 15_600
"""Of nearly every model: 0.975 s at 16 kHz."""

PAST_EVENTS = 40
"""Starts and ends of events that a new watcher is told at once."""

COMING = 256
"""Hearings and events that may wait for the server's thread; the oldest go first, and all watchers are told."""


class WatchSink:
    """A sink, and a watcher of the listener: what it hears goes to whoever connects to the socket.

    Where the socket cannot be had (the folder cannot be written, another appliance has it) the appliance goes on
    without, and `state` says why: hearing matters more than being watched.
    """

    name = "watch"
    waiting_messages = 0

    def __init__(self, state_dir: Path, device: str, about: Callable[[], Mapping[str, object]] = dict, *,
                 patch_samples: int = PATCH_SAMPLES, utc: Callable[[], float] = time.time) -> None:
        """about: what the appliance says of itself (model, source state ...), asked anew.

        patch_samples: how far the model's patches reach; utc: seconds since 1970.
        """
        self.path = state_dir / NAME
        self.state = "ok"
        self._device = device
        self._patch_samples = patch_samples
        self._about = about
        self._utc = utc
        self._server: WatchServer | None = None
        self._made_folder = False
        self._identity: os.stat_result | None = None
        self._lock = threading.Lock()
        self._coming: deque[tuple[Hearing | Event, str]] = deque()
        self._past: deque[tuple[Event, str]] = deque(maxlen=PAST_EVENTS)
        self._missed = 0
        self._told: Mapping[str, object] = {}

    @property
    def watching(self) -> bool:
        """Whether anybody looks: otherwise no hearing need be made."""
        return self._server is not None and self._server.watching

    def start(self) -> None:
        """Offer the socket. Never raises: a reason why not is said once and kept in `state`."""
        folder = self.path.parent
        try:
            self._made_folder = not folder.exists()
            folder.mkdir(parents=True, exist_ok=True)
            listener = listening(self.path)
            self._identity = self.path.lstat()
        except OSError as error:
            self.state = str(error) if isinstance(error, SinkError) else f"{self.path}: {error.strerror or error}"
            LOG.warning("watch: %s; this appliance cannot be watched", self.state)
            return
        self._server = WatchServer(
            listener, greeting=self._greeting, lines=self._lines,
            lost=lambda count: to_line(message("lost", self._now(), messages=count)),
            refusal=lambda reason: to_line(message("refused", self._now(), reason=reason)),
            farewell=lambda: to_line(message("bye", self._now())))

    def event(self, event: Event) -> None:
        """Keep it for those who come later, and tell it to those who watch; returns at once."""
        told = (replace(event, peak=None, beside=()), self._now())  # kilobytes that nobody is told
        with self._lock:
            self._past.append(told)
            if self.watching:
                self._queue(*told)

    def hearing(self, hearing: Hearing) -> None:
        """Tell it to those who watch; returns at once."""
        if self.watching:
            with self._lock:
                self._queue(hearing, self._now())

    def health(self, health: Mapping[str, object]) -> None:
        """Nothing: the appliance's state is looked at every second while anybody watches."""

    def stop(self) -> None:
        """Say goodbye and take the socket away, and the folder if it was made for it alone. Safe twice."""
        server, self._server = self._server, None
        if server is None:
            return
        server.stop()
        with contextlib.suppress(OSError):
            if self._identity is not None and os.path.samestat(self.path.lstat(), self._identity):
                self.path.unlink()
            if self._made_folder:
                self.path.parent.rmdir()

    def _queue(self, what: Hearing | Event, at: str) -> None:
        self._coming.append((what, at))
        if len(self._coming) > COMING:
            self._coming.popleft()
            self._missed += 1
        if self._server is not None:
            self._server.ring()

    def _now(self) -> str:
        return rfc3339(datetime.fromtimestamp(self._utc(), UTC))

    # From here on: called from the server's thread.

    def _greeting(self) -> list[bytes]:
        with self._lock:
            coming = {id(what) for what, _ in self._coming}
            past = [(event, at) for event, at in self._past if id(event) not in coming]
        return [self._about_line(), *(to_line(event_message(event, self._device, at)) for event, at in past)]

    def _lines(self) -> list[Line]:
        with self._lock:
            coming = list(self._coming)
            self._coming.clear()
            missed, self._missed = self._missed, 0
        if not self.watching:
            return []
        lines: list[Line] = []
        if missed:
            lines.append((to_line(message("lost", self._now(), messages=missed)), False))
        if self._about() != self._told:
            lines.append((self._about_line(), False))
        for what, at in coming:
            if isinstance(what, Hearing):
                lines.append((to_line(hearing_message(what, self._patch_samples, at)), True))
            else:
                lines.append((to_line(event_message(what, self._device, at)), False))
        return lines

    def _about_line(self) -> bytes:
        self._told = dict(self._about())
        return to_line(message("about", self._now(), device=self._device, about=self._told))
