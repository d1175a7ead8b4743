"""One watcher's connection: what it wants, what it is told, and what it asks. No method waits."""

from __future__ import annotations

import contextlib
import fcntl
import socket
import struct
import termios
import time
from collections.abc import Callable

from edge.sinks.bucket import Bucket
from edge.topics import MOST_BYTES

QUEUE_BYTES = 131_072
"""Bytes that the kernel keeps for a watcher that does not read. The kernel doubles the number, for what it
needs beside the messages."""

BURST, PER_SECOND = 20, 5.0
"""So many requests are taken at once, then so many a second; the others are refused."""

PATIENCE = 100
"""So many refused requests are answered at once, then PER_SECOND a second; one more, and the watcher is hung up on."""

MOST_DRAINED = 10_000
"""Packets that are thrown away of a watcher that is hung up on; the kernel queues some hundreds at most."""


class Watcher:
    """Hearings, bands and sound may take half of its queue, so that events and answers find room in the other half.

    `send` belongs to whoever holds the sink's lock, the rest to the sink's thread.
    """

    def __init__(self, connection: socket.socket, monotonic: Callable[[], float] = time.monotonic) -> None:
        """connection: taken over, and made never to wait."""
        self.connection = connection
        connection.setblocking(False)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, QUEUE_BYTES)
        self._half = connection.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) // 2
        self.lost = 0
        """Messages that found no room since this watcher was last told so."""
        self.wants: frozenset[str] = frozenset()
        """Of `requests.WANTS`."""
        self._requests = Bucket(BURST, PER_SECOND, monotonic)
        self._patience = Bucket(PATIENCE, PER_SECOND, monotonic)

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

    def receive(self) -> bytes | None:
        """The next packet, cut behind MOST_BYTES + 1; empty where it asks no more; None where none has come."""
        for _ in range(2):
            try:
                return self.connection.recv(MOST_BYTES + 1)
            except BlockingIOError:
                return None
            except ConnectionResetError:  # told once, where it left without reading all; what it asked before lies behind
                continue
            except OSError:
                break
        return b""

    def may_ask(self) -> bool:
        """Whether one more request is within the limit."""
        return self._requests.take()

    def may_go_on(self) -> bool:
        """Whether one more request over the limit is answered."""
        return self._patience.take()

    def hang_up(self) -> None:
        """Close. What it still asks is thrown away first: else it would be told of a reset, not what was sent to it."""
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RD)
            for _ in range(MOST_DRAINED):
                if not self.connection.recv(1):
                    break
        self.connection.close()
