"""The MQTT sink against a real Mosquitto that each test starts."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from edge.cli.demonstration.broker import PrivateBroker
from edge.clock import Clock
from edge.sinks.mqtt import sink as mqtt_module
from edge.sinks.mqtt.connection import Connection, check_broker
from edge.sinks.mqtt.sink import MqttSink
from edge.sinks.mqtt.subscriber import Subscriber
from edge.sinks.outbox import Outbox
from edge.stats import Stats
from edge.stream import Event
from edge.topics import event_payload
from tests.brokers import every_broker
from tests.sinks.conftest import Offering, board_of

pytestmark = pytest.mark.big

MakeEvent = Callable[..., Event]
StartMqtt = Callable[..., Offering]
Listen = Callable[..., Any]
Until = Callable[[Callable[[], bool]], None]

STATUS = "edge-audio/kitchen/status"
HEALTH = "edge-audio/kitchen/health"
EVENT = "edge-audio/kitchen/event/clap"
STATE = "edge-audio/kitchen/state/clap"


def retained(broker: PrivateBroker, listen: Listen, *topics: str) -> dict[str, str]:
    """What a subscriber who comes now finds under each topic (by name: RabbitMQ gives a pattern nothing retained)."""
    late = listen(broker, *topics)
    late.wait_for(lambda heard: len(heard) >= len(topics))
    assert all(kept for _topic, _payload, kept in late.messages[:len(topics)])
    return dict(late.heard()[:len(topics)])


@every_broker
def test_a_whole_life_in_order(broker: PrivateBroker, listen: Listen, start_mqtt: StartMqtt, make_event: MakeEvent) -> None:
    ear = listen(broker)
    sink = start_mqtt(broker.settings())
    start, end = make_event(id="a"), make_event("end", id="a")
    ear.wait_for(lambda heard: len(heard) == 2)
    assert sink.state == "connected"
    sink.event(start)
    sink.event(end)
    ear.wait_for(lambda heard: len(heard) == 6)
    sink.stop()
    ear.wait_for(lambda heard: len(heard) == 7)
    told = [json.dumps(event_payload(event, device="kitchen", late=False), separators=(",", ":"))
            for event in (start, end)]
    assert ear.heard() == [(STATUS, "online"), (STATE, "OFF"), (EVENT, told[0]), (STATE, "ON"), (EVENT, told[1]),
                           (STATE, "OFF"), (STATUS, "offline")]


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_name_and_a_password_let_it_in(protocol: str, listen: Listen, start_mqtt: StartMqtt,
                                         make_event: MakeEvent) -> None:
    with PrivateBroker(user="joe", password="s3cret with space") as broker:
        ear = listen(broker)
        sink = start_mqtt(broker.settings(protocol=protocol))
        sink.event(make_event(id="a"))
        ear.wait_for(lambda heard: [told["id"] for told in ear.events()] == ["a"])
        sink.stop()
        ear.wait_for(lambda heard: heard[-1] == (STATUS, "offline"))


@every_broker
def test_status_states_and_health_are_retained_and_events_are_not(broker: PrivateBroker, listen: Listen,
                                                                  start_mqtt: StartMqtt, make_event: MakeEvent) -> None:
    ear = listen(broker)
    sink = start_mqtt(broker.settings(), ("clap", "snap"))
    sink.event(make_event())
    sink.health({"samples": 1, "source": "ok"})
    ear.wait_for(lambda heard: {(STATE, "ON"), (HEALTH, '{"samples":1,"source":"ok"}')} <= set(heard))
    snap = "edge-audio/kitchen/state/snap"
    assert retained(broker, listen, STATUS, STATE, snap, HEALTH) == {
        STATUS: "online", STATE: "ON", snap: "OFF", HEALTH: '{"samples":1,"source":"ok"}'}
    late = listen(broker, EVENT)
    sink.stop()  # nothing sounds for ever on a device that is gone
    assert retained(broker, listen, STATE, STATUS) == {STATE: "OFF", STATUS: "offline"}
    assert late.heard() == []


@every_broker
def test_an_event_is_late_by_the_time_it_happened(broker: PrivateBroker, listen: Listen, start_mqtt: StartMqtt,
                                                  make_event: MakeEvent) -> None:
    now = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
    ear = listen(broker)
    clock = Clock()
    clock.utc = now.timestamp  # type: ignore[method-assign]
    sink = start_mqtt(broker.settings(), clock=clock)
    sink.event(make_event(at=now - timedelta(seconds=5)))
    sink.event(make_event(at=now - timedelta(seconds=5.1)))
    sink.event(make_event("end", at=now - timedelta(seconds=60), lasted=58.0))  # began long ago, ended just now
    sink.event(make_event("end", at=now - timedelta(seconds=60), lasted=50.0))
    ear.wait_for(lambda heard: len(ear.events()) == 4)
    assert [told["late"] for told in ear.events()] == [False, True, False, True]


@every_broker
def test_the_last_will_says_offline_when_the_process_is_killed(broker: PrivateBroker, listen: Listen) -> None:
    ear = listen(broker)
    story = f"""
