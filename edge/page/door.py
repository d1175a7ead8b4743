"""Waiting for the first who comes, in little memory: while nobody looks, the server and its library are not loaded.

The server goes back to this door by starting its program anew (exec) with the listening socket in its hand, handed over as
systemd does it (sd_listen_fds(3)). Whoever knocks meanwhile waits in the socket's queue.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NoReturn

FIRST = 3
"""The descriptor that is handed over."""
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
"""Variables of the environment that tell OpenSSL where the system's certificates are."""


def handed_over(environment: Mapping[str, str]) -> socket.socket | None:
    """The listening socket that systemd or the program itself handed over; None where there is none."""
    if environment.get("LISTEN_PID") != str(os.getpid()) or environment.get("LISTEN_FDS") != "1":
        return None
    given = socket.socket(fileno=FIRST)
    given.set_inheritable(False)
    return given


def wait(at: socket.socket) -> None:
    """Until somebody knocks. SIGTERM, SIGINT and SIGHUP end the program, with code 0."""
    before = {number: signal.signal(number, _end) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    poll = select.poll()
    poll.register(at, select.POLLIN)
    poll.poll()
    for number, handler in before.items():
        signal.signal(number, handler)


@contextmanager
def loading() -> Iterator[None]:
    """Load the server and its library inside, in two thirds of the time and 2 MB less, while nothing else runs.

    aiohttp reads the system's certificates as soon as it is imported, for a client; the page is none. And imports make
    little garbage to look for.
    """
    before = {name: os.environ.get(name) for name in CERTIFICATES}
    os.environ.update(dict.fromkeys(CERTIFICATES, os.devnull))
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def _end(number: int, frame: object) -> NoReturn:
    sys.exit(0)


def again(at: socket.socket, command: list[str]) -> NoReturn:
    """Start the program anew, as this process, with the listening socket. command: program and arguments."""
    if at.fileno() != FIRST:
        os.dup2(at.fileno(), FIRST)
    os.set_inheritable(FIRST, True)
    os.execve(command[0], command, {**os.environ, "LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"})


def own_command() -> list[str]:
    """The command that this program was started with."""
    return [sys.executable, *sys.orig_argv[1:]]
