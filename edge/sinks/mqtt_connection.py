"""One connection to an MQTT broker. The one file that imports paho.

paho's own thread and its endless in-memory queue are not used: whoever owns a Connection calls `pump`, keeps what is
not yet acknowledged, and makes a new Connection after a lost one, so nothing of the old one lingers.
"""

from __future__ import annotations

import socket
import ssl
import struct
import sys
import time
from collections.abc import Callable

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, MQTTv5, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge.errors import SinkError
from edge.settings import MqttSettings
from edge.sinks import mqtt_words as words
from edge.sinks.mqtt_protocol import Protocol
from edge.sinks.mqtt_secrets import read_password
from edge.sinks.mqtt_tls import last_words, tls_context
from edge.sinks.mqtt_wait import wait

UNACKNOWLEDGED_LIMIT = 20
"""Messages that may be on their way at once; a broker's own "receive maximum" may lower it."""

YOUNG_SECONDS = 10.0
"""A broker drops the older of two clients of one name, some without a word: how soon a loss may mean that."""


class Connection:
    """From CONNECT to the end. For one thread; only `open` waits."""

    def __init__(self, settings: MqttSettings, *, client_id: str, will: tuple[str, str] | None = None,
                 on_message: Callable[[str, str, bool], None] | None = None, protocol: Protocol | None = None) -> None:
        """will: (topic, payload) that the broker publishes, retained, when this connection breaks; on_message: told
        (topic, payload, retained) of what arrives; protocol: what is known of the broker from connections before.

        Raises SettingsError where the password, a certificate or a key cannot be used."""
        self._settings = settings
        self._client_id, self._will, self._tell = client_id, will, on_message
        self._protocol = protocol or Protocol(settings.protocol)
        self._password = read_password(settings)
        self._context = tls_context(settings)
        self._opened_at = float("-inf")
        self._prepare(self._protocol.versions()[0])

    def _prepare(self, version: str) -> None:
        """A client that speaks `version`, and nothing heard yet."""
        self._version = version
        # A new client's first connection starts clean in both versions: the broker keeps no session for us, for the
        # queue is ours.
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=self._client_id, reconnect_on_failure=False,
                              protocol=MQTTv5 if version == "5" else MQTTv311)
        if self._settings.user:
            self._client.username_pw_set(self._settings.user, self._password)
        if self._context is not None:
            self._client.tls_set_context(self._context)
        if self._will is not None:
            self._client.will_set(self._will[0], self._will[1], qos=1, retain=True)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = self._on_publish
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        self._client.on_log = self._on_log
        self._answer: ReasonCode | None = None
        self._end = words.LOST
        self._error_below: BaseException | None = None
        self._called = False
        self._limit = UNACKNOWLEDGED_LIMIT
        self._unacknowledged: set[int] = set()
        self._acknowledged: list[tuple[int, str]] = []

    @property
    def thing(self) -> str:
        """What errors are about: "broker 192.168.1.2:1883"."""
        return f"broker {self._settings.host}:{self._settings.tcp_port}"

    @property
    def spoken(self) -> str:
        """What is spoken on it: "MQTT 5", "MQTT 3.1.1 over TLSv1.3"."""
        sock = self._client.socket()
        over = f" over {sock.version()}" if isinstance(sock, ssl.SSLSocket) else ""
        return f"MQTT {self._version}{over}"

    @property
    def refused(self) -> bool:
        """Whether the broker answered, and said no."""
        return self._answer is not None and self._answer.is_failure

    @property
    def room(self) -> bool:
        """Whether one more message may go on its way."""
        return len(self._unacknowledged) < self._limit

    @property
    def unacknowledged(self) -> int:
        """Messages on their way."""
        return len(self._unacknowledged)

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
        self._client.connect_timeout = timeout_seconds
        try:
            self._client.connect(self._settings.host, self._settings.tcp_port, self._settings.keepalive_seconds)
            self._called = True
            deadline = time.monotonic() + timeout_seconds
            while self._answer is None and not cancelled():
                if time.monotonic() >= deadline:
                    raise self._error(f"no answer within {timeout_seconds:g} s")
                self.pump(min(0.2, timeout_seconds))
        except SinkError:
            if not self.refused:
                raise
        except (OSError, ValueError) as error:  # ValueError: a host name that is none
            self._error_below = error
            raise self._error(words.network_words(error, timeout_seconds)) from error
        if self._answer is None:
            raise self._error("no answer before the program was stopped")
        if self._answer.is_failure:
            raise self._error(words.refusal_words(str(self._answer).lower(), self._version))
        self._opened_at = time.monotonic()

    def publish(self, topic: str, payload: str, *, retain: bool) -> int:
        """Send at QoS 1, without waiting; the number under which `acknowledged` tells of it."""
        number = self._client.publish(topic, payload, qos=1, retain=retain).mid
        self._unacknowledged.add(number)
        return number

    def subscribe(self, pattern: str) -> None:
        """Ask for messages, at QoS 1; acknowledged like a message."""
        number = self._client.subscribe(pattern, qos=1)[1]
        if number is not None:
            self._unacknowledged.add(number)

    def acknowledged(self) -> list[tuple[int, str]]:
        """What the broker has taken or refused since the last call: (number, "" or why it was refused)."""
        taken, self._acknowledged = self._acknowledged, []
        return taken

    def pump(self, timeout_seconds: float, wake: socket.socket | None = None) -> None:
        """Send and receive what can be; returns after `timeout_seconds` at the latest, or when `wake` has something
        to read (which is read). To be called at least once a second. Raises SinkError when the connection is lost."""
        sock = self._client.socket()
        if sock is None:
            raise self._error(self._end)
        ready = wait(sock, wake, timeout_seconds, sending=self._client.want_write())
        try:
            if ready.reading:
                self._client.loop_read()
            if self._client.want_write():
                self._client.loop_write()
            self._client.loop_misc()
        except (OSError, ValueError, struct.error) as error:
            raise self._error(f"an answer that is not MQTT ({error})") from error
        if wake is not None and ready.rung:
            wake.recv(65_536)
        if self._client.socket() is None:
            raise self._error(self._end)

    def disconnect(self) -> None:
        """Say goodbye, so that the broker keeps the will to itself, and close."""
        if self._client.socket() is not None:
            self._client.disconnect()
        self.close()

    def close(self) -> None:
        """Close without a goodbye: the broker publishes the will. Safe twice."""
        sock = self._client.socket()
        if sock is not None:
            sock.close()

    @property
    def _unspoken(self) -> bool:
        """Whether it may be the MQTT version that the broker did not like: it said so, or hung up without a word."""
        if self._answer is not None:
            return str(self._answer).lower() == words.UNSUPPORTED
        return self._called and self._client.socket() is None and self._end == words.LOST and self._trouble is None

    @property
    def _trouble(self) -> words.Trouble | None:
        """What went wrong in TLS, if that is what went wrong."""
        if not self._settings.tls:
            return None
        return words.tls_trouble(self._error_below, host=self._settings.host, shaking_hands=not self._called)

    def _error(self, found: str) -> SinkError:
        wanted = words.LOGIN_WANTED if self.refused and not self._unspoken else words.BROKER_WANTED
        if self._trouble is not None:
            found, wanted = self._trouble
        elif found == words.LOST:
            found = words.lost_words(self._settings, answered=self._answer is not None,
                               young=time.monotonic() - self._opened_at < YOUNG_SECONDS)
        return SinkError(self.thing, found=found, wanted=wanted)

    def _on_connect(self, _client: Client, _data: object, _flags: ConnectFlags, reason: ReasonCode,
                    properties: Properties | None) -> None:
        self._answer = reason
        self._limit = min(self._limit, getattr(properties, "ReceiveMaximum", self._limit))

    def _on_disconnect(self, _client: Client, _data: object, flags: DisconnectFlags, reason: ReasonCode,
                       _properties: Properties | None) -> None:
        self._end = words.end_words(str(reason).lower(), self._settings, from_broker=flags.is_disconnect_packet_from_server)

    def _on_publish(self, _client: Client, _data: object, number: int, reason: ReasonCode,
                    _properties: Properties) -> None:
        self._unacknowledged.discard(number)
        self._acknowledged.append((number, str(reason).lower() if reason.is_failure else ""))

    def _on_subscribe(self, _client: Client, _data: object, number: int, reasons: list[ReasonCode],
                      _properties: Properties) -> None:
        self._unacknowledged.discard(number)
        self._acknowledged.append((number, ", ".join(str(reason).lower() for reason in reasons if reason.is_failure)))

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        if self._tell is not None:
            self._tell(message.topic, message.payload.decode(errors="replace"), message.retain)

    def _on_log(self, _client: Client, _data: object, _level: int, _words: str) -> None:
        """paho tells of errors below it, such as what TLS was told by the broker, in its log only."""
        error = sys.exc_info()[1]
        if error is not None:
            self._error_below = last_words(self._client.socket(), error)
