"""Events, states and health to an MQTT broker.

One thread of this sink connects, sends and waits; `event` only notes a state. The messages come from the
outbox. A message leaves the outbox when the broker has acknowledged it. Until then each new connection sends
it again, under the same id.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Mapping

from edge.backoff import Backoff
from edge.clock import Clock
from edge.errors import SettingsError, SinkError
from edge.settings import MqttSettings
from edge.sinks.bucket import Bucket
from edge.sinks.mqtt.client import Received
from edge.sinks.mqtt.commands import MqttCommands
from edge.sinks.mqtt.connection import CONNECT_SECONDS, Connection
from edge.sinks.mqtt.discovery import Board
from edge.sinks.mqtt.doorbell import Doorbell
from edge.sinks.mqtt.retained import Retained
from edge.sinks.mqtt.states import Kept, States
from edge.sinks.mqtt.tls import INSECURE
from edge.sinks.mqtt.visit import Visit
from edge.sinks.outbox import Outbox
from edge.stream import Event
from edge.topics import OFF, OFFLINE, ON, encode

LOG = logging.getLogger(__name__)

FLUSH_SECONDS = 2.0
"""How long `stop` goes on connecting and sending; the goodbye may take one second more."""

STOP_SECONDS = 4.0
"""How long `stop` takes at most, even if the search for the host name hangs."""

FIRST_SECONDS = 1.0
"""The first pause before a lost broker is tried again, in seconds."""

SAY_SECONDS = 60.0
"""A broker that stays away or refuses messages is logged at most once in so many seconds."""

SAY_CHANGES, CHANGE_SECONDS = 6, 600.0
"""So many new connections are logged, then one in so many seconds: two devices of one name take the
connection from each other for ever."""


class MqttSink:
    """Publishes to one broker; connects again by itself. Raises SettingsError for unusable settings."""

    name = "mqtt"

    def __init__(self, settings: MqttSettings, board: Board, outbox: Outbox, *, commands: MqttCommands | None = None,
                 clock: Clock | None = None, monotonic: Callable[[], float] = time.monotonic,
                 chance: Callable[[], float] = random.random) -> None:
        """board: its topics, targets and pins; outbox: the messages to be sent; commands: takes in what
        others command; monotonic: seconds; chance: 0 to 1, for jitter."""
        if not settings.host:
            raise SettingsError("[mqtt] host", found="nothing", wanted="the broker's name or address")
        self._settings = settings
        self._board, self._topics = board, board.topics
        self._connection = Connection(settings, client_id=f"{self._topics.prefix}-{self._topics.device}",
                                      on_message=self._hear, will=(self._topics.status, OFFLINE))
        self._states = States(target.name for target in board.targets)
        self._kept = Kept()
        self._outbox, self._clock = outbox, clock or Clock()
        self._monotonic, self._chance = monotonic, chance
        self._commands = commands
        if commands is not None:
            commands.answered(self._wake)
        self._retain_anew()  # refuses names that are no topic levels before anything is opened
        self._state = "not started"
        self._said_at: float | None = None
        self._changes = Bucket(SAY_CHANGES, 1.0 / CHANGE_SECONDS, monotonic)
        self._flapping = False
        """Whether connections are made and lost so often that they are no longer logged."""
        self._stopping = threading.Event()
        self._give_up_at = float("inf")
        self._bell: Doorbell | None = None
        self._thread: threading.Thread | None = None

    @property
    def state(self) -> str:
        """For health: "connected", "away: connection refused; 12 messages wait", "broker host:1883 refused:
        why"."""
        waiting = len(self._outbox)
        return self._state + (f"; {waiting} messages wait" if waiting and not self._state.startswith("connected") else "")

    @property
    def waiting_messages(self) -> int:
        """Messages that the broker has not acknowledged."""
        return len(self._outbox)

    def start(self) -> None:
        """Begin to connect; a broker that is away is no error.

        Raises SinkError where the last run's thread has not come back, say from a search for the host name.
        """
        if self._thread is not None and self._thread.is_alive():
            raise SinkError(self.name, found="a thread that has not come back from the network", wanted="an answer to it")
        if self._settings.tls_insecure:
            LOG.warning("mqtt: %s", INSECURE)
        self._state = "connecting"
        self._stopping.clear()
        self._give_up_at = float("inf")
        self._bell = Doorbell()
        self._outbox.on_news = self._wake
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)
        self._thread.start()

    def event(self, event: Event) -> None:
        """Note the state; the message comes through the outbox."""
        self._states.put(event)

    def health(self, health: Mapping[str, object]) -> None:
        """Publish the newest health, retained. An older one that was not sent yet never is."""
        self._keep(self._topics.health, encode(health))

    def muted(self, on: bool) -> None:
        """Publish, retained, whether the device is muted; from any thread."""
        self._keep(self._topics.muted, ON if on else OFF)

    def pin(self, pin: str, on: bool) -> None:
        """Publish, retained, whether a pin is on; pin: as the settings name it. From any thread."""
        self._keep(self._topics.pin(pin), ON if on else OFF)

    def retarget(self, board: Board) -> None:
        """Take over other targets; in the listener's thread, before the first event of a new one."""
        self._states.retarget(target.name for target in board.targets)
        self._board, self._retargeted = board, True
        self._wake()

    def _keep(self, topic: str, payload: str) -> None:
        self._kept.put(topic, payload)
        self._wake()

    def stop(self) -> None:
        """Send what waits, then `offline` and a goodbye; takes STOP_SECONDS at most. Safe twice."""
        self._give_up_at = min(self._give_up_at, self._monotonic() + FLUSH_SECONDS)
        self._stopping.set()
        self._wake()
        if self._thread is not None:
            self._thread.join(STOP_SECONDS)
            self._state = "stopped"

    def _wake(self) -> None:
        if self._bell is not None:
            self._bell.ring()

    def _run(self) -> None:
        backoff = Backoff(self._settings.retry_seconds, first_seconds=FIRST_SECONDS, jitter=self._chance)
        while True:  # once at least: a short recording may be over before the broker has answered
            self._retain_anew()
            if self._stopping.wait(backoff.pause_seconds(self._visit())):
                break
        if self._bell is not None:
            self._bell.close()

    def _retain_anew(self) -> None:
        self._retargeted = False
        self._retained = Retained(self._board, discovery_prefix=self._settings.discovery_prefix,
                                  discovery=self._settings.discovery)

    def _hear(self, received: Received) -> None:
        self._retained.hear(received.topic, received.text, received.retained)
        if self._commands is not None:
            self._commands.receive(received)

    def _visit(self) -> float:
        """Open one connection and use it until its end.

        Returns the seconds from the broker's CONNACK to the end; 0 without a CONNACK, however long the search
        for the host name or the wait for the broker took.
        """
        taken_in_at: float | None = None
        connection = self._connection
        visit = Visit(connection, self._topics, self._outbox, self._states, self._clock, bell=self._bell,
                      retained=self._retained, commands=self._commands, kept=self._kept, monotonic=self._monotonic)
        try:
            connection.open(CONNECT_SECONDS, lambda: self._monotonic() >= self._give_up_at)
            taken_in_at = self._monotonic()
            self._state = "connected"
            self._say_connected()
            visit.begin()
            while not self._stopping.is_set():
                if self._retargeted:
                    self._retain_anew()
                    visit.retarget(self._retained)
                visit.exchange(1.0)
                self._state = "connected"
                refusal, topic = visit.refusal
                if refusal:
                    self._state += f", but {connection.thing} refuses messages: {refusal}"
                    self._say(f"{self._state}: {topic}")
            visit.say_goodbye(self._give_up_at)
        except SettingsError as error:  # the password file was there at the start
            self._say_away(f"away: {error}")
        except SinkError as error:
            if connection.refused:
                self._say_away(f"{connection.thing} {error.found}")
            else:
                self._say_away(f"away: {error.found}", f"{connection.thing} is away: {error.found}")
        finally:
            visit.close()
        return 0.0 if taken_in_at is None else self._monotonic() - taken_in_at

    def _say_connected(self) -> None:
        thing = self._connection.thing
        before, self._flapping = self._flapping, not self._changes.take()
        if not self._flapping:
            LOG.info("mqtt: connected to %s with %s; topics begin with %s/%s/", thing, self._connection.spoken,
                     self._topics.prefix, self._topics.device)
        elif not before:
            LOG.warning("mqtt: the connection to %s is lost and made again and again; not every time is said", thing)

    def _say_away(self, state: str, words: str = "") -> None:
        if self._stopping.is_set():
            return
        if self._state.startswith("connected"):
            self._said_at = self._monotonic() if self._flapping else None
        self._state = state
        self._say(words or state)

    def _say(self, words: str) -> None:
        now = self._monotonic()
        if self._said_at is None or now - self._said_at >= SAY_SECONDS:
            self._said_at = now
            LOG.warning("mqtt: %s", words)