import signal
import socket
from edge.sinks.outbox import Outbox
from edge.settings import MqttSettings
from edge.sinks.mqtt.discovery import Board, TargetEntities
from edge.sinks.mqtt.sink import MqttSink
from edge.stats import Stats
from edge.topics import Topics
outbox = Outbox(messages=10, size=10000, stats=Stats())
settings = MqttSettings(host="127.0.0.1", port={broker.port}, protocol="{broker.settings().protocol}", discovery=False)
sink = MqttSink(settings, Board(Topics("edge-audio", "kitchen"), "1", "starter", (TargetEntities("clap"),)), outbox)
sink.start()
signal.pause()
"""
    process = subprocess.Popen([sys.executable, "-c", story])
    try:
        ear.wait_for(lambda heard: (STATE, "OFF") in heard)
    finally:
        process.kill()
        process.wait()
    ear.wait_for(lambda heard: heard[-1] == (STATUS, "offline"))
    assert retained(broker, listen, STATUS)[STATUS] == "offline"


@every_broker
def test_a_good_end_sends_no_will(broker: PrivateBroker, listen: Listen, start_mqtt: StartMqtt) -> None:
    ear = listen(broker)
    sink = start_mqtt(broker.settings())
    ear.wait_for(lambda heard: (STATE, "OFF") in heard)
    sink.stop()
    again = start_mqtt(broker.settings())
    ear.wait_for(lambda heard: heard.count((STATUS, "online")) == 2)
    again.stop()
    ear.wait_for(lambda heard: heard.count((STATUS, "offline")) >= 2)
    assert [payload for topic, payload in ear.heard() if topic == STATUS] == ["online", "offline", "online", "offline"]


@every_broker
def test_a_stop_flushes_what_waits(broker: PrivateBroker, listen: Listen, start_mqtt: StartMqtt, until: Until,
                                   make_event: MakeEvent, monkeypatch: pytest.MonkeyPatch) -> None:
    for seconds in ("FLUSH_SECONDS", "STOP_SECONDS"):  # an emulated board does not send 200 in its two seconds
        monkeypatch.setattr(mqtt_module, seconds, 60.0)
    ear = listen(broker)
    sink = start_mqtt(broker.settings())
    until(lambda: sink.state == "connected")
    for _ in range(200):
        sink.event(make_event())
    sink.stop()
    ear.wait_for(lambda heard: (STATUS, "offline") in heard)
    assert len(ear.events()) == 200
    assert len(sink.outbox) == 0


def test_stop_is_safe_twice_and_without_start_and_event_after_it_is_no_error(
        broker: PrivateBroker, start_mqtt: StartMqtt, make_event: MakeEvent) -> None:
    MqttSink(broker.settings(), board_of("clap"), Outbox(messages=1, size=1, stats=Stats())).stop()
    sink = start_mqtt(broker.settings())
    sink.stop()
    sink.stop()
    sink.event(make_event())
    sink.health({})


def test_a_check_does_not_disturb_a_running_device(broker: PrivateBroker, listen: Listen,
                                                   start_mqtt: StartMqtt) -> None:
    ear = listen(broker)
    start_mqtt(broker.settings())
    ear.wait_for(lambda heard: (STATE, "OFF") in heard)
    check_broker(broker.settings())
    assert retained(broker, listen, STATUS)[STATUS] == "online"
    assert ear.heard() == [(STATUS, "online"), (STATE, "OFF")]


@every_broker
def test_more_targets_than_may_be_on_their_way_are_all_announced(broker: PrivateBroker, listen: Listen,
                                                                 start_mqtt: StartMqtt) -> None:
    ear = listen(broker)
    start_mqtt(broker.settings(), tuple(f"target{number}" for number in range(60)))
    ear.wait_for(lambda heard: len(heard) == 61)


def test_a_broker_that_takes_one_message_at_a_time_gets_them_one_at_a_time(listen: Listen, start_mqtt: StartMqtt,
                                                                           make_event: MakeEvent) -> None:
    with PrivateBroker(extra="max_inflight_messages 1") as broker:
        connection = Connection(broker.settings(), client_id="one")
        connection.open(30)
        assert connection.room
        connection.publish("a", "b", retain=False)
        assert not connection.room
        connection.disconnect()
        ear = listen(broker)
        sink = start_mqtt(broker.settings())
        for _ in range(50):
            sink.event(make_event())
        ear.wait_for(lambda heard: len(ear.events()) == 50)
        assert [told["sequence"] for told in ear.events()] == list(range(1, 51))


def test_the_subscriber_hears_what_the_sink_sends(broker: PrivateBroker, start_mqtt: StartMqtt, until: Until) -> None:
    start_mqtt(broker.settings())
    heard: list[tuple[str, str, bool]] = []
    with Subscriber(broker.settings(), ["edge-audio/+/status"], lambda *message: heard.append(message)) as subscriber:
        until(lambda: (STATUS, "online") in [message[:2] for message in heard])
        broker.kill()
        until(lambda: bool(subscriber.lost))


@every_broker
def test_a_stop_before_the_connection_stands_still_delivers(broker: PrivateBroker, listen: Listen,
                                                            make_event: MakeEvent) -> None:
    """A short recording, heard as fast as possible, is over before the broker has answered."""
    ear = listen(broker)
    sink = Offering(broker.settings(), ("clap",), Stats())
    sink.start()
    sink.event(make_event())
    sink.stop()
    ear.wait_for(lambda heard: (STATUS, "offline") in heard)
    assert len(ear.events()) == 1
