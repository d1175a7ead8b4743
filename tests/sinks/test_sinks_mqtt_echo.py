"""What this device publishes does not hold up its events: no waiting for TCP, and no echo in MQTT 5. A real Mosquitto."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from edge.cli.demonstration.broker import PrivateBroker
from edge.sinks.mqtt.connection import Connection
from edge.sinks.mqtt.discovery import Board, TargetEntities
from edge.sinks.mqtt.retained import Retained
from edge.topics import Topics
from tests.sinks.certificates import Authority

pytestmark = pytest.mark.big

StartMqtt = Callable[..., Any]
Listen = Callable[..., Any]
Until = Callable[[Callable[[], bool]], None]

PIN = "edge-audio/kitchen/pin/17"
DISCOVERY, BIRTH = "homeassistant/device/edge-audio_kitchen/config", "homeassistant/status"


def took(connection: Connection, heard: list[str]) -> list[str]:
    """What came before the broker had acknowledged all that was asked of it."""
    while connection.unacknowledged:
        connection.pump(0.1)
    return heard


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_small_packet_does_not_wait_for_the_one_before(protocol: str, broker: PrivateBroker) -> None:
    """With pins, the echo of our own pin topic made Nagle's algorithm hold the event for 40 ms."""
    connection = Connection(broker.settings(protocol=protocol), client_id="one")
    connection.open(30)
    with socket.socket(fileno=socket.dup(connection.fileno())) as same:
        assert same.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    connection.disconnect()


def test_nor_over_tls(authority: Authority) -> None:
    certificate, key = authority.sign("broker", alternative="IP:127.0.0.1")
    with PrivateBroker(extra=f"certfile {certificate}\nkeyfile {key}") as broker:
        settings = replace(broker.settings(), tls=True, tls_ca_file=str(authority.ca))
        connection = Connection(settings, client_id="one")
        connection.open(30)
        with socket.socket(fileno=socket.dup(connection.fileno())) as same:
            assert same.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        connection.disconnect()


def test_what_we_publish_does_not_come_back_in_mqtt_5(broker: PrivateBroker) -> None:
    heard: list[str] = []
    connection = Connection(broker.settings(protocol="5"), client_id="one",
                            on_message=lambda received: heard.append(received.text))
    connection.open(30)
    connection.subscribe("a/+", own=False)
    connection.publish("a/b", "own", retain=False)
    assert took(connection, heard) == []
    other = Connection(broker.settings(), client_id="other")
    other.open(30)
    other.publish("a/b", "others'", retain=False)
    took(other, [])
    while not heard:
        connection.pump(0.1)
    assert heard == ["others'"]
    for each in (connection, other):
        each.disconnect()


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_our_own_pins_come_once_as_retained_and_then_no_more(
        protocol: str, broker: PrivateBroker, listen: Listen, start_mqtt: StartMqtt, until: Until,
        monkeypatch: pytest.MonkeyPatch) -> None:
    """What an earlier connection left is heard, so that ghosts can be cleared; a pin that moves is not echoed."""
    heard: list[tuple[str, str, bool]] = []
    hear = Retained.hear

    def noted(self: Retained, topic: str, payload: str, retained: bool) -> None:
        heard.append((topic, payload, retained))
        hear(self, topic, payload, retained)

    settings = broker.settings(protocol=protocol)
    board = Board(Topics("edge-audio", "kitchen"), "1.2.3", "starter", (TargetEntities("clap"),), ("17",))
    first = start_mqtt(settings, board=board)
    first.pin("17", True)
    first.stop()
    monkeypatch.setattr(Retained, "hear", noted)
    ear = listen(broker, "homeassistant/#", PIN)
    sink = start_mqtt(settings, board=board)
    ear.wait_for(lambda heard: [topic for topic, _ in heard].count(DISCOVERY) == 2)  # the second was sent once it knew all
    sink.pin("17", False)
    ear.wait_for(lambda heard: (PIN, "OFF") in heard)
    other = Connection(settings, client_id="other")
    other.open(30)
    other.publish(BIRTH, "online", retain=False)
    took(other, [])
    until(lambda: (BIRTH, "online", False) in heard)
    assert [message for message in heard if message[0] == PIN] == [(PIN, "ON", True)]
    other.disconnect()
