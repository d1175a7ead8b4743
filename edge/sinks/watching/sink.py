"""What is heard now, for `edge-audio watch`: a local socket in the state directory, for this user and root only.

The kernel keeps the borders of messages (SOCK_SEQPACKET) and queues them for each watcher, so the listener's
thread sends them itself: a send that finds no room returns at once. A watcher that stops reading loses
messages and is told how many; one that is killed is forgotten. While nobody watches nothing is made, and the
thread that takes watchers in sleeps.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import select
import socket
import struct
import termios
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from edge.errors import SinkError
from edge.sinks.watching.messages import event_message, hearing_message, message, to_line
from edge.sinks.watching.socket import NAME, listening, welcome
from edge.state import private_folder
from edge.stream import PATCH_SAMPLES, Event, Hearing
from edge.topics import rfc3339

LOG = logging.getLogger(__name__)

PAST_EVENTS = 40
"""Starts and ends of events that a new watcher is told at once."""

WATCHERS = 8
"""So many may watch at once. One more is told so and sent away."""

LOOK_SECONDS = 1.0
"""How often, while anybody watches, the appliance is asked for its state."""

QUEUE_BYTES = 131_072
"""Bytes that the kernel keeps for a watcher that does not read. The kernel doubles the number, for what it
needs beside the messages."""


class _Watcher:
    """One watcher's connection. Hearings may take half of its queue, so that events find room in the other
    half."""

    def __init__(self, connection: socket.socket) -> None:
        """connection: taken over, and made never to wait."""
        self.connection = connection
        connection.setblocking(False)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, QUEUE_BYTES)
        self._half = connection.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) // 2
        self.lost = 0
        """Messages that found no room since this watcher was last told so."""

    @property
    def has_room(self) -> bool:
        """Whether less than half of the queue is taken."""
        return bool(struct.unpack("i", fcntl.ioctl(self.connection, termios.TIOCOUTQ, b"\0" * 4))[0] < self._half)

    def send(self, line: bytes, *, minor: bool = False) -> None:
        """Send now or count it as lost. minor: others like it follow soon."""
        try:
            if not minor or self.has_room:
                self.connection.send(line)
                return
        except OSError:  # no room, or it hung up, which the sink's thread will find
            pass
        self.lost += 1


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
        self._device, self._about = device, about
        self._patch_samples = patch_samples
        self._utc = utc
        self._listener: socket.socket | None = None
        self._identity: os.stat_result | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._watchers: tuple[_Watcher, ...] = ()
        self._past: deque[bytes] = deque(maxlen=PAST_EVENTS)
        self._told: Mapping[str, object] = {}

    @property
    def watching(self) -> bool:
        """Whether anybody looks. While nobody does, no hearing need be made."""
        return bool(self._watchers)

    def start(self) -> None:
        """Offer the socket. Never raises: a reason why not is said once and kept in `state`."""
        try:
            private_folder(self.path.parent)
            self._listener = listening(self.path)
            self._identity = self.path.lstat()
        except OSError as error:
            self.state = str(error) if isinstance(error, SinkError) else f"{self.path}: {error.strerror or error}"
            LOG.warning("watch: %s; this appliance cannot be watched", self.state)
            return
        self.state = "ok"
        self._thread = threading.Thread(target=self._serve, args=(self._listener,), name=self.name, daemon=True)
        self._thread.start()

    def event(self, event: Event) -> None:
        """Keep the event for watchers who come later, and tell those who watch now; returns at once."""
        line = to_line(event_message(event, self._device, self._now()))
        with self._lock:
            self._past.append(line)
            self._send(line)

    def hearing(self, hearing: Hearing) -> None:
        """Tell those who watch; returns at once."""
        if self._watchers:
            line = to_line(hearing_message(hearing, self._patch_samples, self._now()))
            with self._lock:
                self._send(line, minor=True)

    def health(self, health: Mapping[str, object]) -> None:
        """Nothing: the appliance's state is looked at every second while anybody watches."""

    def stop(self) -> None:
        """Say goodbye and take the socket away. Safe twice."""
        listener, self._listener = self._listener, None
        if listener is None or self._thread is None:
            return
        listener.shutdown(socket.SHUT_RDWR)  # wakes the thread
        self._thread.join()
        listener.close()
        with self._lock:
            self._send(self._line("bye"))
            for watcher in self._watchers:
                watcher.connection.close()
            self._watchers = ()
        with contextlib.suppress(OSError):
            if self._identity is not None and os.path.samestat(self.path.lstat(), self._identity):
                self.path.unlink()

    def _send(self, line: bytes, *, minor: bool = False) -> None:
        """Send a line to each watcher; the caller holds the lock. A watcher that has lost messages is told so
        first."""
        for watcher in self._watchers:
            if watcher.lost and watcher.has_room:
                lost, watcher.lost = watcher.lost, 0
                watcher.send(self._line("lost", messages=lost))
            if line:
                watcher.send(line, minor=minor)

    def _line(self, kind: str, **others: object) -> bytes:
        return to_line(message(kind, self._now(), **others))

    def _now(self) -> str:
        return rfc3339(datetime.fromtimestamp(self._utc(), UTC))

    # From here on: the sink's own thread.

    def _serve(self, listener: socket.socket) -> None:
        poll = select.poll()
        poll.register(listener, select.POLLIN)
        while self._listener is not None:
            ready = poll.poll(LOOK_SECONDS * 1000 if self._watchers else None)
            if self._listener is None:
                return
            for descriptor, _ in ready:
                if descriptor != listener.fileno():
                    self._forget_who_left(poll)
                elif (watcher := self._accept(listener)) is not None:
                    poll.register(watcher.connection, select.POLLIN)
            if self._watchers:
                self._look()

    def _look(self) -> bytes:
        """Tell all who watch what has changed with the appliance; the line that tells of it."""
        about = dict(self._about())
        line = self._line("about", device=self._device, about=about)
        with self._lock:
            self._send(line if about != self._told else b"")
        self._told = about
        return line

    def _accept(self, listener: socket.socket) -> _Watcher | None:
        try:
            connection, _ = listener.accept()
        except BlockingIOError:  # it hung up before it was answered
            return None
        except OSError:
            time.sleep(0.1)  # no descriptor is left: who waits at the door must not keep this thread busy
            return None
        if not welcome(connection):
            connection.close()
            return None
        watcher = _Watcher(connection)
        if len(self._watchers) >= WATCHERS:
            watcher.send(self._line("refused", reason=f"{WATCHERS} watch already"))
            connection.close()
            return None
        about = self._look()
        with self._lock:  # whoever sees the greeting is among those who are told what is new
            self._watchers = (*self._watchers, watcher)
            for line in (about, *self._past):
                watcher.send(line)
        return watcher

    def _forget_who_left(self, poll: select.poll) -> None:
        for watcher in self._watchers:
            try:
                left = not watcher.connection.recv(4096)  # what a watcher says is not listened to
            except BlockingIOError:
                continue
            except OSError:
                left = True
            if left:
                poll.unregister(watcher.connection)
                with self._lock:
                    self._watchers = tuple(other for other in self._watchers if other is not watcher)
                    watcher.connection.close()
