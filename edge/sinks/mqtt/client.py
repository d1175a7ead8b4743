"""MQTT packets out and in over one connection, and what was heard. The one file that imports paho.

paho's own thread and its endless queue in memory are not used: whoever owns a client calls `service` and
keeps what is not acknowledged yet.
"""

from __future__ import annotations

import socket
import ssl
import struct
import sys
import time
from dataclasses import dataclass

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, MQTTv5, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import MQTTException, Properties  # type: ignore[attr-defined]  # 2.1 has it nowhere else
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from edge.sinks.mqtt.tls import last_words

UNACKNOWLEDGED_LIMIT = 20
"""Messages that may be on their way at once; a broker's own "receive maximum" may lower it."""

LONGEST_PACKET = 1_048_576
"""Bytes of the longest packet that is taken in, so that nobody can fill our memory by publishing. A broker
that speaks MQTT 5 is told, and does not send longer packets; in 3.1.1 they are read and thrown away."""

OVERHEAD_BYTES = 16
"""Bytes of a PUBLISH packet beside topic, payload and correlation data, at most."""


@dataclass(frozen=True, slots=True)
class Received:
    """A message that arrived.

    retained: the broker had kept the message, so nobody knows when it was sent. response_topic, correlation:
    where and with what mark the sender wants an answer (MQTT 5); empty where it does not say.
    """

    topic: str
    payload: bytes
    retained: bool = False
    response_topic: str = ""
    correlation: bytes = b""

    @property
    def text(self) -> str:
        """The payload as text; bytes that are no UTF-8 are replaced."""
        return self.payload.decode(errors="replace")


