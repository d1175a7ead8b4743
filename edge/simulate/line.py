"""One board's way to the broker: an address out of several, a connection that is opened elsewhere, and its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edge.errors import EdgeError, SinkError
from edge.settings import MqttSettings
from edge.simulate.board import Board
from edge.sinks.mqtt import SETTLED_SECONDS, pause_seconds
from edge.sinks.mqtt_connection import Connection
from edge.topics import OFFLINE

CONNECT_SECONDS = 10.0
"""How long the network, and then the broker's answer, may take: a broker that a thousand boards come to is slow."""


class Line:
    """A board, and the connection that it has or waits for."""

    def __init__(self, board: Board, nodes: Sequence[MqttSettings], first: int) -> None:
        """nodes: addresses of one broker or of one cluster; the board begins with number `first`, then takes the next."""
        self.board = board
        self.connection: Connection | None = None
        self.watched = -1
        """The socket that the loop's poll looks at, or -1."""
        self.watched_write = False
        self._nodes = nodes
        self._node = first
        self._attempt = 0
        self._opened_at = 0.0

    def open(self, cancelled: Callable[[], bool]) -> Connection:
        """A new connection that stands. Waits; for a thread of its own. Raises EdgeError."""
        settings = self._nodes[self._node % len(self._nodes)]
        connection = Connection(settings, client_id=f"{settings.prefix}-{self.board.name}",
                                will=(self.board.topics.status, OFFLINE))
        try:
            connection.open(CONNECT_SECONDS, cancelled)
        except EdgeError:
            connection.close()
            raise
        return connection

    def opened(self, connection: Connection, now: float) -> None:
        """The connection stands: all that waits may go."""
        self.board.counts.reconnections += self._opened_at > 0
        self.connection, self._opened_at, self.watched_write = connection, now, False
        self.board.announce()

    def lost(self, now: float, limit_seconds: float, chance: float) -> float:
        """The connection is gone or did not come; how many seconds to wait before the next address is tried."""
        if self.connection is not None:
            self.connection.close()
            self._attempt = 0 if now - self._opened_at >= SETTLED_SECONDS else self._attempt
        self.connection = None
        self.board.lost()
        self._attempt += 1
        self._node += 1
        return pause_seconds(self._attempt, limit_seconds, chance)

    def exchange(self, now: float, unix_seconds: float, *, readable: bool) -> None:
        """Receive what came, send what may be on its way. Raises SinkError where the connection is lost."""
        connection = self.connection
        if connection is None:
            return
        connection.service(readable=readable)
        for number, refusal in connection.acknowledged():
            self.board.acknowledge(number, refusal, now)
        while connection.room and (message := self.board.take(unix_seconds)) is not None:
            self.board.sent_as(connection.publish(message.topic, message.payload, retain=message.retain), message)

    def leave(self) -> None:
        """Goodbye."""
        if self.connection is not None:
            try:
                self.connection.disconnect()
            except SinkError:
                self.connection.close()
            self.connection = None
