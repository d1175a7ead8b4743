"""A TCP door before a broker."""

from __future__ import annotations

import contextlib
import socket
import threading


class Door:
    """A TCP door before a broker that can be shut: then it takes connections and bytes, and passes nothing on.

    With `port` 0 there is no broker behind it: it accepts, hears the first words, says `answer` and hangs up; without
    an answer (None) it never says anything.
    """

    def __init__(self, port: int, answer: bytes | None = None) -> None:
        self._behind = port
        self._answer = answer
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self._open = threading.Event()
        self._open.set()
        self._ends: list[socket.socket] = []
        self.accepted = threading.Event()
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def shut(self) -> None:
        self._open.clear()

    def open(self) -> None:
        self._open.set()

    def cut(self) -> None:
        """Break every connection through this door."""
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                inner = self._server.accept()[0]
                self._ends.append(inner)
                self.accepted.set()
                if self._answer is not None:
                    inner.recv(1000)
                    inner.sendall(self._answer)
                    inner.shutdown(socket.SHUT_WR)
                if self._behind:
                    outer = socket.create_connection(("127.0.0.1", self._behind))
                    self._ends.append(outer)
                    for source, sink in ((inner, outer), (outer, inner)):
                        threading.Thread(target=self._pass, args=(source, sink), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._open.wait()
                data = source.recv(1000)
                self._open.wait()
                sink.sendall(data)
                if not data:
                    sink.shutdown(socket.SHUT_RDWR)
                    return

    def close(self) -> None:
        """Shut the server first: a connection that is taken meanwhile would else be left open."""
        self._open.set()
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self._server.close()
        for end in self._ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
