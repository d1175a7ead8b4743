"""Events, states and health to an MQTT broker.

One thread of this sink connects, sends and waits; `event` only adds to a bounded queue. An event leaves the queue when
the broker has acknowledged it, so a broker that dies in between gets it again, under the same id.
"""

from __future__ import annotations

import contextlib
import logging
import random
import socket
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from edge.errors import SettingsError, SinkError
from edge.settings import MqttSettings
from edge.sinks.mqtt_connection import Connection
from edge.sinks.mqtt_protocol import Protocol
from edge.sinks.mqtt_queue import EventQueue, Waiting
from edge.sinks.mqtt_tls import INSECURE
from edge.stats import Stats
from edge.stream import Event
from edge.topics import OFF, OFFLINE, ON, ONLINE, Topics, encode, event_payload

LOG = logging.getLogger(__name__)

LATE_SECONDS = 5.0
"""An event sent so long after it happened is marked `late`."""

CONNECT_SECONDS = 5.0
"""How long to wait for the network, and then for the broker's answer."""

FLUSH_SECONDS = 2.0
"""How long `stop` goes on connecting and sending what waits; the goodbye after it has one second more."""

STOP_SECONDS = 4.0
"""How long `stop` takes at most, even if the search for the host name hangs."""

SETTLED_SECONDS = 10.0
"""A connection that held so long makes the next pause a short one again."""

SAY_SECONDS = 60.0
"""A broker that stays away is mentioned in the log at most once in so long."""


