"""Waiting until a connection can be read or written, also an encrypted one, or until somebody rings."""

from __future__ import annotations

import select
import socket
import ssl
from typing import NamedTuple, Protocol


class Ready(NamedTuple):
    """What need not be waited for any more."""

    reading: bool
    rung: bool


class Line(Protocol):
    """A socket, as far as it is needed here."""

    def fileno(self) -> int:
        """Its number."""


def wait(line: Line, bell: socket.socket | None, timeout_seconds: float, *, sending: bool) -> Ready:
    """Until one of them is ready, `timeout_seconds` at most. sending: there is something to write.

    What TLS has decrypted and nobody has read yet is no longer in the socket, where poll would see it.
    """
    decrypted = isinstance(line, ssl.SSLSocket) and line.pending() > 0
    poll = select.poll()
    poll.register(line, select.POLLIN | (select.POLLOUT if sending else 0))
    if bell is not None:
        poll.register(bell, select.POLLIN)
    ready = dict(poll.poll(0.0 if decrypted else max(timeout_seconds, 0.0) * 1000))
    return Ready(reading=decrypted or bool(ready.get(line.fileno(), 0) & ~select.POLLOUT),
                 rung=bell is not None and bell.fileno() in ready)
