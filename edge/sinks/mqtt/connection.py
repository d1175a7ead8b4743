"""A connection to the broker that the settings name. Its errors say which setting to mend."""

from __future__ import annotations

import logging
import select
import ssl
import time
import uuid
from collections.abc import Callable

from edge.errors import SinkError
from edge.settings import MqttSettings
from edge.sinks.mqtt import words
from edge.sinks.mqtt.client import MqttClient, Received
from edge.sinks.mqtt.doorbell import Doorbell
from edge.sinks.mqtt.secrets import read_password
from edge.sinks.mqtt.tls import tls_context

LOG = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0
"""How long to wait for the network, and then for the broker's answer."""

YOUNG_SECONDS = 10.0
"""Seconds. A connection lost within them may mean that another device has the same client id: the broker then
drops the older of the two, often without a reason."""

RECORD_PACKETS = 1000
"""Packets read in one turn, at most, of what TLS has decrypted already (a record of TLS holds 16 kB)."""

ACKNOWLEDGE_SECONDS = 120.0
"""Seconds. After them the connection is given up, and the message is sent again on a new one: a broker may
answer signs of life and yet never acknowledge (NATS without a quorum)."""

REFUSAL_SECONDS = 86_400.0
"""Seconds until MQTT 5 is tried again with a broker that refused it: the broker may have been upgraded."""

GUESS_SECONDS = 3_600.0
"""Seconds until MQTT 5 is tried again with a broker that hung up on it, perhaps for another reason."""


