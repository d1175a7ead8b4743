"""One connection to an MQTT broker. The one file that imports paho.

paho's own thread and its endless in-memory queue are not used: whoever owns a Connection calls `pump`, keeps what is
not yet acknowledged, and makes a new Connection after a lost one, so nothing of the old one lingers.
"""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, MQTTv5, MQTTv311
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge.errors import SettingsError, SinkError
from edge.settings import MqttSettings

UNACKNOWLEDGED_LIMIT = 20
"""Messages that may be on their way at once; a broker's own "receive maximum" may lower it."""

YOUNG_SECONDS = 10.0
"""A broker drops the older of two clients of one name, some without a word: how soon a loss may mean that."""


class Connection:
    """From CONNECT to the end. For one thread; only `open` waits."""

    def __init__(self, settings: MqttSettings, *, client_id: str, will: tuple[str, str] | None = None,
                 on_message: Callable[[str, str, bool], None] | None = None, keep_session: bool = False) -> None:
        """will: (topic, payload) that the broker publishes, retained, when this connection breaks; on_message: told
        (topic, payload, retained) of what arrives; keep_session: the broker keeps messages for a subscriber that is
        away (MQTT 3.1.1 only). Raises SettingsError where the password file cannot be used."""
        self._settings = settings
        # Else a new client's first connection starts clean in both versions: the queue is ours, not the broker's.
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=client_id, reconnect_on_failure=False,
                              protocol=MQTTv5 if settings.protocol == "5" else MQTTv311,
                              clean_session=None if settings.protocol == "5" else not keep_session)
        password = read_password(settings)
        if settings.user:
            self._client.username_pw_set(settings.user, password)
        if will is not None:
            self._client.will_set(will[0], will[1], qos=1, retain=True)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = self._on_publish
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        self._tell = on_message
        self._answer: ReasonCode | None = None
        self._opened_at = float("-inf")
        self._end = "connection lost"
        self._limit = UNACKNOWLEDGED_LIMIT
        self._unacknowledged: set[int] = set()
        self._acknowledged: list[tuple[int, str]] = []

    @property
    def thing(self) -> str:
        """What errors are about: "broker 192.168.1.2:1883"."""
        return f"broker {self._settings.host}:{self._settings.port}"

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
        """Connect and wait for the broker's answer. Raises SinkError: away, refused, no broker, or cancelled."""
        deadline = time.monotonic() + timeout_seconds
        self._client.connect_timeout = timeout_seconds
        try:
            self._client.connect(self._settings.host, self._settings.port, self._settings.keepalive_seconds)
            while self._answer is None and not cancelled():
                if time.monotonic() >= deadline:
                    raise self._error(f"no answer within {timeout_seconds:g} s")
                self.pump(min(0.2, timeout_seconds))
        except SinkError:
            if not self.refused:
                raise
        except (OSError, ValueError) as error:  # ValueError: a host name that is none
            raise self._error(_network_words(error, timeout_seconds)) from error
        if self._answer is None:
            raise self._error("no answer before the program was stopped")
        if self._answer.is_failure:
            raise self._error(f"refused: {self._refusal()}")
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
        line = self.fileno()
        poll = select.poll()
        poll.register(line, select.POLLIN | (select.POLLOUT if self.wants_write else 0))
        if wake is not None:
            poll.register(wake.fileno(), select.POLLIN)
        ready = dict(poll.poll(max(timeout_seconds, 0.0) * 1000))
        self.service(readable=bool(ready.get(line, 0) & ~select.POLLOUT))
        if wake is not None and wake.fileno() in ready:
            wake.recv(65_536)

    def fileno(self) -> int:
        """Its socket, for a poll over many connections (else `pump` does it all). Raises SinkError where it is lost."""
        sock = self._client.socket()
        if sock is None:
            raise self._error(self._end)
        return sock.fileno()

    @property
    def wants_write(self) -> bool:
        """Whether something waits to be sent, so that such a poll should ask for room to write, too."""
        return self._client.want_write()

    def service(self, *, readable: bool) -> None:
        """What `pump` does after its poll: receive if `readable`, send, give signs of life. Never waits; to be called
        at least once a second. Raises SinkError when the connection is lost."""
        try:
            if readable:
                self._client.loop_read()
            if self._client.want_write():
                self._client.loop_write()
            self._client.loop_misc()
        except (OSError, ValueError, struct.error) as error:
            raise self._error(f"an answer that is not MQTT ({error})") from error
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

    def _error(self, found: str) -> SinkError:
        if found == "connection lost" and time.monotonic() - self._opened_at < YOUNG_SECONDS:
            found += " soon after it was made (another device with this device.name?)"
        elif found == "connection lost" and self._answer is None:
            found = f"connection closed instead of an answer (mqtt.protocol = \"{self._other_protocol}\" may help)"
        wanted = "mqtt.user and mqtt.password_file as the broker knows them" if self.refused else \
            "an MQTT broker at mqtt.host and mqtt.port"
        return SinkError(self.thing, found=found, wanted=wanted)

    def _refusal(self) -> str:
        reason = str(self._answer).lower()
        if reason == "unsupported protocol version":
            return f"it does not speak MQTT {self._settings.protocol}; set mqtt.protocol = \"{self._other_protocol}\""
        return reason

    @property
    def _other_protocol(self) -> str:
        return "3.1.1" if self._settings.protocol == "5" else "5"

    def _on_connect(self, _client: Client, _data: object, _flags: ConnectFlags, reason: ReasonCode,
                    properties: Properties | None) -> None:
        self._answer = reason
        self._limit = min(self._limit, getattr(properties, "ReceiveMaximum", self._limit))

    def _on_disconnect(self, _client: Client, _data: object, flags: DisconnectFlags, reason: ReasonCode,
                       _properties: Properties | None) -> None:
        words = str(reason).lower()
        if flags.is_disconnect_packet_from_server:
            hint = " (another device with this device.name?)" if words == "session taken over" else ""
            self._end = f"closed by the broker: {words}{hint}"
        elif words == "keep alive timeout":
            self._end = f"no sign of life for {self._settings.keepalive_seconds} s"

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


def _network_words(error: Exception, timeout_seconds: float) -> str:
    if isinstance(error, socket.gaierror):
        return "host name not found"
    if isinstance(error, TimeoutError):
        return f"no answer within {timeout_seconds:g} s"
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    return f"not a host name ({error})"


def read_password(settings: MqttSettings) -> str | None:
    """The first line of the password file without its line break, or None without a file.

    Raises SettingsError naming the file, never what is in it.
    """
    if not settings.password_file:
        return None
    if not settings.user:
        raise SettingsError("mqtt.user", found="nothing", wanted="the user whose password mqtt.password_file holds")
    thing, wanted = f"mqtt.password_file {settings.password_file}", "a file whose first line is the password"
    try:
        with Path(settings.password_file).open(encoding="utf-8", newline="\n") as file:
            password = file.readline(65_536).rstrip("\r\n")
    except OSError as error:
        raise SettingsError(thing, found=(error.strerror or str(error)).lower(), wanted=wanted) from error
    except UnicodeDecodeError:
        raise SettingsError(thing, found="bytes that are not UTF-8", wanted=wanted) from None
    if not password:
        raise SettingsError(thing, found="an empty first line", wanted=wanted)
    return password
