"""A tap in the line between the appliance and the broker: passes every packet on, and notes what the broker acknowledged.

It can stop reading, as a network does that has died without a word, stop listening, as a broker does that is away, and
swallow acknowledgements, as a broker does that is too busy.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

CONNECT, PUBLISH, PUBACK = 1, 3, 4
FAILURE = 0x80
"""MQTT 5, section 2.4: reason codes from here on say no."""


class Tap:
    """Listens on `port` of the loopback from `open` on; `taken` are the payloads that a PUBACK came back for."""

    def __init__(self, broker_port: int) -> None:
        self._broker_port = broker_port
        self._server: socket.socket | None = None
        self._flowing = threading.Event()
        self._flowing.set()
        self._lock = threading.Lock()
        self._ends: list[socket.socket] = []
        self.port = self.accepted = 0
        self.swallowing = False
        """Whether no PUBACK is passed on (nor noted)."""
        self.taken: list[dict[str, Any]] = []

    def open(self) -> None:
        """Listen."""
        if self._server is None:
            self._server = socket.create_server(("127.0.0.1", self.port))
            self.port = int(self._server.getsockname()[1])
            threading.Thread(target=self._accept, args=(self._server,), daemon=True).start()

    def shut(self) -> None:
        """Refuse connections and break those that are."""
        with self._lock:
            server, self._server = self._server, None
            ends, self._ends = self._ends, []
        for end in [*([server] if server else []), *ends]:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def cut(self) -> None:
        """Break the connections that are; others are let in."""
        self.shut()
        self.open()

    def stall(self) -> None:
        """Read nothing any more, but accept."""
        self._flowing.clear()

    def flow(self) -> None:
        """Read again."""
        self._flowing.set()

    def _accept(self, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                inner = server.accept()[0]
                self.accepted += 1
                try:
                    outer = socket.create_connection(("127.0.0.1", self._broker_port))
                except OSError:
                    inner.close()
                    continue
                with self._lock:
                    if self._server is not server:  # shut meanwhile
                        inner.close()
                        outer.close()
                        return
                    self._ends += [inner, outer]
                line = _Line(self.taken)
                for source, sink, note in ((inner, outer, line.from_appliance), (outer, inner, line.from_broker)):
                    threading.Thread(target=self._pass, args=(source, sink, note, _Packets()), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, note: Any, packets: _Packets) -> None:
        try:
            while True:
                self._flowing.wait()
                data = source.recv(4096)
                self._flowing.wait()
                for kind, flags, body, whole in packets.add(data):
                    if kind == PUBACK and self.swallowing:
                        continue
                    note(kind, flags, body)  # before it is passed on: nobody can know more than was noted
                    sink.sendall(whole)
                if not data:
                    return
        except OSError:
            return
        finally:
            for end in (source, sink):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)


class _Packets:
    """Bytes into MQTT packets: (kind, flags, body, all of it). MQTT 5, section 2.1."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def add(self, data: bytes) -> Iterator[tuple[int, int, bytes, bytes]]:
        self._waiting += data
        while len(self._waiting) > 1:
            length, used = _number(self._waiting, 1)
            if used == 0 or len(self._waiting) < used + length:
                return
            whole = bytes(self._waiting[:used + length])
            del self._waiting[:used + length]
            yield whole[0] >> 4, whole[0] & 0x0F, whole[used:], whole


class _Line:
    """One connection's talk."""

    def __init__(self, taken: list[dict[str, Any]]) -> None:
        self._taken = taken
        self._version = 0
        self._sent: dict[bytes, dict[str, Any]] = {}

    def from_appliance(self, kind: int, flags: int, body: bytes) -> None:
        if kind == CONNECT:
            self._version = body[2 + int.from_bytes(body[:2], "big")]
        elif kind == PUBLISH and flags & 0x06:
            after = 2 + int.from_bytes(body[:2], "big")
            topic, number, begins = body[2:after].decode(), body[after:after + 2], after + 2
            if self._version == 5:
                length, begins = _number(body, begins)
                begins += length
            if "/event/" in topic or topic.endswith("/dropped"):
                self._sent[number] = json.loads(body[begins:])

    def from_broker(self, kind: int, _flags: int, body: bytes) -> None:
        if kind == PUBACK:
            sent = self._sent.pop(body[:2], None)
            if sent is not None and (len(body) < 3 or body[2] < FAILURE):
                self._taken.append(sent)


def _number(data: bytes | bytearray, at: int) -> tuple[int, int]:
    """The variable byte integer at `at`, and where it ends; (0, 0) where it is not whole yet."""
    value = 0
    for place, byte in enumerate(data[at:at + 4]):
        value |= (byte & 0x7F) << 7 * place
        if not byte & 0x80:
            return value, at + place + 1
    return 0, 0