class MqttClient:
    """For one thread. `begin` comes before each connection, and leaves nothing of the one before."""

    def begin(self, version: str, client_id: str, context: ssl.SSLContext | None, *, user: str, password: str | None,
              will: tuple[str, str] | None, keep_session: bool) -> None:
        """Say who we are.

        version: "5" or "3.1.1"; context: how to encrypt, None: not at all; will: (topic, payload) that the
        broker publishes, retained, when the connection breaks; keep_session: the broker keeps messages while
        we are away (3.1.1 only; else every connection starts clean, for the queue is ours).
        """
        self.version = version
        """The MQTT version that is spoken."""
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=client_id, reconnect_on_failure=False,
                              protocol=MQTTv5 if version == "5" else MQTTv311,
                              clean_session=None if version == "5" else not keep_session)
        if user:
            self._client.username_pw_set(user, password)
        if context is not None:
            self._client.tls_set_context(context)
        if will is not None:
            self._client.will_set(*will, qos=1, retain=True)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = lambda _client, _data, number, reason, _properties: self._answered(number, [reason])
        self._client.on_subscribe = self._client.on_unsubscribe = self._on_subscribe
        self._client.on_message = self._on_message
        self._client.on_log = self._on_log
        self.answer: str | None = None
        """The broker's word on our CONNECT, in lower case; None before the CONNACK."""
        self.refused = False
        """Whether the broker answered, and said no."""
        self.end: tuple[str, bool] | None = None
        """Why the connection ended, and whether the broker said so."""
        self.error_below: BaseException | None = None
        """What went wrong in the network or in TLS, as far as it is known."""
        self._limit = UNACKNOWLEDGED_LIMIT
        self._on_their_way: dict[int, float] = {}
        self._acknowledged: list[tuple[int, str]] = []
        self.received: list[Received] = []
        """What has arrived; whoever takes it clears it."""
        self._largest = float("inf")
        self._unsent = 0

    @property
    def socket(self) -> socket.socket | None:
        """The connection, or None where there is none (any more)."""
        sock = self._client.socket()
        return sock if isinstance(sock, socket.socket) else None

    @property
    def wants_write(self) -> bool:
        """Whether something waits to be sent, so that a poll should ask for room to write, too."""
        return self._client.want_write()

    @property
    def unacknowledged(self) -> int:
        """Messages on their way, and subscriptions."""
        return len(self._on_their_way)

    @property
    def room(self) -> bool:
        """Whether one more message may go on its way."""
        return self.unacknowledged < self._limit

    @property
    def waited_seconds(self) -> float:
        """Seconds since the oldest unacknowledged message or subscription was sent; 0 where there is none."""
        return time.monotonic() - min(self._on_their_way.values()) if self._on_their_way else 0.0

    def connect(self, host: str, port: int, keepalive_seconds: int, *, timeout_seconds: float) -> None:
        """Connect, encrypt, and say CONNECT. Raises OSError, or ValueError for a host name that is none."""
        properties = None
        if self.version == "5":
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.MaximumPacketSize = LONGEST_PACKET
        self._client.connect_timeout = timeout_seconds
        self._client.connect(host, port, keepalive_seconds, properties=properties)
        if (sock := self.socket) is not None:
            # Nagle's algorithm would hold a small packet until TCP acknowledges the one before: up to 40 ms.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def publish(self, topic: str, payload: str, *, retain: bool, correlation: bytes = b"") -> int:
        """Send at QoS 1, without waiting; the number under which `acknowledged` tells of it.

        correlation: MQTT 5's correlation data, for an answer; 3.1.1 has no place for it. A packet longer than
        the broker accepts is not sent, for the broker would end the connection; it counts as refused.
        """
        size = len(topic.encode()) + len(payload.encode()) + len(correlation) + OVERHEAD_BYTES
        if size > self._largest:
            self._unsent -= 1
            self._acknowledged.append((self._unsent, f"packet too large ({size} bytes, it takes {self._largest})"))
            return self._unsent
        properties = None
        if correlation and self.version == "5":
            properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            properties.CorrelationData = correlation
        return self._asked(self._client.publish(topic, payload, qos=1, retain=retain, properties=properties).mid)

    def subscribe(self, pattern: str, *, own: bool = True) -> int:
        """Ask for messages, at QoS 1; acknowledged like a message. 0 where the connection is lost.

        own: what this client publishes itself comes, too. Only MQTT 5 can leave that out.
        """
        options = SubscribeOptions(qos=1, noLocal=not own) if self.version == "5" else None
        return self._asked(self._client.subscribe(pattern, 0 if options else 1, options)[1])

    def unsubscribe(self, pattern: str) -> int:
        """Ask for no more of such messages; acknowledged like a message. 0 where the connection is lost."""
        return self._asked(self._client.unsubscribe(pattern)[1])

    def acknowledged(self) -> list[tuple[int, str]]:
        """What the broker has taken or refused since the last call: (number, "" or why it was refused)."""
        taken, self._acknowledged = self._acknowledged, []
        return taken

    def service(self, *, readable: bool) -> None:
        """Send and receive without waiting. Raises OSError, or ValueError for what is no MQTT."""
        try:
            if readable:
                self._client.loop_read()
            if self._client.want_write():
                self._client.loop_write()
            self._client.loop_misc()
        except (LookupError, MQTTException, struct.error) as error:  # paho 2.1 raises whatever it stumbles over
            raise ValueError(f"{type(error).__name__}: {error}") from error

    def disconnect(self) -> None:
        """Say goodbye, so that the broker keeps the will to itself, and close."""
        if self.socket is not None:
            self._client.disconnect()
        self.close()

    def close(self) -> None:
        """Close without a goodbye: the broker publishes the will. Safe twice."""
        if (sock := self.socket) is not None:
            sock.close()

    def _asked(self, number: int | None) -> int:
        if number:
            self._on_their_way[number] = time.monotonic()
        return number or 0

    def _on_connect(self, _client: Client, _data: object, _flags: ConnectFlags, reason: ReasonCode,
                    properties: Properties | None) -> None:
        self.answer, self.refused = str(reason).lower(), reason.is_failure
        self._limit = min(self._limit, getattr(properties, "ReceiveMaximum", self._limit))
        self._largest = getattr(properties, "MaximumPacketSize", self._largest)

    def _on_disconnect(self, _client: Client, _data: object, flags: DisconnectFlags, reason: ReasonCode,
                       _properties: Properties | None) -> None:
        self.end = str(reason).lower(), flags.is_disconnect_packet_from_server

    def _on_subscribe(self, _client: Client, _data: object, number: int, reasons: list[ReasonCode],
                      _properties: Properties | None) -> None:
        self._answered(number, reasons)

    def _answered(self, number: int, reasons: list[ReasonCode]) -> None:
        self._on_their_way.pop(number, None)
        self._acknowledged.append((number, ", ".join(str(reason).lower() for reason in reasons if reason.is_failure)))

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        if len(message.payload) > LONGEST_PACKET:
            return
        asked = message.properties
        self.received.append(Received(message.topic, bytes(message.payload), message.retain,
                                       getattr(asked, "ResponseTopic", ""), getattr(asked, "CorrelationData", b"")))

    def _on_log(self, _client: Client, _data: object, _level: int, _words: str) -> None:
        """paho tells of errors below it, such as what TLS was told by the broker, in its log only."""
        error = sys.exc_info()[1]
        if error is not None:
            self.error_below = last_words(self._client.socket(), error)
