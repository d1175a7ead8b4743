"""MQTT 5 first, 3.1.1 with a broker that does not speak it: found out by itself, said once, kept for a while."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from edge.cli.demonstration.broker import PrivateBroker
from edge.errors import SinkError
from edge.settings import MqttSettings
from edge.sinks.mqtt.connection import GUESS_SECONDS, REFUSAL_SECONDS, Connection, check_broker
from edge.sinks.mqtt.sink import MqttSink

pytestmark = pytest.mark.big

StartMqtt = Callable[..., MqttSink]
Until = Callable[[Callable[[], bool]], None]

OLD_REFUSAL, NEW_REFUSAL, HUNG_UP = b"\x20\x02\x00\x01", b"\x20\x03\x00\x84\x00", b""
"""CONNACK "unacceptable protocol version" as 3.1.1 writes it, "unsupported protocol version" as 5 does, and nothing."""


class Picky:
    """A door before a broker that speaks one version (protocol level 4: 3.1.1, 5: 5), and answers others as told."""

    def __init__(self, port: int, level: int, answer: bytes) -> None:
        self._behind, self.level, self.answer = port, level, answer
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self.asked: list[int] = []
        self._ends: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        try:
            while True:
                client = self._server.accept()[0]
                self._ends.append(client)
                words = client.recv(1000)
                self.asked.append(words[8])  # fixed header of 2 bytes, "MQTT" with its length, then the level
                if words[8] != self.level:
                    client.sendall(self.answer)
                    client.close()
                    continue
                broker = socket.create_connection(("127.0.0.1", self._behind))
                self._ends.append(broker)
                broker.sendall(words)
                for source, sink in ((client, broker), (broker, client)):
                    threading.Thread(target=self._pass, args=(source, sink), daemon=True).start()
        except OSError:
            pass  # closed

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(1000):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # cut

    def cut(self) -> None:
        """Break every connection through this door."""
        while self._ends:
            end = self._ends.pop()
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it was broken already
            end.close()

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.cut()


@pytest.fixture
def make_picky(broker: PrivateBroker) -> Iterator[Callable[..., Picky]]:
    """make_picky(level=4, answer=OLD_REFUSAL) -> Picky, before a real Mosquitto."""
    doors: list[Picky] = []

    def make(level: int = 4, answer: bytes = OLD_REFUSAL) -> Picky:
        doors.append(Picky(broker.port, level, answer))
        return doors[-1]

    yield make
    for door in doors:
        door.close()


@pytest.mark.parametrize("answer", [OLD_REFUSAL, NEW_REFUSAL, HUNG_UP])
def test_a_broker_of_3_1_1_is_spoken_to_in_3_1_1_said_once_and_kept(
        answer: bytes, make_picky: Callable[..., Picky], start_mqtt: StartMqtt, until: Until,
        caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    door = make_picky(answer=answer)
    sink = start_mqtt(MqttSettings(host="127.0.0.1", port=door.port))
    until(lambda: sink.state == "connected")
    for times in (2, 3):
        door.cut()
        until(lambda times=times: caplog.text.count("connected to") == times)  # type: ignore[misc]
    assert door.asked == [5, 4, 4, 4]
    assert caplog.text.count("does not speak MQTT 5") == 1
    assert f"broker 127.0.0.1:{door.port} with MQTT 3.1.1" in caplog.text


def test_mqtt_5_is_spoken_where_it_can_be(make_picky: Callable[..., Picky]) -> None:
    door = make_picky(level=5)
    assert check_broker(MqttSettings(host="127.0.0.1", port=door.port)) == "MQTT 5"
    assert door.asked == [5]


@pytest.mark.parametrize(("protocol", "level"), [("5", 4), ("3.1.1", 5)])
def test_a_version_that_the_settings_name_is_the_only_one(protocol: str, level: int,
                                                         make_picky: Callable[..., Picky]) -> None:
    door = make_picky(level=level)
    with pytest.raises(SinkError, match=r'mqtt\.protocol = "auto"'):
        check_broker(MqttSettings(host="127.0.0.1", port=door.port, protocol=protocol))
    assert len(door.asked) == 1


def test_another_refusal_is_no_reason_to_speak_an_older_version() -> None:
    """A wrong password, or a network that is down, is said as it is."""
    with PrivateBroker(user="joe", password="right") as broker, pytest.raises(SinkError, match="not authorized"):
        check_broker(replace(broker.settings(protocol="auto"), password_file="", user="jim"))
    with pytest.raises(SinkError, match="connection refused"):
        check_broker(replace(broker.settings(protocol="auto"), user="", password_file=""))


def test_a_broker_that_was_upgraded_is_spoken_to_in_5(make_picky: Callable[..., Picky], start_mqtt: StartMqtt,
                                                      until: Until, caplog: pytest.LogCaptureFixture) -> None:
    """At once, where it no longer speaks 3.1.1."""
    caplog.set_level(logging.INFO)
    door = make_picky()
    sink = start_mqtt(MqttSettings(host="127.0.0.1", port=door.port))
    until(lambda: sink.state == "connected")
    door.level = 5
    door.cut()
    until(lambda: f"{door.port} with MQTT 5" in caplog.text)
    assert door.asked == [5, 4, 4, 5]


@pytest.mark.parametrize(("answer", "seconds"), [(OLD_REFUSAL, REFUSAL_SECONDS), (HUNG_UP, GUESS_SECONDS)])
def test_mqtt_5_is_tried_again_after_a_day_and_sooner_after_a_guess(answer: bytes, seconds: float,
                                                                   make_picky: Callable[..., Picky]) -> None:
    now = 1000.0
    settings = MqttSettings(host="127.0.0.1", port=make_picky(answer=answer).port)
    connection = Connection(settings, client_id="one", monotonic=lambda: now)
    assert connection.versions == ("5", "3.1.1")
    connection.open(30.0)
    connection.disconnect()
    now += seconds - 1
    assert connection.versions == ("3.1.1", "5")
    now += 2
    assert connection.versions == ("5", "3.1.1")
    for protocol in ("3.1.1", "5"):
        assert Connection(replace(settings, protocol=protocol), client_id="one").versions == (protocol,)
