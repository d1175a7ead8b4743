"""What a broker may refuse the MQTT sink, and settings that cannot work."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.cli.demonstration.broker import PrivateBroker
from edge.errors import SettingsError, SinkError
from edge.settings import MqttSettings
from edge.sinks.mqtt.connection import check_broker
from edge.sinks.mqtt.discovery import Board, TargetEntities
from edge.sinks.mqtt.sink import MqttSink
from edge.sinks.mqtt.subscriber import Subscriber
from edge.sinks.outbox import Outbox
from edge.stats import Stats
from edge.stream import Event
from edge.topics import Topics
from tests.sinks.conftest import board_of

MakeEvent = Callable[..., Event]
StartMqtt = Callable[..., MqttSink]
Listen = Callable[[PrivateBroker], Any]
Until = Callable[[Callable[[], bool]], None]


@pytest.mark.big
@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_wrong_password_is_said_and_never_shown(protocol: str, tmp_path: Path, start_mqtt: StartMqtt, until: Until,
                                                  caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with PrivateBroker(user="joe", password="right") as broker:
        file = tmp_path / "password"
        file.write_text("hunter2-wrong\n")
        file.chmod(0o600)
        settings = replace(broker.settings(protocol=protocol), password_file=str(file))
        with pytest.raises(SinkError, match=r"refused: not authori[sz]ed; wanted mqtt\.user and mqtt\.password") as told:
            check_broker(settings)
        sink = start_mqtt(settings)
        until(lambda: sink.state == f"broker 127.0.0.1:{broker.port} refused: not authorized")
        file.write_text("right\n")  # mended while it runs
        until(lambda: sink.state == "connected")
        shown = str(told.value) + repr(told.value) + repr(sink) + repr(vars(sink)) + caplog.text
        assert "hunter2" not in shown
        assert "right" not in shown


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a..b", "x" * 70])
def test_a_host_name_that_leads_nowhere_is_said(host: str) -> None:
    with pytest.raises(SinkError, match=r"found (host name not found|not a host name .*); wanted an MQTT broker"):
        check_broker(MqttSettings(host=host))


@pytest.mark.parametrize(("prefix", "device", "target"), [("a/b", "k", "t"), ("a", "k+", "t"), ("a", "k", "t#"),
                                                          ("a", "", "t"), ("a", "k", "")])
def test_names_that_are_no_topic_levels_are_settings_errors(prefix: str, device: str, target: str) -> None:
    with pytest.raises(SettingsError):
        board = Board(Topics(prefix, device), "1.2.3", "starter", (TargetEntities(target),))
        MqttSink(MqttSettings(host="h"), board, Outbox(messages=1, size=1, stats=Stats()))


def test_no_host_is_a_settings_error() -> None:
    with pytest.raises(SettingsError, match=r"\[mqtt\] host: found nothing"):
        MqttSink(MqttSettings(), board_of(), Outbox(messages=1, size=1, stats=Stats()))


@pytest.mark.big
def test_two_devices_of_one_name_are_suspected(broker: PrivateBroker, start_mqtt: StartMqtt, until: Until) -> None:
    one = start_mqtt(broker.settings())
    until(lambda: one.state == "connected")
    start_mqtt(broker.settings())
    until(lambda: one.state.endswith("(another device with this device.name?)"))


ACCEPTED, TAKEN_OVER = b"\x20\x03\x00\x00\x00", b"\xe0\x01\x8e"
"""CONNACK success of MQTT 5; DISCONNECT with "session taken over"."""


@pytest.mark.parametrize(("answer", "protocol", "found"), [
    (b"\x20\x02\x00\x01", "5", r'refused: it does not speak MQTT 5; set mqtt\.protocol = "auto"'),
    (b"\x20\x03\x00\x84\x00", "5", r'refused: it does not speak MQTT 5; set mqtt\.protocol = "auto"'),
    (b"\x20\x02\x00\x04", "3.1.1", "refused: bad user name or password"),
    (b"\x20\x03\x00\x86\x00", "5", "refused: bad user name or password"),
    (b"", "5", r'connection closed instead of an answer \(mqtt\.protocol = "auto" or mqtt\.tls = true may help\)'),
    (b"", "auto", r"connection closed instead of an answer \(mqtt\.tls = true may help\)"),
    (b"\x20\x02\x00\x01", "3.1.1", r'connection closed instead of an answer \(mqtt\.protocol = "auto" or'),
    (b"HTTP/1.1 400 Bad Request\r\n\r\n", "5", "connection closed instead of an answer"),
    (b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n", "3.1.1", "connection closed instead of an answer"),
    (b"\x20\xff\xff\xff\xff\xff", "5", "connection closed instead of an answer"),
    (b"\x20\x00", "5", "connection closed instead of an answer"),
    (b"\x20\x05\x00\x00\x02\x99\x99", "5", "(connection closed instead of an answer|an answer that is not MQTT)"),
])
def test_whatever_answers_a_broker_s_place_is_said(answer: bytes, protocol: str, found: str,
                                                   make_door: Callable[..., Any]) -> None:
    door = make_door(0, answer)
    with pytest.raises(SinkError, match=rf"broker 127\.0\.0\.1:{door.port}: found {found}"):
        check_broker(MqttSettings(host="127.0.0.1", port=door.port, protocol=protocol), timeout_seconds=20)


@pytest.mark.parametrize(("answer", "state"), [
    (b"\x20\x02\x00\x01", r'broker .* refused: it does not speak MQTT 5; set mqtt\.protocol = "auto"'),
    (ACCEPTED + TAKEN_OVER, r"away: closed by the broker: session taken over \(another device with .*\)"),
])
def test_the_state_says_what_a_broker_said(answer: bytes, state: str, make_door: Callable[..., Any],
                                           start_mqtt: StartMqtt, until: Until) -> None:
    sink = start_mqtt(MqttSettings(host="127.0.0.1", port=make_door(0, answer).port, protocol="5"))
    until(lambda: re.fullmatch(state, sink.state) is not None)


@pytest.mark.big
def test_messages_that_the_broker_forbids_are_said_and_do_not_block_others(
        tmp_path: Path, listen: Listen, start_mqtt: StartMqtt, until: Until, make_event: MakeEvent,
        caplog: pytest.LogCaptureFixture) -> None:
    access = tmp_path / "access"
    access.write_text("topic readwrite edge-audio/kitchen/event/snap\ntopic read #\n")
    with PrivateBroker(extra=f"acl_file {access}") as broker:
        ear = listen(broker)
        sink = start_mqtt(broker.settings())
        sink.event(make_event(target="clap"))
        sink.event(make_event(target="snap"))
        ear.wait_for(lambda heard: len(ear.events()) == 1)
        assert ear.events()[0]["target"] == "snap"
        until(lambda: sink.state.endswith("refuses messages: not authorized"))
        until(lambda: caplog.text.count("refuses messages: not authorized: edge-audio/kitchen/status") == 1)


@pytest.mark.big
def test_the_subscriber_says_why_it_cannot_subscribe() -> None:
    with PrivateBroker(user="joe", password="x") as broker, \
            pytest.raises(SinkError, match="refused: not authorized"), \
            Subscriber(replace(broker.settings(), user="", password_file=""), ["#"], lambda *_: None):
        pass
