"""Brokers with limits of their own, brokers that break the rules, and messages that would fill our memory."""

from __future__ import annotations

import resource
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.cli.demonstration.broker import PrivateBroker
from edge.clock import Clock
from edge.settings import MqttSettings
from edge.sinks.mqtt.client import LONGEST_PACKET, UNACKNOWLEDGED_LIMIT, Received
from edge.sinks.mqtt.connection import Connection
from edge.sinks.mqtt.discovery import Board, TargetEntities
from edge.sinks.mqtt.sink import MqttSink
from edge.sinks.mqtt.states import Kept, States
from edge.sinks.mqtt.visit import FORGIVE_SECONDS, Visit
from edge.sinks.outbox import Outbox
from edge.stats import Stats
from edge.stream import Event
from edge.topics import Topics

MakeEvent = Callable[..., Event]
StartMqtt = Callable[..., MqttSink]
Listen = Callable[..., Any]
Until = Callable[[Callable[[], bool]], None]

ACCEPTED = b"\x20\x03\x00\x00\x00"
BOARD = Board(Topics("edge-audio", "kitchen"), "1.2.3", "starter", (TargetEntities("clap"),))


@pytest.mark.big
def test_a_broker_that_takes_small_packets_only_is_not_lost_over_a_large_one(listen: Listen, start_mqtt: StartMqtt,
                                                                          make_event: MakeEvent, until: Until) -> None:
    with PrivateBroker(extra="max_packet_size 1000") as broker:
        ear = listen(broker)
        sink = start_mqtt(broker.settings(), board=BOARD)  # discovery takes more
        until(lambda: "refuses messages: packet too large" in sink.state)
        sink.event(make_event())
        ear.wait_for(lambda heard: len(ear.events()) == 1)
        assert "offline" not in [payload for topic, payload in ear.heard() if topic.endswith("/status")]


@pytest.mark.big
def test_what_is_refused_once_is_said_as_long_as_the_connection_lasts(tmp_path: Path, listen: Listen, start_mqtt: StartMqtt,
                                                                      make_event: MakeEvent, until: Until) -> None:
    """Events are tried again after a while, what is retained and subscriptions are not: nobody would know any more."""
    access = tmp_path / "access"
    access.write_text("topic readwrite edge-audio/#\ntopic read #\n")
    later = 0.0
    with PrivateBroker(extra=f"acl_file {access}") as broker:
        ear = listen(broker)
        sink = start_mqtt(broker.settings(), board=BOARD, monotonic=lambda: time.monotonic() + later)
        until(lambda: "refuses messages: not authorized" in sink.state)
        for number in range(1, 4):
            later += FORGIVE_SECONDS
            sink.event(make_event())
            ear.wait_for(lambda heard, number=number: len(ear.events()) == number)  # type: ignore[misc]
        assert "refuses messages: not authorized" in sink.state


@pytest.mark.big
@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_message_that_would_fill_our_memory_is_not_told(protocol: str, broker: PrivateBroker, until: Until) -> None:
    told: list[str] = []
    connection = Connection(broker.settings(protocol=protocol), client_id="one",
                            on_message=lambda received: told.append(received.text))
    sender = Connection(broker.settings(protocol=protocol), client_id="other")
    for each in (connection, sender):
        each.open(20)
    connection.subscribe("command")
    until(lambda: connection.pump(0.1) is None and not connection.unacknowledged)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sender.publish("command", "x" * (LONGEST_PACKET + 1), retain=False)
    sender.publish("command", "short", retain=False)
    until(lambda: sender.pump(0.05) is None and connection.pump(0.05) is None and "short" in told)
    assert told == ["short"]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # KiB
    for each in (connection, sender):
        each.disconnect()


@pytest.mark.parametrize("rubbish", [
    b"\x40\x03\x00\x01\x99", b"\x40\x0c\x00\x01\x87y\x9a\xdf\x84\xa9\x05\xd4\xa1\n", b"\xb0\x06\x04\x01\xd0\x00%G",
    b"\x30\x11\x00\x03a/b\x04\x08\x00\xf3r..hello", b"\x90\x03\x00\x01'"])
def test_what_is_no_mqtt_ends_the_connection_and_nothing_else(rubbish: bytes, make_door: Callable[..., Any],
                                                              start_mqtt: StartMqtt, until: Until) -> None:
    """paho 2.1 raises KeyError, IndexError and errors of its own here, which ended the run."""
    sink = start_mqtt(MqttSettings(host="127.0.0.1", port=make_door(0, ACCEPTED + rubbish).port, protocol="5"))
    until(lambda: sink.state.startswith("away: "))
    assert sink._thread is not None and sink._thread.is_alive()


@pytest.mark.big
def test_a_bug_of_ours_is_not_taken_for_the_brokers(broker: PrivateBroker, until: Until) -> None:
    def stumble(_received: Received) -> None:
        raise ValueError("a bug")

    connection = Connection(broker.settings(), client_id="one", on_message=stumble)
    connection.open(20)
    connection.subscribe("a")
    connection.publish("a", "b", retain=False)
    with pytest.raises(ValueError, match="a bug"):
        until(lambda: connection.pump(0.1) is not None)
    connection.close()


@pytest.mark.big
def test_what_a_broker_does_not_acknowledge_does_not_pile_up(broker: PrivateBroker, listen: Listen,
                                                             make_door: Callable[..., Any], until: Until) -> None:
    ear, door, kept = listen(broker, "edge-audio/kitchen/pin/+"), make_door(broker.port), Kept()
    connection = Connection(replace(broker.settings(), port=door.port), client_id="one")
    connection.open(20)
    door.shut()
    visit = Visit(connection, BOARD.topics, Outbox(messages=1, size=1, stats=Stats()), States(()), Clock(), bell=None,
                  kept=kept)
    for number in range(1_000):
        kept.put(BOARD.topics.pin("17"), "OFF" if number % 2 else "ON")
        visit.exchange(0.0)
    door.open()
    kept.put(BOARD.topics.pin("17"), "last")
    until(lambda: visit.exchange(0.1) is None and bool(ear.heard()) and ear.heard()[-1][1] == "last")
    assert len(ear.heard()) <= UNACKNOWLEDGED_LIMIT + 1
    visit.close()


def test_a_broker_that_takes_messages_and_acknowledges_none_is_left_and_asked_again(
        start_mqtt: StartMqtt, until: Until, monkeypatch: pytest.MonkeyPatch) -> None:
    """It answers signs of life, so only this tells; NATS does so while its cluster has no quorum."""
    monkeypatch.setattr("edge.sinks.mqtt.connection.ACKNOWLEDGE_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        sink = start_mqtt(MqttSettings(host="127.0.0.1", port=server.getsockname()[1], protocol="5", retry_seconds=1.0))
        for _ in range(2):
            with server.accept()[0] as line:
                line.recv(1000)
                line.sendall(ACCEPTED)
                until(lambda: sink.state == "away: no acknowledgement for 0.5 s")
                while line.recv(1000):  # until it hangs up
                    pass


def test_a_refused_subscription_is_said(start_mqtt: StartMqtt, until: Until, caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        sink = start_mqtt(MqttSettings(host="127.0.0.1", port=server.getsockname()[1], protocol="5"), board=BOARD)
        with server.accept()[0] as line:
            line.recv(1000)
            line.sendall(ACCEPTED)
            line.recv(1000)
            line.sendall(b"\x90\x04\x00\x01\x00\x87")  # the first of its subscriptions: not authorized
            until(lambda: "refuses messages: not authorized" in sink.state)
            until(lambda: "not authorized: homeassistant/device/edge-audio_kitchen/config" in caplog.text)
