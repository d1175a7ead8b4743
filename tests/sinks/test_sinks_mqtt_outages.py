"""What a broker may do to the MQTT sink: die, freeze, stall, stay away. A real Mosquitto, started by each test."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from edge.backoff import Backoff
from edge.cli.demonstration.broker import PrivateBroker
from edge.errors import SinkError
from edge.settings import MqttSettings
from edge.sinks.mqtt import sink as mqtt_module
from edge.sinks.mqtt.connection import check_broker
from edge.sinks.mqtt.sink import FIRST_SECONDS
from edge.stats import Stats
from edge.stream import Event
from tests.brokers import every_broker
from tests.sinks.conftest import Offering

pytestmark = pytest.mark.big

MakeEvent = Callable[..., Event]
StartMqtt = Callable[..., Offering]
Listen = Callable[[PrivateBroker], Any]
Until = Callable[[Callable[[], bool]], None]

HEALTH = "edge-audio/kitchen/health"
STATE = "edge-audio/kitchen/state/clap"


class Hold:
    """Keeps the sink away until it ends: else it may be back before who listens, and its events are told to nobody."""

    def __init__(self) -> None:
        self._over = threading.Event()

    def __call__(self) -> float:
        assert self._over.wait(120)
        return 1.0

    def end(self) -> None:
        self._over.set()


@every_broker
def test_events_made_while_the_broker_was_dead_all_arrive_late_and_states_are_told_once(
        broker: PrivateBroker, listen: Listen, start_mqtt: StartMqtt, until: Until, make_event: MakeEvent) -> None:
    heard_from = Hold()
    sink = start_mqtt(replace(broker.settings(), retry_seconds=1.0), ("clap", "snap"), chance=heard_from)
    until(lambda: sink.state == "connected")
    broker.kill()
    until(lambda: sink.state.startswith("away: "))
    before = datetime.now(UTC) - timedelta(seconds=60)
    events = [make_event("start" if number % 2 == 0 else "end", id=f"clap{number // 2}", at=before)
              for number in range(100)]
    fresh = datetime.now(UTC) + timedelta(hours=1)  # however long the broker takes to start
    events.append(make_event(target="snap", id="snap", at=fresh))  # and it goes on
    for event in events:
        sink.event(event)
    broker.start()
    ear = listen(broker)
    heard_from.end()
    ear.wait_for(lambda heard: len(ear.events()) >= len(events))
    assert [told["sequence"] for told in ear.events()] == [event.sequence for event in events]
    assert [told["late"] for told in ear.events()] == [True] * 100 + [False]
    states = [(topic, payload) for topic, payload, kept in ear.messages if "/state/" in topic and not kept]
    assert sorted(states) == [(STATE, "OFF"), ("edge-audio/kitchen/state/snap", "ON")]


@every_broker
def test_what_the_broker_never_acknowledged_comes_again_with_the_same_id(
        broker: PrivateBroker, listen: Listen, start_mqtt: StartMqtt, until: Until, make_event: MakeEvent,
        make_door: Callable[..., Any]) -> None:
    """The door shuts on a connection in use, the events vanish in it; then the connection breaks and is made anew."""
    ear = listen(broker)
    door = make_door(broker.port)
    sink = start_mqtt(replace(broker.settings(), port=door.port, retry_seconds=1.0))
    ear.wait_for(lambda heard: (STATE, "OFF") in heard)
    sink.event(make_event(id="before"))
    ear.wait_for(lambda heard: len(ear.events()) == 1)
    until(lambda: not sink._connection.unacknowledged)
    door.shut()
    for number in range(30):  # more than may be on their way at once
        sink.event(make_event(id=f"during{number}"))
    until(lambda: sink.outbox.waiting <= 21)  # 20 messages are on their way, every other one a state
    door.cut()
    door.open()
    ear.wait_for(lambda heard: len({told["id"] for told in ear.events()}) == 31)
    ids = [told["id"] for told in ear.events() if told["id"] != "before"]
    assert list(dict.fromkeys(ids)) == [f"during{number}" for number in range(30)]


def test_event_returns_while_the_broker_takes_nothing(broker: PrivateBroker, start_mqtt: StartMqtt, until: Until,
                                                      make_event: MakeEvent, make_door: Callable[..., Any]) -> None:
    """The door stays shut the whole time, so an event() that waited for anything of the broker's would never return."""
    stats = Stats()
    door = make_door(broker.port)
    sink = start_mqtt(replace(broker.settings(), port=door.port, queue_events=100), stats=stats)
    until(lambda: sink.state == "connected")
    door.shut()
    for _ in range(5000):
        sink.event(make_event(label="x" * 1000))
    sink.health({"samples": 1})
    assert len(sink.outbox) == 100
    assert 5000 - 100 <= stats.dropped_events <= 5000 - 100
    sink.stop()  # bounded too, with the door still shut


@pytest.mark.parametrize("behind", [0])
def test_a_port_that_accepts_and_never_answers_is_said(behind: int, make_door: Callable[..., Any],
                                                       start_mqtt: StartMqtt, make_event: MakeEvent) -> None:
    door = make_door(behind)
    settings = MqttSettings(host="127.0.0.1", port=door.port)
    with pytest.raises(SinkError, match=rf"broker 127\.0\.0\.1:{door.port}: found no answer within 0\.2 s; wanted an M"):
        check_broker(settings, timeout_seconds=0.2)
    door.accepted.clear()
    sink = start_mqtt(settings)
    assert door.accepted.wait(30)
    sink.event(make_event())
    sink.stop()
    assert len(sink.outbox) == 1


