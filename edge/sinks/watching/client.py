"""The other side of the watch socket: what an appliance that runs tells."""

from __future__ import annotations

import errno
import socket
from pathlib import Path

from edge.errors import SinkError
from edge.sinks.watching.messages import Message, from_line
from edge.sinks.watching.socket import NAME, connected

LONGEST_LINE = 1 << 20
"""Bytes without a line break after which this is no edge-audio."""


class WatchClient:
    """One connection to the appliance of a state directory. `fileno` is for select."""

    def __init__(self, state_dir: Path) -> None:
        """Raises SinkError where no appliance answers or it is another user's."""
        self.path = state_dir / NAME
        wanted = "`edge-audio run` with the same state directory (--state-dir)"
        try:
            self._connection: socket.socket = connected(self.path)
        except PermissionError as error:
            raise SinkError(str(self.path), found="an appliance of another user",
                            wanted="to be run as that user or as root") from error
        except OSError as error:
            nobody = error.errno in (errno.ENOENT, errno.ECONNREFUSED, errno.ENOTDIR)
            found = "no appliance" if nobody else f"{error.strerror or error}"
            raise SinkError(str(self.path), found=found, wanted=wanted) from error
        self._rest = b""
        self.ended = False
        """The appliance hung up."""

    def fileno(self) -> int:
        """The socket's descriptor."""
        return self._connection.fileno()

    def take(self) -> list[Message]:
        """What has come since the last call; never waits. Raises SinkError for what is no message."""
        found: list[Message] = []
        while not self.ended:
            try:
                data = self._connection.recv(65_536)
            except BlockingIOError:
                break
            except OSError:
                data = b""
            self.ended = not data
            *lines, self._rest = (self._rest + data).split(b"\n")
            found += [from_line(line) for line in lines]
            if len(self._rest) > LONGEST_LINE:
                raise SinkError(str(self.path), found=f"{len(self._rest)} bytes without a line break", wanted="an appliance")
            if len(data) < 65_536:
                break
        return found

    def close(self) -> None:
        """Hang up. Safe twice."""
        self._connection.close()
