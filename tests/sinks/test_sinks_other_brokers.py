"""Brokers that speak MQTT 3.1.1 only, as Debian has them: found out, said once, and events arrive."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

import pytest

from deploy.fleet.nats_node import NatsNode
from edge.cli.demonstration.broker import PrivateBroker
from edge.sinks.mqtt.connection import check_broker
from edge.sinks.mqtt.sink import MqttSink
from edge.sinks.mqtt.subscriber import Subscriber
from edge.stream import Event
from tests.brokers import RabbitBroker


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "how"), [
    pytest.param(NatsNode, "does not speak MQTT 5; speaking 3.1.1", id="nats"),
    pytest.param(RabbitBroker, "does not speak MQTT 5 (it hung up); speaking 3.1.1", id="rabbitmq")])
def test_it_is_spoken_to_in_3_1_1(kind: Callable[[], PrivateBroker], how: str, start_mqtt: Callable[..., MqttSink],
                                  make_event: Callable[..., Event], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    there = threading.Event()
    heard: list[str] = []

    def on_message(_topic: str, payload: str, _retained: bool) -> None:
        heard.append(payload)
        if len({text for text in heard if '"phase"' in text}) == 100:
            there.set()

    with kind() as broker:
        settings = broker.settings(protocol="auto")
        assert check_broker(settings) == "MQTT 3.1.1"
        caplog.clear()
        with Subscriber(settings, ["edge-audio/kitchen/event/+"], on_message):
            said = caplog.text.count(how)
            sink = start_mqtt(settings)
            events = [make_event() for _ in range(100)]
            for event in events:
                sink.event(event)
            assert there.wait(60), len(heard)
            sink.stop()
        assert caplog.text.count(how) == said + 1
        assert {event.id for event in events} == {text.partition('"id":"')[2][:36] for text in heard}
