"""What systemd is told of the service (sd_notify(3)): ready, words of health, a reload, the end, and signs of life."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence

from edge.backoff import PARTS, is_well

LOG = logging.getLogger(__name__)

READY_SECONDS = 10.0
"""So long the listener waits for a first block before the service is ready without one: a microphone may come later."""
LOOK_SECONDS = 1.0
"""How often the words of health are looked at."""


class Systemd:
    """The socket to systemd; without an address every method does nothing. No method waits.

    `beat` belongs to the listener's thread, `reload` to the steering's.
    """

    def __init__(self, address: str = "", *, watchdog_seconds: float = 0.0,
                 clock: Callable[[], float] = time.monotonic) -> None:
        """address: NOTIFY_SOCKET, a path or an abstract name behind "@". watchdog_seconds: after so long without a sign
        of life systemd ends the service; 0: never. clock: monotonic, in seconds."""
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) if address else None
        self._feed_seconds = watchdog_seconds / 3
        self._clock = clock
        self._began: float | None = None
        self._ready = False
        self._owes_ready = False
        self._words = ""
        self._look_at = 0.0
        self._feed_at = 0.0
        self._failed = False

    @classmethod
    def of(cls, environment: MutableMapping[str, str]) -> Systemd:
        """As systemd's variables say, which are taken out: a program that we start is not the service."""
        address = environment.pop("NOTIFY_SOCKET", "")
        microseconds, process = environment.pop("WATCHDOG_USEC", ""), environment.pop("WATCHDOG_PID", "")
        ours = microseconds.isdecimal() and process in ("", str(os.getpid()))
        return cls(address, watchdog_seconds=int(microseconds) / 1e6 if ours else 0.0)

    def beat(self, *, heard: bool, alive: bool, words: Callable[[], str]) -> None:
        """The listener has come round: once for each block (heard), and at least once a second without one.

        alive: whether the source's thread shows signs of life. A listener that hangs in an inference does not come here.
        """
        if self._socket is None:
            return
        now = self._clock()
        self._began = now if self._began is None else self._began
        if not self._ready and (heard or now - self._began >= READY_SECONDS):
            self._ready = self._owes_ready = True
        if self._owes_ready:
            self._owes_ready = not self._send("READY=1")
        if now >= self._look_at:
            self._look_at = now + LOOK_SECONDS
            self._tell(words())
        if self._feed_seconds and alive and now >= self._feed_at and self._send("WATCHDOG=1"):
            self._feed_at = now + self._feed_seconds

    @contextlib.contextmanager
    def reload(self) -> Iterator[None]:
        """Around a reload, whether it succeeds or not."""
        known = self._ready and not self._owes_ready
        told = known and self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
        try:
            yield
        finally:
            if told:
                self._owes_ready = not self._send("READY=1")  # where it found no room, the next beat pays

    def stopping(self) -> None:
        """The service ends. Safe twice."""
        if self._socket is not None:
            self._send("STOPPING=1")
            self._socket.close()
            self._socket = None

    def _tell(self, words: str) -> None:
        words = " ".join(words.split())
        if words != self._words and self._send(f"STATUS={words}"):
            self._words = words

    def _send(self, message: str) -> bool:
        """Whether systemd has the message; one that finds no room is not waited for."""
        if (to := self._socket) is None:
            return False
        try:
            to.sendto(message.encode(), socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL, self._address)
        except OSError as error:
            if not self._failed:
                LOG.warning("systemd cannot be told %s: %s", message.split("\n")[0], error.strerror or error)
            self._failed = True
            return False
        self._failed = False
        return True


def status_words(targets: Sequence[str], about: Mapping[str, object]) -> str:
    """What `systemctl status` shows: what is heard, or what is wrong. about: as health has it."""
    troubles = [str(about[part]) for part in PARTS if not is_well(about.get(part, "ok"))]
    sinks = about.get("sinks")
    if isinstance(sinks, Mapping):
        troubles += [f"{name}: {state}" for name, state in sinks.items() if not is_well(state)]
    doing = "muted" if about.get("muted") else f"hearing {', '.join(targets) or 'nothing'}"
    return "; ".join([doing, *troubles])
