"""What waits for one watcher. A slow one loses messages, is told how many, and makes nobody wait."""

from __future__ import annotations

import socket
from collections import deque

QUEUE_MESSAGES = 64
"""Messages that may wait for a watcher: about 15 s of them."""

SEND_BYTES = 32_768
"""What the system may keep for it beside: more would only be old news."""


class Waiting:
    """One watcher's connection (non-blocking) and its queue of whole lines; from one thread only."""

    def __init__(self, connection: socket.socket, *, limit: int = QUEUE_MESSAGES) -> None:
        self.connection = connection
        connection.setblocking(False)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BYTES)
        self._limit = limit
        self._lines: deque[tuple[bytes, bool]] = deque()
        self._rest = b""
        self.lost = 0
        """Messages dropped since it was last told."""

    @property
    def busy(self) -> bool:
        """Something waits to be sent."""
        return bool(self._rest or self._lines)

    def put(self, line: bytes, *, minor: bool = False) -> None:
        """Queue a line. Where the queue is full the oldest minor one goes (a hearing: others follow), else the oldest."""
        self._lines.append((line, minor))
        if len(self._lines) > self._limit:
            oldest = next((number for number, (_, small) in enumerate(self._lines) if small), 0)
            del self._lines[oldest]
            self.lost += 1

    def take_lost(self) -> int:
        """How many were dropped since the last call, once there is room to say so; else 0."""
        if not self.lost or len(self._lines) > self._limit // 2:
            return 0
        lost, self.lost = self.lost, 0
        return lost

    def send(self) -> None:
        """Send what the connection takes now. Raises OSError where the watcher is gone."""
        while self.busy:
            if not self._rest:
                self._rest = self._lines.popleft()[0]
            try:
                sent = self.connection.send(self._rest)
            except BlockingIOError:
                return
            self._rest = self._rest[sent:]

    def gone(self) -> bool:
        """Whether the watcher hung up; what it says is not listened to."""
        try:
            return not self.connection.recv(4096)
        except BlockingIOError:
            return False
        except OSError:
            return True
