"""One simulated board: the appliance's own outbox, states and visits to the broker, with sounds from a recording."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from deploy.fleet.nodes import OPEN_SECONDS
from edge.backoff import Backoff
from edge.clock import Clock
from edge.errors import EdgeError
from edge.settings import MqttSettings
from edge.sinks.messages import Dropped, Message, message_of
from edge.sinks.mqtt.connection import Connection
from edge.sinks.mqtt.sink import FIRST_SECONDS
from edge.sinks.mqtt.states import Kept, States
from edge.sinks.mqtt.visit import Visit
from edge.sinks.outbox import Outbox
from edge.stats import Stats
from edge.stream import Event
from edge.topics import OFFLINE, Topics, encode


class CountingOutbox(Outbox):
    """An outbox in memory that counts. Seconds are those of `monotonic`."""

    def __init__(self, *, messages: int, size: int, stats: Stats,
                 monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__(messages=messages, size=size, stats=stats)
        self._monotonic = monotonic
        self._made_at: dict[int, float] = {}
        self._sent: set[int] = set()
        self.acknowledged = self.refused = self.resent = 0
        self.longest_delay_seconds = 0.0

    def offer(self, messages: Sequence[Message], *, saved: bool) -> None:
        """As the outbox does; the delay counts from here."""
        for message in messages:
            self._made_at[message.sequence] = self._monotonic()
        super().offer(messages, saved=saved)

    def take(self) -> Message | Dropped | None:
        """As the outbox does."""
        taken = super().take()
        if isinstance(taken, Message):
            self.resent += taken.sequence in self._sent
            self._sent.add(taken.sequence)
        return taken

    def acknowledge(self, taken: Message | Dropped) -> None:
        """As the outbox does."""
        super().acknowledge(taken)
        if isinstance(taken, Message) and taken.sequence in self._made_at:
            self.acknowledged += 1
            self._sent.discard(taken.sequence)
            delay = self._monotonic() - self._made_at.pop(taken.sequence)
            self.longest_delay_seconds = max(self.longest_delay_seconds, delay)

    def refuse(self, taken: Message | Dropped) -> None:
        """As the outbox does."""
        super().refuse(taken)
        self.refused += 1

    @property
    def eager(self) -> bool:
        """Whether something would go out now if there were room."""
        return bool(self._waiting or self._dropped)


class Board:
    """What one board has to tell, and its way to the broker: an address out of several, and a visit while one stands."""

    def __init__(self, name: str, nodes: Sequence[MqttSettings], first: int, targets: Iterable[str],
                 clock: Clock, *, chance: Callable[[], float] = random.random) -> None:
        """nodes: addresses of one broker or cluster; the board begins with number `first`, then takes the next.
        targets: those with a state; chance: 0 to 1, for jitter."""
        settings = nodes[0]
        self.name = name
        self.topics = Topics(settings.prefix, name)
        self.stats = Stats()
        self.outbox = CountingOutbox(messages=settings.queue_events, size=settings.queue_bytes, stats=self.stats)
        self.made: list[str] = []
        """The id of each message, by sequence number from 1."""
        self.reconnections = 0
        self.connection: Connection | None = None
        self._targets = tuple(targets)
        self._states = States(self._targets)
        self._visit: Visit | None = None
        self._nodes, self._node, self._clock = nodes, first, clock
        self._backoff = Backoff(settings.retry_seconds, first_seconds=FIRST_SECONDS, jitter=chance)
        self._opened_at = 0.0
        self._kept = Kept()

    def hear(self, event: Event) -> None:
        """Make one message of an event, under the next sequence number."""
        self.made.append(event.id)
        event = replace(event, sequence=len(self.made))
        self._states.put(event)
        self.outbox.offer([message_of(event, device=self.name, boot=self._clock.boot)], saved=False)

    def health(self, uptime_seconds: float) -> None:
        """Tell how this board is; what could not be told before is forgotten."""
        self._kept.put(self.topics.health, encode({
            "schema": 1, "uptime_seconds": round(uptime_seconds, 1), "simulated": True, "messages": len(self.made),
            "dropped_events": self.stats.dropped_events}))

    def retained(self) -> list[str]:
        """The topics under which the broker keeps this board's last word."""
        return [self.topics.status, self.topics.health, *map(self.topics.state, self._targets)]

    def open(self, cancelled: Callable[[], bool]) -> Connection:
        """A new connection that stands. Waits; for a thread of its own. Raises EdgeError."""
        settings = self._nodes[self._node % len(self._nodes)]
        connection = Connection(settings, client_id=f"{settings.prefix}-{self.name}",
                                will=(self.topics.status, OFFLINE))
        try:
            connection.open(OPEN_SECONDS, cancelled)
        except EdgeError:
            connection.close()
            raise
        return connection

    def opened(self, connection: Connection, now: float) -> None:
        """The connection stands: what waits may go."""
        self.reconnections += self._opened_at > 0
        self.connection, self._opened_at = connection, now
        self._visit = Visit(connection, self.topics, self.outbox, self._states, self._clock, kept=self._kept)
        self._visit.begin()

    def exchange(self) -> None:
        """Receive what came, send what may be on its way; never waits. Raises SinkError where the connection is lost."""
        while self._visit is not None and self.connection is not None:
            self._visit.exchange(0.0)
            if not (self.connection.room and self.outbox.eager):
                break

    def lost(self, now: float) -> float:
        """The connection is gone or did not come; how many seconds to wait before the next address is tried."""
        ran = now - self._opened_at if self._visit is not None else 0.0
        if self._visit is not None:
            self._visit.close()
        self.connection = self._visit = None
        self._node += 1
        return self._backoff.pause_seconds(ran)

    def leave(self) -> None:
        """Say goodbye as the appliance does. Waits a second at most. Raises SinkError where the connection is lost."""
        visit, self._visit, self.connection = self._visit, None, None
        if visit is not None:
            try:
                visit.say_goodbye(0.0)
            finally:
                visit.close()