@every_broker
def test_a_frozen_broker_is_noticed_and_its_events_come_when_it_thaws(
        broker: PrivateBroker, listen: Listen, start_mqtt: StartMqtt, make_event: MakeEvent) -> None:
    ear = listen(broker)
    sink = start_mqtt(broker.settings())
    ear.wait_for(lambda heard: (STATE, "OFF") in heard)
    os.killpg(broker.pid, signal.SIGSTOP)
    try:
        for number in range(50):
            sink.event(make_event(id=str(number)))
    finally:
        os.killpg(broker.pid, signal.SIGCONT)
    ear.wait_for(lambda heard: len(ear.events()) >= 50)
    assert [told["id"] for told in ear.events()] == [str(number) for number in range(50)]


def test_the_oldest_events_go_first_and_are_counted(broker: PrivateBroker, listen: Listen, start_mqtt: StartMqtt,
                                                    make_event: MakeEvent) -> None:
    broker.stop()
    stats = Stats()
    heard_from = Hold()
    sink = start_mqtt(replace(broker.settings(), queue_events=3, retry_seconds=1.0), stats=stats, chance=heard_from)
    for _ in range(10):
        sink.event(make_event())
    broker.start()
    ear = listen(broker)
    heard_from.end()
    ear.wait_for(lambda heard: len(ear.events()) == 3)
    assert [told["sequence"] for told in ear.events()] == [8, 9, 10]
    assert stats.dropped_events == 7


def test_a_closed_port_is_said_once_and_the_sink_recovers(
        broker: PrivateBroker, start_mqtt: StartMqtt, until: Until, caplog: pytest.LogCaptureFixture) -> None:
    broker.stop()
    with pytest.raises(SinkError, match=r"found connection refused; wanted an MQTT broker at mqtt\.host and mqtt\.port"):
        check_broker(broker.settings())
    caplog.set_level(logging.INFO)
    tries = iter(range(1000))
    # 20 tries in no time, then one a second
    sink = start_mqtt(replace(broker.settings(), retry_seconds=1.0), chance=lambda: 2.0 if next(tries) < 20 else 0.0)
    until(lambda: next(tries) > 20)
    assert sink.state == "away: connection refused"
    broker.start()
    until(lambda: len(caplog.records) >= 2)
    assert [record.getMessage() for record in caplog.records] == [
        f"mqtt: broker 127.0.0.1:{broker.port} is away: connection refused",
        f"mqtt: connected to broker 127.0.0.1:{broker.port} with MQTT 5; topics begin with edge-audio/kitchen/"]
    assert sink.state == "connected"


def test_a_name_search_that_hangs_stops_neither_event_nor_stop(monkeypatch: pytest.MonkeyPatch,
                                                               make_event: MakeEvent) -> None:
    """A resolver that never answers, as on a network whose name server is gone: only the sink's thread waits."""
    searching, release = threading.Event(), threading.Event()

    def hang(*_args: object, **_others: object) -> list[object]:
        searching.set()
        release.wait()
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(mqtt_module, "STOP_SECONDS", 0.05)
    monkeypatch.setattr(socket, "getaddrinfo", hang)
    sink = Offering(MqttSettings(host="broker.example"), ("clap",), Stats())
    sink.start()
    thread = sink._thread
    assert thread is not None
    assert searching.wait(30)
    sink.event(make_event())
    sink.stop()
    assert thread.is_alive()
    release.set()
    thread.join(30)
    assert not thread.is_alive()
    assert len(sink.outbox) == 1


@every_broker
def test_states_are_right_again_after_events_had_to_be_dropped(broker: PrivateBroker, listen: Listen,
                                                               start_mqtt: StartMqtt, make_event: MakeEvent) -> None:
    ear = listen(broker)
    sink = start_mqtt(replace(broker.settings(), queue_events=2), ("clap", "snap"))
    sink.event(make_event("start", "clap"))
    ear.wait_for(lambda heard: (STATE, "ON") in heard)
    os.killpg(broker.pid, signal.SIGSTOP)
    try:
        for _ in range(40):  # fill what may be on its way, then the queue, then push the end of the clap out
            sink.event(make_event("start", "snap"))
        sink.event(make_event("end", "clap"))
        for _ in range(10):
            sink.event(make_event("start", "snap"))
    finally:
        os.killpg(broker.pid, signal.SIGCONT)
    ear.wait_for(lambda heard: [payload for topic, payload in heard if topic == STATE][-1] == "OFF")


@every_broker
def test_only_the_newest_health_is_published_after_an_outage(broker: PrivateBroker, listen: Listen,
                                                             start_mqtt: StartMqtt) -> None:
    broker.stop()
    sink = start_mqtt(broker.settings())
    for count in range(5):
        sink.health({"count": count})
    broker.start()
    ear = listen(broker)
    ear.wait_for(lambda heard: (HEALTH, '{"count":4}') in heard)
    assert [payload for topic, payload in ear.heard() if topic == HEALTH] == ['{"count":4}']


def test_pauses_grow_to_the_limit_and_keep_half_to_chance() -> None:
    chance = 0.0
    backoff = Backoff(60.0, first_seconds=FIRST_SECONDS, jitter=lambda: chance)
    assert [backoff.pause_seconds() for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    chance = 1.0
    assert backoff.pause_seconds() == 30
    long = Backoff(3600.0, first_seconds=FIRST_SECONDS, jitter=lambda: 0.0)
    assert [long.pause_seconds() for _ in range(100_000)][-1] == 3600
