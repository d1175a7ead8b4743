"""A doorbell: wakes a thread that waits in a poll."""

from __future__ import annotations

import contextlib
import socket


class Doorbell:
    """One thread polls the bell like a file; any other thread rings it."""

    def __init__(self) -> None:
        self._bell, self._ringer = socket.socketpair()
        for end in (self._bell, self._ringer):
            end.setblocking(False)

    def fileno(self) -> int:
        """The descriptor to poll: there is something to read when somebody has rung."""
        return self._bell.fileno()

    def ring(self) -> None:
        """Wake the thread that polls. Returns at once; after `close` nothing happens."""
        with contextlib.suppress(OSError):  # the bell holds enough rings already, or it is closed
            self._ringer.send(b"!")

    def answer(self) -> None:
        """Take all rings so far, so that the next poll waits again. Never waits itself."""
        with contextlib.suppress(BlockingIOError):
            self._bell.recv(65_536)

    def close(self) -> None:
        """Give both descriptors back. Safe twice."""
        self._bell.close()
        self._ringer.close()
