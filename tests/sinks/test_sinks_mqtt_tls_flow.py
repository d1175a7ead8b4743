"""Encrypted connections carry a flood in both directions, and what TLS has decrypted beforehand is not left lying."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from edge.cli.demonstration.broker import PrivateBroker
from edge.settings import MqttSettings
from edge.sinks.mqtt.connection import Connection
from edge.sinks.mqtt.sink import MqttSink
from edge.stream import Event
from tests.sinks.certificates import Authority

pytestmark = pytest.mark.big

LENGTHS = (1, 100, 5_000, 16_384, 40_000)
"""Characters of a payload: less than a record of TLS (16,384 bytes), as much, and more."""


@pytest.fixture
def encrypted(authority: Authority) -> Iterator[MqttSettings]:
    """Settings for a real broker that speaks TLS."""
    certificate, key = authority.sign("broker", alternative="IP:127.0.0.1")
    with PrivateBroker(extra=f"certfile {certificate}\nkeyfile {key}\nmax_queued_messages 0") as broker:
        yield replace(broker.settings(protocol="auto"), tls=True, tls_ca_file=str(authority.ca))


def test_a_flood_comes_through_whole_and_in_order(encrypted: MqttSettings) -> None:
    """One thread sends 2,000 messages and receives them back on the same connection."""
    heard: list[str] = []
    connection = Connection(encrypted, client_id="flood",
                            on_message=lambda received: heard.append(received.text))
    sent = [f"{number:05d}" + "x" * LENGTHS[number % len(LENGTHS)] for number in range(2_000)]
    try:
        connection.open(60.0)
        connection.subscribe("flood")
        deadline, next_one = time.monotonic() + 120, 0
        while len(heard) < len(sent) or connection.unacknowledged:
            assert time.monotonic() < deadline, f"{len(heard)} of {len(sent)}"
            while connection.room and next_one < len(sent):
                connection.publish("flood", sent[next_one], retain=False)
                next_one += 1
            connection.pump(10.0)
            assert all(not refusal for _number, refusal in connection.acknowledged())
        assert [text[:5] for text in heard] == [text[:5] for text in sent]
        assert heard == sent
    finally:
        connection.disconnect()


def test_a_flood_from_others_delays_no_event(encrypted: MqttSettings, start_mqtt: Callable[..., MqttSink],
                                             make_event: Callable[..., Event]) -> None:
    """Two encrypted connections, one publishing events through the sink, one hearing all of them."""
    heard: list[tuple[str, str]] = []
    ear = Connection(encrypted, client_id="ear", on_message=lambda received: heard.append((received.topic, received.text)))
    try:
        ear.open(60.0)
        ear.subscribe("edge-audio/kitchen/event/+")
        while ear.unacknowledged:
            ear.pump(10.0)
        sink = start_mqtt(encrypted)
        events = [make_event(phase="end") for _ in range(500)]
        for event in events:
            sink.event(event)
        deadline = time.monotonic() + 120
        while len(heard) < len(events):
            assert time.monotonic() < deadline
            ear.pump(10.0)
        assert [f'"id":"{event.id}"' in payload for event, (_topic, payload) in zip(events, heard, strict=True)]
    finally:
        ear.disconnect()


def test_messages_that_came_in_one_record_are_all_read(authority: Authority) -> None:
    """CONNACK and 50 messages in one record: poll sees the first bytes only, the rest is decrypted already."""
    certificate, key = authority.sign("broker", alternative="IP:127.0.0.1")
    inside = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    inside.load_cert_chain(certificate, key)
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with inside.wrap_socket(server.accept()[0], server_side=True) as line:
                line.recv(1000)
                line.sendall(b"\x20\x03\x00\x00\x00" + b"\x30\x05\x00\x01t\x00x" * 50)
                done.wait(60)

        thread = threading.Thread(target=serve)
        thread.start()
        heard: list[str] = []
        connection = Connection(MqttSettings(host="127.0.0.1", port=server.getsockname()[1], tls=True,
                                             tls_ca_file=str(authority.ca)),
                                client_id="one", on_message=lambda received: heard.append(received.text))
        try:
            connection.open(60.0)
            for _ in range(50):
                connection.pump(0.0)  # never waits: nothing more comes through the socket
            assert heard == ["x"] * 50
        finally:
            done.set()
            connection.close()
            thread.join()


def test_what_the_network_cannot_hold_waits_until_a_frozen_broker_thaws(authority: Authority) -> None:
    """TLS may only send a record again as it was begun: all of it arrives, unharmed."""
    certificate, key = authority.sign("broker", alternative="IP:127.0.0.1")
    sent = [f"{number:02d}" + "x" * 1_000_000 for number in range(20)]
    heard: list[str] = []
    with PrivateBroker(extra=f"certfile {certificate}\nkeyfile {key}") as broker:
        connection = Connection(replace(broker.settings(), tls=True, tls_ca_file=str(authority.ca)), client_id="one",
                                on_message=lambda received: heard.append(received.text))
        try:
            connection.open(60.0)
            connection.subscribe("big")
            while connection.unacknowledged:
                connection.pump(10.0)
            os.kill(broker.pid, signal.SIGSTOP)
            for text in sent:
                connection.publish("big", text, retain=False)
                connection.pump(0.0)
            assert connection.unacknowledged == len(sent)
            assert connection.wants_write, "the network holds not all of it"
            os.kill(broker.pid, signal.SIGCONT)
            deadline = time.monotonic() + 120
            while connection.unacknowledged or len(heard) < len(sent):
                assert time.monotonic() < deadline
                connection.pump(10.0)
            assert heard == sent
        finally:
            os.kill(broker.pid, signal.SIGCONT)
            connection.close()
