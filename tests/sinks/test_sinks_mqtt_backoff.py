"""How long the MQTT sink waits between two tries. Only a connection that the broker acknowledged, and that held, makes the
pause short again."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from edge.backoff import STEADY_SECONDS, Backoff
from edge.cli.demonstration.broker import PrivateBroker
from edge.errors import SinkError
from edge.settings import MqttSettings
from edge.sinks.mqtt import sink as mqtt_module

StartMqtt = Callable[..., Any]
Until = Callable[[Callable[[], bool]], None]

NOT_AUTHORIZED = b"\x20\x03\x00\x87\x00"
"""A CONNACK of MQTT 5."""

HUNDREDTH = 1.98
"""A chance that shortens every pause to a hundredth."""


class SlowClock:
    """A clock by which whatever is done takes longer than a connection must hold to count as a success."""

    def __init__(self) -> None:
        self._now = 0.0

    def __call__(self) -> float:
        self._now += STEADY_SECONDS + 1.0
        return self._now


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The sink's pauses so far, in hundredths of a second."""
    noted: list[float] = []

    class Noted(Backoff):
        def pause_seconds(self, ran_seconds: float = 0.0) -> float:
            pause = super().pause_seconds(ran_seconds)
            noted.append(round(pause * 100))
            return pause

    monkeypatch.setattr(mqtt_module, "Backoff", Noted)
    monkeypatch.setattr(mqtt_module, "CONNECT_SECONDS", 0.05)
    return noted


@pytest.mark.parametrize("failure", ["name not found", "no answer", "refused"])
def test_pauses_grow_after_failures_however_long_each_of_them_took(
        failure: str, pauses: list[float], make_door: Callable[..., Any], start_mqtt: StartMqtt, until: Until,
        monkeypatch: pytest.MonkeyPatch) -> None:
    """A search for the host name of 10 s counted as a connection that held, so the pause was one second for ever."""
    settings = MqttSettings(host="broker.example", protocol="5", retry_seconds=3600.0)
    if failure == "name not found":
        def search(*_args: object, **_others: object) -> list[object]:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

        monkeypatch.setattr(socket, "getaddrinfo", search)
    else:
        door = make_door(0, NOT_AUTHORIZED if failure == "refused" else None)
        settings = replace(settings, host="127.0.0.1", port=door.port)
    sink = start_mqtt(settings, chance=lambda: HUNDREDTH, monotonic=SlowClock())
    until(lambda: len(pauses) >= 5)
    assert {"name not found": "host name not found", "no answer": "no answer within",
            "refused": "not authorized"}[failure] in sink.state
    assert pauses[:5] == [1, 2, 4, 8, 16]


@pytest.mark.big
def test_a_connection_that_the_broker_acknowledged_and_that_held_makes_the_pause_short_again(
        broker: PrivateBroker, pauses: list[float], make_door: Callable[..., Any], start_mqtt: StartMqtt, until: Until,
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mqtt_module, "CONNECT_SECONDS", 30.0)
    door = make_door(broker.port)
    sink = start_mqtt(replace(broker.settings(), port=door.port), chance=lambda: HUNDREDTH, monotonic=SlowClock())
    for times in (1, 2, 3):
        until(lambda: sink.state == "connected")
        door.cut()
        until(lambda times=times: len(pauses) == times)  # type: ignore[misc]
    assert pauses == [1, 1, 1]


@pytest.mark.big
def test_a_connection_that_is_lost_at_once_is_a_failure(
        broker: PrivateBroker, pauses: list[float], make_door: Callable[..., Any], start_mqtt: StartMqtt,
        until: Until, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two devices of one name take the connection from each other, ever more slowly."""
    monkeypatch.setattr(mqtt_module, "CONNECT_SECONDS", 30.0)
    door = make_door(broker.port)
    sink = start_mqtt(replace(broker.settings(), port=door.port), chance=lambda: HUNDREDTH, monotonic=lambda: 0.0)
    for times in (1, 2, 3):
        until(lambda: sink.state == "connected")
        door.cut()
        until(lambda times=times: len(pauses) == times)  # type: ignore[misc]
    assert pauses == [1, 2, 4]


def test_a_sink_whose_search_for_the_host_outlives_its_stop_is_not_started_beside_it(
        monkeypatch: pytest.MonkeyPatch, start_mqtt: StartMqtt, until: Until) -> None:
    """A start took back that the old thread should end: two threads then shared one connection and one outbox."""
    hold, held = threading.Event(), threading.Event()

    def hang(*_args: object, **_others: object) -> list[object]:
        held.set()
        hold.wait(30)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    monkeypatch.setattr(mqtt_module, "STOP_SECONDS", 0.05)
    sink = start_mqtt(MqttSettings(host="broker.example", retry_seconds=3600.0))
    try:
        assert held.wait(30)
        sink.stop()
        with pytest.raises(SinkError, match="a thread that has not come back"):
            sink.start()
    finally:
        hold.set()
    until(lambda: not any(thread.name == "mqtt" for thread in threading.enumerate()))
    sink.start()
    assert sink.state == "connecting" or "host name not found" in sink.state