class MqttSink:
    """Publishes to one broker; connects again by itself. Raises SettingsError for names and secrets that cannot be used."""

    name = "mqtt"

    def __init__(self, settings: MqttSettings, device: str, targets: Sequence[str], stats: Stats, *,
                 utc: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic,
                 chance: Callable[[], float] = random.random) -> None:
        """targets: those whose states are published; utc, monotonic: clocks in seconds; chance: 0 to 1, for jitter."""
        if not settings.host:
            raise SettingsError("mqtt.host", found="nothing", wanted="the broker's name or address")
        Connection(settings, client_id=device)  # refuses what cannot be used before anything is opened
        self._settings = settings
        self._protocol = Protocol(settings.protocol)
        self._device = device
        self._topics = Topics(settings.prefix, device)
        for target in targets:
            self._topics.state(target)
        self._queue = EventQueue(targets, settings.queue_events, stats)
        self._utc, self._monotonic, self._chance = utc, monotonic, chance
        self._outgoing: deque[tuple[str, str]] = deque()
        self._sent: dict[int, Waiting] = {}
        self._health: str | None = None
        self._health_is_news = False
        self._state = "not started"
        self._said_at: float | None = None
        self._stopping = threading.Event()
        self._give_up_at = float("inf")
        self._bell: socket.socket | None = None
        self._ringer: socket.socket | None = None
        self._thread: threading.Thread | None = None

    @property
    def state(self) -> str:
        """"connected", "away: connection refused", "broker host:1883 refused: not authorized" and the like."""
        return self._state

    def start(self) -> None:
        """Begin to connect; a broker that is away is no error."""
        if self._settings.tls_insecure:
            LOG.warning("mqtt: %s", INSECURE)
        self._state = "connecting"
        self._bell, self._ringer = socket.socketpair()
        self._ringer.setblocking(False)
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)
        self._thread.start()

    def event(self, event: Event) -> None:
        """Queue one event; never waits for the broker."""
        self._queue.put(event)
        self._wake()

    def health(self, health: Mapping[str, object]) -> None:
        """Publish the newest health, retained; what the broker did not get before is forgotten."""
        self._health = encode(health)
        self._health_is_news = True
        self._wake()

    def stop(self) -> None:
        """Send what waits, say `offline` and goodbye; bounded in time, whatever the broker does. Safe twice."""
        self._give_up_at = min(self._give_up_at, self._monotonic() + FLUSH_SECONDS)
        self._stopping.set()
        self._wake()
        thread, self._thread = self._thread, None
        if thread is None:
            return
        thread.join(STOP_SECONDS)
        self._state = "stopped"
        if len(self._queue):
            LOG.warning("mqtt: %d events that the broker has not taken are lost", len(self._queue))

    def _wake(self) -> None:
        if self._ringer is not None:
            with contextlib.suppress(OSError):  # full: it will wake up anyway; closed: nobody is left to wake
                self._ringer.send(b"!")

    def _run(self) -> None:
        attempt = 0
        while attempt == 0 or not self._stopping.is_set():  # once at least: a short recording is over before we are in
            began = self._monotonic()
            try:
                connection = Connection(self._settings, client_id=f"{self._settings.prefix}-{self._device}",
                                        will=(self._topics.status, OFFLINE), protocol=self._protocol)
            except SettingsError as error:  # the password file was there at the start
                self._say_away(f"away: {error}")
            else:
                self._visit(connection)
            attempt = 1 if self._monotonic() - began >= SETTLED_SECONDS else attempt + 1
            self._stopping.wait(pause_seconds(attempt, self._settings.retry_seconds, self._chance()))
        for end in (self._bell, self._ringer):
            if end is not None:
                end.close()

    def _visit(self, connection: Connection) -> None:
        """One connection, from its opening to its end."""
        try:
            connection.open(CONNECT_SECONDS, lambda: self._monotonic() >= self._give_up_at)
            self._state, self._said_at = "connected", None
            LOG.info("mqtt: connected to %s with %s", connection.thing, connection.spoken)
            self._announce()
            while not self._stopping.is_set():
                self._exchange(connection, 1.0)
            self._say_goodbye(connection)
        except SinkError as error:
            self._say_away(f"{connection.thing} {error.found}" if connection.refused else f"away: {error.found}")
        finally:
            connection.close()
            self._queue.give_back(self._sent.values())
            self._sent.clear()
            self._outgoing.clear()

    def _announce(self) -> None:
        """What a broker must be told anew: it may have been another one, or have lost its memory."""
        self._outgoing.append((self._topics.status, ONLINE))
        self._announce_states()
        self._health_is_news = self._health is not None

    def _announce_states(self) -> None:
        for target, sounds in self._queue.states().items():
            self._outgoing.append((self._topics.state(target), ON if sounds else OFF))

    def _exchange(self, connection: Connection, timeout_seconds: float) -> None:
        """Send as much as may be on its way, then receive."""
        if self._health_is_news and self._health is not None:
            self._health_is_news = False
            self._outgoing.append((self._topics.health, self._health))
        if self._queue.state_lost and not self._outgoing:
            self._announce_states()
        while connection.room:
            if self._outgoing:
                topic, payload = self._outgoing.popleft()
                connection.publish(topic, payload, retain=True)
            elif (waiting := self._queue.take()) is not None:
                self._publish_event(connection, waiting)
            else:
                break
        connection.pump(timeout_seconds, self._bell)
        for number, refusal in connection.acknowledged():
            self._sent.pop(number, None)
            if refusal:
                self._state = f"connected, but {connection.thing} refuses messages: {refusal}"
                self._say(self._state)

    def _publish_event(self, connection: Connection, waiting: Waiting) -> None:
        event = waiting.event
        happened = event.started_at if event.ended_at is None else event.ended_at
        late = self._utc() - happened.timestamp() > LATE_SECONDS
        payload = encode(event_payload(event, device=self._device, late=late))
        self._sent[connection.publish(self._topics.event(event.target), payload, retain=False)] = waiting
        if self._queue.state_is_news(waiting):
            self._outgoing.append((self._topics.state(event.target), ON if event.phase == "start" else OFF))

    def _say_goodbye(self, connection: Connection) -> None:
        """The queue first, then OFF for what still sounds, `offline` and the goodbye, each for a bounded time."""
        self._exchange_until(connection, self._give_up_at)
        for target, sounds in self._queue.states().items():
            if sounds:
                self._outgoing.append((self._topics.state(target), OFF))
        self._outgoing.append((self._topics.status, OFFLINE))
        self._exchange_until(connection, self._monotonic() + 1.0)
        connection.disconnect()

    def _exchange_until(self, connection: Connection, deadline: float) -> None:
        while (self._outgoing or len(self._queue) or connection.unacknowledged) and self._monotonic() < deadline:
            self._exchange(connection, 0.1)

    def _say_away(self, state: str) -> None:
        if self._stopping.is_set():
            return
        if self._state.startswith("connected"):
            self._said_at = None
        self._state = state
        self._say(state)

    def _say(self, words: str) -> None:
        now = self._monotonic()
        if self._said_at is None or now - self._said_at >= SAY_SECONDS:
            self._said_at = now
            LOG.warning("mqtt: %s", words)


def pause_seconds(attempt: int, limit_seconds: float, chance: float) -> float:
    """How long to wait before attempt 1, 2, ...: 1 s, doubled each time up to the limit, of which a random half stays
    away, so that a house full of devices does not come back in the same instant. chance: 0 to 1."""
    longest = min(limit_seconds, 2.0 ** min(max(attempt - 1, 0), 30))
    return longest * (1.0 - chance / 2)


def check_broker(settings: MqttSettings, timeout_seconds: float = CONNECT_SECONDS) -> str:
    """Connect once and leave, under a name of its own, so that a running device is not disturbed; what was spoken.

    Raises SinkError saying why the broker cannot be used, SettingsError for a useless password file.
    """
    connection = Connection(settings, client_id=f"check-{uuid.uuid4().hex[:16]}")
    try:
        connection.open(timeout_seconds)
        spoken = connection.spoken
        connection.disconnect()
        return spoken
    finally:
        connection.close()