class Connection(MqttClient):
    """For one thread; only `open` and `pump` wait. A connection that is lost may be opened again."""

    def __init__(self, settings: MqttSettings, *, client_id: str, will: tuple[str, str] | None = None,
                 on_message: Callable[[Received], None] | None = None, keep_session: bool = False,
                 monotonic: Callable[[], float] = time.monotonic) -> None:
        """will: (topic, payload) that the broker publishes, retained, when this connection breaks;
        on_message: told what arrives, in the thread that calls `pump` or `service`; keep_session: the broker
        keeps messages for a subscriber that is away (MQTT 3.1.1 only); monotonic: seconds, for how long the
        broker's MQTT version is remembered.

        Raises SettingsError where the password, a certificate or a key cannot be used."""
        self._settings = settings
        self.thing = f"broker {settings.host}:{settings.tcp_port}"
        """What errors are about."""
        self._client_id = client_id
        self._will = will
        self._on_received = on_message
        self._keep_session = keep_session
        self._monotonic = monotonic
        self._older_until = self._opened_at = float("-inf")
        self._prepare(self.versions[0])

    @property
    def versions(self) -> tuple[str, ...]:
        """MQTT versions to try, in this order: the settings' own; with "auto", first the one that serves."""
        if self._settings.protocol != "auto":
            return (self._settings.protocol,)
        return ("3.1.1", "5") if self._monotonic() < self._older_until else ("5", "3.1.1")

    @property
    def spoken(self) -> str:
        """What is spoken on it: "MQTT 5", "MQTT 3.1.1 over TLSv1.3"."""
        over = f" over {sock.version()}" if isinstance(sock := self.socket, ssl.SSLSocket) else ""
        return f"MQTT {self.version}{over}"

    def open(self, timeout_seconds: float, cancelled: Callable[[], bool] = lambda: False) -> None:
        """Connect and wait for the broker's answer. With protocol "auto", where the broker does not speak the
        first version, connect once more in the other one. timeout_seconds: for network and TLS, and again for
        the answer.

        Raises SinkError: away, refused, not the right certificate, no broker, or cancelled; SettingsError as
        the constructor does, for files of the settings are read anew.
        """
        first, *others = self.versions
        try:
            self._open(first, timeout_seconds, cancelled)
        except SinkError:
            if not others or not self._unspoken or cancelled():
                raise
        else:
            return
        refused = self.refused
        self._open(others[0], timeout_seconds, cancelled)
        LOG.warning("mqtt: %s does not speak MQTT %s%s; speaking %s, in which it cannot say all that 5 can", self.thing,
                    first, "" if refused else " (it hung up)", self.version)
        seconds = REFUSAL_SECONDS if refused else GUESS_SECONDS
        self._older_until = self._monotonic() + seconds if self.version == "3.1.1" else float("-inf")

    def _prepare(self, version: str) -> None:
        settings = self._settings
        self.begin(version, self._client_id, tls_context(settings), user=settings.user, password=read_password(settings),
                   will=self._will, keep_session=self._keep_session)
        self._called = False

    def _open(self, version: str, timeout_seconds: float, cancelled: Callable[[], bool]) -> None:
        self._prepare(version)
        settings = self._settings
        try:
            self.connect(settings.host, settings.tcp_port, settings.keepalive_seconds, timeout_seconds=timeout_seconds)
            self._called = True
            deadline = time.monotonic() + timeout_seconds
            while self.answer is None and not cancelled():
                if time.monotonic() >= deadline:
                    raise self._error(f"no answer within {timeout_seconds:g} s")
                self.pump(min(0.2, timeout_seconds))
        except SinkError:
            if not self.refused:
                raise
        except (OSError, ValueError) as error:  # ValueError: a host name that is none
            self.error_below = error
            raise self._error(words.network_words(error, timeout_seconds)) from error
        if self.answer is None:
            raise self._error("no answer before the program was stopped")
        if self.refused:
            raise self._error(words.refusal_words(self.answer, version))
        self._opened_at = time.monotonic()

    def pump(self, timeout_seconds: float, bell: Doorbell | None = None) -> None:
        """Send and receive what can be; returns after `timeout_seconds` at the latest, or when `bell` rings.
        To be called at least once a second. Raises SinkError when the connection is lost."""
        line, decrypted = self.fileno(), self._decrypted
        poll = select.poll()
        poll.register(line, select.POLLIN | (select.POLLOUT if self.wants_write else 0))
        if bell is not None:
            poll.register(bell, select.POLLIN)
        ready = dict(poll.poll(0.0 if decrypted else max(timeout_seconds, 0.0) * 1000))
        if bell is not None:
            bell.answer()
        self.service(readable=decrypted or bool(ready.get(line, 0) & ~select.POLLOUT))

    def fileno(self) -> int:
        """The socket, for a poll over many connections. Raises SinkError when the connection is lost."""
        if (sock := self.socket) is None:
            raise self._error(self._end)
        return sock.fileno()

    def service(self, *, readable: bool) -> None:
        """Send and receive what can be, without waiting. readable: the poll says that something arrived. To
        be called at least once a second. Raises SinkError when the connection is lost."""
        try:
            super().service(readable=readable)
            for _ in range(RECORD_PACKETS):
                if not self._decrypted:
                    break
                super().service(readable=True)
        except (OSError, ValueError) as error:
            raise self._error(f"an answer that is not MQTT ({error})") from error
        told, self.received = self.received, []
        for received in told:  # told here, where no bug of ours is taken for the broker's
            if self._on_received is not None:
                self._on_received(received)
        self.fileno()
        if self.waited_seconds > ACKNOWLEDGE_SECONDS:
            raise self._error(f"no acknowledgement for {ACKNOWLEDGE_SECONDS:g} s")

    @property
    def _decrypted(self) -> bool:
        """Whether TLS has decrypted data that nobody has read yet, which a poll does not see."""
        return isinstance(sock := self.socket, ssl.SSLSocket) and sock.pending() > 0

    @property
    def _end(self) -> str:
        """Why the connection is lost."""
        if self.end is None:
            return words.LOST
        reason, from_broker = self.end
        return words.end_words(reason, self._settings, from_broker=from_broker)

    @property
    def _unspoken(self) -> bool:
        """Whether the broker may refuse the MQTT version: it said so, or hung up without an answer."""
        if self.answer is not None:
            return self.answer == words.UNSUPPORTED
        return self._called and self.socket is None and self._end == words.LOST and self._trouble is None

    @property
    def _trouble(self) -> words.Trouble | None:
        """What went wrong in TLS, if that is what went wrong."""
        if not self._settings.tls:
            return None
        return words.tls_trouble(self.error_below, host=self._settings.host, shaking_hands=not self._called)

    def _error(self, found: str) -> SinkError:
        wanted = words.LOGIN_WANTED if self.refused and not self._unspoken else words.BROKER_WANTED
        if self._trouble is not None:
            found, wanted = self._trouble
        elif found == words.LOST:
            found = words.lost_words(self._settings, answered=self.answer is not None,
                                     young=time.monotonic() - self._opened_at < YOUNG_SECONDS)
        return SinkError(self.thing, found=found, wanted=wanted)


def check_broker(settings: MqttSettings, timeout_seconds: float = CONNECT_SECONDS) -> str:
    """Connect once and leave, under a client id that disturbs no running device; what was spoken.

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
