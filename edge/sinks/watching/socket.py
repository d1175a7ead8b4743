"""The socket in the state directory: who may have it, how it is made, and how it is reached."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import struct
from collections.abc import Iterator
from pathlib import Path

from edge.errors import SinkError

NAME = "watch.sock"
"""In the state directory."""

LONGEST = 100
"""Bytes of a path that a socket's address surely holds (108 on Linux, with its NUL)."""

OPEN_SECONDS = 2.0
"""How long an appliance that is stopped (Ctrl-Z) may keep who connects waiting."""


@contextlib.contextmanager
def address(path: Path) -> Iterator[str]:
    """The path, or a short way to it through an open folder where it is too long for a socket."""
    if len(os.fsencode(path)) <= LONGEST:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def listening(path: Path) -> socket.socket:
    """A socket that listens at `path`, for this user and root only (mode 0600). An old socket that nobody
    answers is replaced.

    Raises SinkError where another appliance answers, or something that is no socket lies there; OSError where the folder
    cannot be written.
    """
    _clear(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.unlink(missing_ok=True)
        with address(beside) as where:
            listener.bind(where)
        try:
            # Nobody can connect before `listen`, and nobody sees it under its name before the mode is right.
            beside.chmod(0o600)
            listener.listen(8)
            beside.replace(path)
        except OSError:
            beside.unlink(missing_ok=True)
            raise
    except OSError:
        listener.close()
        raise
    return listener


def connected(path: Path) -> socket.socket:
    """A connection to the appliance.

    Raises OSError: FileNotFoundError, ConnectionRefusedError, PermissionError or TimeoutError.
    """
    ours = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.settimeout(OPEN_SECONDS)
    try:
        with address(path) as where:
            ours.connect(where)
        ours.setblocking(False)
    except OSError:
        ours.close()
        raise
    return ours


def welcome(peer: socket.socket) -> bool:
    """Whether the other side is this user or root. The socket's mode demands that already, but a mode can be
    changed."""
    size = struct.calcsize("3i")
    _process, user, _group = struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    return user in (0, os.geteuid())


def _clear(path: Path) -> None:
    """Check that no other appliance listens at `path`. Raises SinkError."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise SinkError(str(path), found="something that is no socket", wanted="nothing there, or an old socket")
        connected(path).close()
    except (FileNotFoundError, ConnectionRefusedError):
        return  # nothing is there, or the socket of a killed appliance
    except TimeoutError:
        pass  # another appliance is there, but stopped (Ctrl-Z)
    except PermissionError as error:
        raise SinkError(str(path), found="another user's", wanted="a state directory of one's own (--state-dir)") from error
    raise SinkError(str(path), found="another appliance that answers there",
                    wanted="one appliance for each state directory (--state-dir)")
