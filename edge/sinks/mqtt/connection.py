"""One connection to an MQTT broker, from CONNECT to the end: what went wrong is said in words that name the setting."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable

from edge.errors import SinkError
from edge.settings import MqttSettings
from edge.sinks.mqtt import words
from edge.sinks.mqtt.client import Identity, MqttClient, Received
from edge.sinks.mqtt.protocol import Protocol
from edge.sinks.mqtt.secrets import read_password
from edge.sinks.mqtt.tls import tls_context
from edge.sinks.mqtt.wait import wait

YOUNG_SECONDS = 10.0
"""A broker drops the older of two clients of one name, some without a word: how soon a loss may mean that."""

RECORD_PACKETS = 1000
"""Packets read at once, at most, of what TLS has decrypted: a record holds 16 kB."""


ACKNOWLEDGE_SECONDS = 120.0
"""A broker that has not acknowledged a message for so long never will on this connection (NATS without a quorum does not):
on a new one it is sent again."""


class Connection:
    """For one thread; only `open` and `pump` wait."""

    def __init__(self, settings: MqttSettings, *, client_id: str, will: tuple[str, str] | None = None,
                 on_message: Callable[[str, str, bool], None] | None = None, protocol: Protocol | None = None,
                 keep_session: bool = False, on_received: Callable[[Received], None] | None = None) -> None:
        """will: (topic, payload) that the broker publishes, retained, when this connection breaks; on_message: told
        (topic, payload, retained) of what arrives; protocol: what is known of the broker from connections before;
        keep_session: the broker keeps messages for a subscriber that is away (MQTT 3.1.1 only); on_received: told all of
        what arrives, and how it may be answered.

        Raises SettingsError where the password, a certificate or a key cannot be used."""
        self._settings, self._tell, self._tell_all = settings, on_message, on_received
        self._protocol = protocol or Protocol(settings.protocol)
        self._identity = Identity(client_id, settings.user, read_password(settings), will, keep_session)
        self._context = tls_context(settings)
        self._opened_at = float("-inf")
        self._prepare(self._protocol.versions()[0])

    def _prepare(self, version: str) -> None:
        """A client that speaks `version`, and nothing heard yet."""
        self._client = MqttClient(version, self._identity, self._context)
        self._called = False

    @property
    def thing(self) -> str:
        """What errors are about: "broker 192.168.1.2:1883"."""
        return f"broker {self._settings.host}:{self._settings.tcp_port}"

    @property
    def spoken(self) -> str:
        """What is spoken on it: "MQTT 5", "MQTT 3.1.1 over TLSv1.3"."""
        sock = self._client.socket
        over = f" over {sock.version()}" if isinstance(sock, ssl.SSLSocket) else ""
        return f"MQTT {self._client.version}{over}"

    @property
    def refused(self) -> bool:
        """Whether the broker answered, and said no."""
        return self._client.refused

    @property
    def room(self) -> bool:
        """Whether one more message may go on its way."""
        return self.unacknowledged < self._client.limit

    @property
    def unacknowledged(self) -> int:
        """Messages on their way."""
        return self._client.unacknowledged

    @property
    def wants_write(self) -> bool:
        """Whether something waits to be sent, so that a poll should ask for room to write, too."""
        return self._client.wants_write

    def open(self, timeout_seconds: float, cancelled: Callable[[], bool] = lambda: False) -> None:
        """Connect and wait for the broker's answer, with protocol "auto" once more in the other version where it does
        not speak the first. timeout_seconds: for the network with TLS, and again for the answer.

        Raises SinkError: away, refused, not the right certificate, no broker, or cancelled.
        """
        first, *others = self._protocol.versions()
        self._prepare(first)
        try:
            self._open(timeout_seconds, cancelled)
        except SinkError:
            if not others or not self._unspoken or cancelled():
                raise
        else:
            return
        refused = self.refused
        self._prepare(others[0])
        self._open(timeout_seconds, cancelled)
        self._protocol.took(self.thing, others[0], refused=refused)

    def _open(self, timeout_seconds: float, cancelled: Callable[[], bool]) -> None:
        client, settings = self._client, self._settings
        try:
            client.connect(settings.host, settings.tcp_port, settings.keepalive_seconds, timeout_seconds=timeout_seconds)
            self._called = True
            deadline = time.monotonic() + timeout_seconds
            while client.answer is None and not cancelled():
                if time.monotonic() >= deadline:
                    raise self._error(f"no answer within {timeout_seconds:g} s")
                self.pump(min(0.2, timeout_seconds))
        except SinkError:
            if not client.refused:
                raise
        except (OSError, ValueError) as error:  # ValueError: a host name that is none
            client.error_below = error
            raise self._error(words.network_words(error, timeout_seconds)) from error
        if client.answer is None:
            raise self._error("no answer before the program was stopped")
        if client.refused:
            raise self._error(words.refusal_words(client.answer, client.version))
        self._opened_at = time.monotonic()

    def publish(self, topic: str, payload: str, *, retain: bool, correlation: bytes = b"") -> int:
        """Send at QoS 1, without waiting; the number under which `acknowledged` tells of it. correlation: MQTT 5's own."""
        return self._client.publish(topic, payload, retain=retain, correlation=correlation)

    def subscribe(self, pattern: str, *, own: bool = True) -> int:
        """Ask for messages, at QoS 1; acknowledged like a message, under this number. own: what we publish comes, too."""
        return self._client.subscribe(pattern, own=own)

    def unsubscribe(self, pattern: str) -> int:
        """Ask for no more of them; acknowledged like a message, under this number."""
        return self._client.unsubscribe(pattern)

    def acknowledged(self) -> list[tuple[int, str]]:
        """What the broker has taken or refused since the last call: (number, "" or why it was refused)."""
        return self._client.acknowledged()

    def pump(self, timeout_seconds: float, wake: socket.socket | None = None) -> None:
        """Send and receive what can be; returns after `timeout_seconds` at the latest, or when `wake` has something
        to read (which is read). To be called at least once a second. Raises SinkError when the connection is lost."""
        sock = self._client.socket
        if sock is None:
            raise self._error(self._end)
        ready = wait(sock, wake, timeout_seconds, sending=self.wants_write)
        if wake is not None and ready.rung:
            wake.recv(65_536)
        self.service(readable=ready.reading)

    def fileno(self) -> int:
        """Its socket, for a poll over many connections (else `pump` does it all). Raises SinkError where it is lost."""
        sock = self._client.socket
        if sock is None:
            raise self._error(self._end)
        return sock.fileno()

    def service(self, *, readable: bool) -> None:
        """Send and receive what can be, without waiting. readable: the poll says that something arrived. To be called
        at least once a second. Raises SinkError when the connection is lost."""
        try:
            self._client.service(readable=readable)
            for _ in range(RECORD_PACKETS):
                if not isinstance(sock := self._client.socket, ssl.SSLSocket) or not sock.pending():
                    break
                self._client.service(readable=True)  # what TLS has decrypted no poll would tell
        except (OSError, ValueError) as error:
            raise self._error(f"an answer that is not MQTT ({error})") from error
        for received in self._client.received():  # told here, where no bug of ours is taken for the broker's
            if self._tell is not None:
                self._tell(received.topic, received.payload.decode(errors="replace"), received.retained)
            if self._tell_all is not None:
                self._tell_all(received)
        if self._client.socket is None:
            raise self._error(self._end)
        if self._client.waited_seconds > ACKNOWLEDGE_SECONDS:
            raise self._error(f"no acknowledgement for {ACKNOWLEDGE_SECONDS:g} s")

    def disconnect(self) -> None:
        """Say goodbye, so that the broker keeps the will to itself, and close."""
        self._client.disconnect()
        self.close()

    def close(self) -> None:
        """Close without a goodbye: the broker publishes the will. Safe twice."""
        self._client.close()

    @property
    def _end(self) -> str:
        """Why the connection is lost."""
        if self._client.end is None:
            return words.LOST
        reason, from_broker = self._client.end
        return words.end_words(reason, self._settings, from_broker=from_broker)

    @property
    def _unspoken(self) -> bool:
        """Whether it may be the MQTT version that the broker did not like: it said so, or hung up without a word."""
        if self._client.answer is not None:
            return self._client.answer == words.UNSUPPORTED
        return self._called and self._client.socket is None and self._end == words.LOST and self._trouble is None

    @property
    def _trouble(self) -> words.Trouble | None:
        """What went wrong in TLS, if that is what went wrong."""
        if not self._settings.tls:
            return None
        return words.tls_trouble(self._client.error_below, host=self._settings.host, shaking_hands=not self._called)

    def _error(self, found: str) -> SinkError:
        wanted = words.LOGIN_WANTED if self.refused and not self._unspoken else words.BROKER_WANTED
        if self._trouble is not None:
            found, wanted = self._trouble
        elif found == words.LOST:
            found = words.lost_words(self._settings, answered=self._client.answer is not None,
                                     young=time.monotonic() - self._opened_at < YOUNG_SECONDS)
        return SinkError(self.thing, found=found, wanted=wanted)
