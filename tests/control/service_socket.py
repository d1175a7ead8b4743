"""The other end of NOTIFY_SOCKET: a datagram socket as systemd holds one, and what was told to it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from pathlib import Path

PATIENCE_SECONDS = 60.0


class Manager:
    """Binds a path or, behind "@", an abstract name; keeps every message, in order."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.messages: list[str] = []
        self._changed = threading.Condition()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        while message := self._socket.recv(65_536):
            with self._changed:
                self.messages.append(message.decode())
                self._changed.notify_all()

    def wait_for(self, wanted: Callable[[str], bool], *, after: int = 0) -> int:
        """The place of the first message from place `after` on for which `wanted` holds, once it has come."""
        def place() -> int | None:
            return next((at for at in range(after, len(self.messages)) if wanted(self.messages[at])), None)

        with self._changed:
            assert self._changed.wait_for(lambda: place() is not None, PATIENCE_SECONDS), self.messages
        found = place()
        assert found is not None
        return found

    def is_told(self, message: str, *, after: int = 0) -> int:
        """As `wait_for`, for one message exactly."""
        return self.wait_for(lambda each: each == message, after=after)

    def close(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self._socket.getsockname())
        self._thread.join(PATIENCE_SECONDS)
        self._socket.close()
        if not self.address.startswith("@"):
            Path(self.address).unlink()
