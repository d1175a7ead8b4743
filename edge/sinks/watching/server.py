"""The thread behind the watch socket: takes watchers in, hands lines on, forgets who is gone. Knows lines, not events."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterable

from edge.sinks.watching.queue import Waiting
from edge.sinks.watching.socket import welcome

WATCHERS = 8
"""So many at once; one more is told so and sent away."""

LOOK_SECONDS = 1.0
"""How often, while anybody watches, `lines` is asked though nobody rang."""

Line = tuple[bytes, bool]
"""A line and whether it is minor: the first to go where a queue is full."""


class WatchServer:
    """Runs from construction until `stop`. While nobody watches its thread sleeps."""

    def __init__(self, listener: socket.socket, *, greeting: Callable[[], Iterable[bytes]],
                 lines: Callable[[], Iterable[Line]], lost: Callable[[int], bytes], refusal: Callable[[str], bytes],
                 farewell: Callable[[], bytes]) -> None:
        """listener: ours from now on. All others are asked from this thread.

        greeting: lines for a new watcher; lines: what is new, for all; lost: how a watcher is told how many it missed;
        refusal: why one is sent away; farewell: the last line.
        """
        self._listener = listener
        self._greeting, self._lines, self._lost = greeting, lines, lost
        self._refusal, self._farewell = refusal, farewell
        self._ring, self._bell = socket.socketpair()
        self._ring.setblocking(False)
        self._bell.setblocking(False)
        self._stopping = False
        self._watchers: tuple[Waiting, ...] = ()
        self._selector = selectors.DefaultSelector()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()

    @property
    def watching(self) -> bool:
        """Whether anybody looks."""
        return bool(self._watchers)

    def ring(self) -> None:
        """Say that `lines` has something; from any thread, returns at once."""
        with contextlib.suppress(BlockingIOError):  # enough rings wait already
            self._ring.send(b"\n")

    def stop(self) -> None:
        """Say goodbye as far as each watcher takes it at once, and close everything. Once."""
        self._stopping = True
        self.ring()
        self._thread.join()
        for part in (self._listener, self._ring, self._bell):
            part.close()

    def _run(self) -> None:
        with self._selector as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._bell, selectors.EVENT_READ)
            while not self._stopping:
                for key, _ready in selector.select(LOOK_SECONDS if self._watchers else None):
                    if key.fileobj is self._listener:
                        self._accept()
                    elif key.fileobj is self._bell:
                        with contextlib.suppress(BlockingIOError):
                            self._bell.recv(4096)
                    elif key.data.gone():
                        self._forget(key.data)
                self._hand_on()
            for watcher in self._watchers:
                watcher.put(self._farewell())
                self._send(watcher)
            for watcher in self._watchers:
                self._forget(watcher)

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except BlockingIOError:  # it hung up before it was answered
            return
        except OSError:
            time.sleep(0.1)  # no descriptor is left: it stays at the door, and must not keep this thread busy
            return
        if not welcome(connection):
            connection.close()
            return
        watcher = Waiting(connection)
        if len(self._watchers) >= WATCHERS:
            watcher.put(self._refusal(f"{WATCHERS} watch already"))
            with contextlib.suppress(OSError):
                watcher.send()
            connection.close()
            return
        self._selector.register(connection, selectors.EVENT_READ, watcher)
        # A watcher first, then greeted: what comes in between is new, and `greeting` leaves it out.
        self._watchers = (*self._watchers, watcher)
        for line in self._greeting():
            watcher.put(line)

    def _hand_on(self) -> None:
        for line, minor in self._lines():
            for watcher in self._watchers:
                watcher.put(line, minor=minor)
        for watcher in self._watchers:
            if lost := watcher.take_lost():
                watcher.put(self._lost(lost))
            self._send(watcher)

    def _send(self, watcher: Waiting) -> None:
        try:
            watcher.send()
        except OSError:
            self._forget(watcher)
            return
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if watcher.busy else 0)
        if self._selector.get_key(watcher.connection).events != wanted:
            self._selector.modify(watcher.connection, wanted, watcher)

    def _forget(self, watcher: Waiting) -> None:
        self._selector.unregister(watcher.connection)
        watcher.connection.close()
        self._watchers = tuple(other for other in self._watchers if other is not watcher)
