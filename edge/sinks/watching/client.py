"""The other side of the watch socket: what an appliance that runs tells, and what it is asked."""

from __future__ import annotations

import errno
import socket
from collections.abc import Mapping
from pathlib import Path

from edge.errors import SinkError
from edge.sinks.watching.messages import Message, from_line
from edge.sinks.watching.socket import NAME, connected
from edge.topics import encode

LONGEST = 1 << 18
"""Bytes of the longest message: the kernel queues none that is longer."""
NOBODY = "no appliance"
"""What is found where nobody answers."""
AT_ONCE = 256
"""Messages of one `received`: whoever looks must get to look, however fast they come."""


class WatchClient:
    """One connection to the appliance of a state directory. `fileno` is for select."""

    def __init__(self, state_dir: Path) -> None:
        """Raises SinkError where no appliance answers or it is another user's."""
        self.path = state_dir / NAME
        try:
            self._connection: socket.socket = connected(self.path)
        except PermissionError as error:
            raise SinkError(str(self.path), found="an appliance of another user",
                            wanted="to be run as that user or as root") from error
        except OSError as error:
            nobody = error.errno in (errno.ENOENT, errno.ECONNREFUSED, errno.ENOTDIR)
            raise SinkError(str(self.path), found=NOBODY if nobody else f"{error.strerror or error}",
                            wanted="`edge-audio run` with the same state directory (--state-dir)") from error
        self.ended = False
        """The appliance hung up."""

    def fileno(self) -> int:
        """The socket's descriptor."""
        return self._connection.fileno()

    def take(self) -> list[Message]:
        """What has come since the last call; never waits. Raises SinkError for what is no message."""
        told, self.ended = received(self._connection)
        return told

    def want(self, *kinds: str, request: str | None = None) -> None:
        """Ask to be told of these (`requests.WANTS`) too, and of no others; the answer is a message. Never waits.

        Raises SinkError where the appliance does not take it.
        """
        self._ask({"want": list(kinds)}, request)

    def command(self, verb: str, *, request: str | None = None, **fields: object) -> None:
        """Ask for a command, with the fields that it has over MQTT; the answer is a message. Never waits.

        Raises SinkError where the appliance does not take it.
        """
        self._ask({"command": verb, **fields}, request)

    def _ask(self, asked: Mapping[str, object], request: str | None) -> None:
        packet = encode(asked if request is None else {**asked, "request": request}).encode("utf-8", "replace")
        try:
            self._connection.send(packet)
        except OSError as error:
            found = "an appliance that takes no more" if isinstance(error, BlockingIOError) else "no appliance any more"
            raise SinkError(str(self.path), found=found, wanted="one that answers") from error

    def close(self) -> None:
        """Hang up. Safe twice."""
        self._connection.close()


def received(connection: socket.socket) -> tuple[list[Message], bool]:
    """Messages that have come, and whether the other side hung up behind them; never waits (`connection` does
    not block).

    Raises SinkError for what is no message.
    """
    told: list[Message] = []
    while len(told) < AT_ONCE:
        try:
            packet = connection.recv(LONGEST)
        except BlockingIOError:
            break
        except OSError:
            packet = b""
        if not packet:
            return told, True
        told.append(from_line(packet))
    return told, False
