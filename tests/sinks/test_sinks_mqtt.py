"""The MQTT sink against a real Mosquitto that each test starts."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from edge.demo.broker import PrivateBroker
from edge.errors import SettingsError, SinkError
from edge.settings import MqttSettings
from edge.sinks import mqtt as mqtt_module
from edge.sinks.mqtt import MqttSink, check_broker, pause_seconds
from edge.sinks.mqtt_subscriber import Subscriber
from edge.stats import Stats
from edge.stream import Event
from edge.topics import event_payload

MakeEvent = Callable[..., Event]
StartMqtt = Callable[..., MqttSink]
Listen = Callable[[PrivateBroker], Any]
Until = Callable[[Callable[[], bool]], None]

STATUS, HEALTH = "edge-audio/kitchen/status", "edge-audio/kitchen/health"
EVENT, STATE = "edge-audio/kitchen/event/clap", "edge-audio/kitchen/state/clap"


def retained(broker: PrivateBroker, listen: Listen, count: int) -> dict[str, str]:
    """What a subscriber who comes now finds: the first `count` messages, all retained."""
    late = listen(broker)
    late.wait_for(lambda heard: len(heard) >= count)
    assert all(kept for _topic, _payload, kept in late.messages[:count])
    return dict(late.heard()[:count])


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
@pytest.mark.parametrize("user", ["", "joe"])
def test_a_whole_life_in_order(protocol: str, user: str, listen: Listen, start_mqtt: StartMqtt, until: Until,
                               make_event: MakeEvent) -> None:
    with PrivateBroker(user=user, password="s3cret with space") as broker:
        ear = listen(broker)
        sink = start_mqtt(broker.settings(protocol=protocol))
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


def test_status_states_and_health_are_retained_and_events_are_not(broker: PrivateBroker, listen: Listen,
                                                                  start_mqtt: StartMqtt, make_event: MakeEvent) -> None:
    ear = listen(broker)
    sink = start_mqtt(broker.settings(), ("clap", "snap"))
    sink.event(make_event())
    sink.health({"samples": 1, "source": "ok"})
    ear.wait_for(lambda heard: {(STATE, "ON"), (HEALTH, '{"samples":1,"source":"ok"}')} <= set(heard))
    assert retained(broker, listen, 4) == {STATUS: "online", STATE: "ON", "edge-audio/kitchen/state/snap": "OFF",
                                           HEALTH: '{"samples":1,"source":"ok"}'}
    sink.stop()
    assert retained(broker, listen, 4)[STATE] == "OFF"  # nothing sounds for ever on a device that is gone
    assert retained(broker, listen, 4)[STATUS] == "offline"


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


def test_events_made_while_the_broker_was_dead_all_arrive_late_and_states_are_told_once(
        broker: PrivateBroker, listen: Listen, start_mqtt: StartMqtt, until: Until, make_event: MakeEvent) -> None:
    sink = start_mqtt(replace(broker.settings(), retry_seconds=1.0), ("clap", "snap"))
    until(lambda: sink.state == "connected")
    broker.kill()
    until(lambda: sink.state.startswith("away: "))
    before = datetime.now(UTC) - timedelta(seconds=60)
    events = [make_event("start" if number % 2 == 0 else "end", id=f"clap{number // 2}", at=before)
              for number in range(100)]
    events.append(make_event(target="snap", id="snap"))  # fresh, and it goes on
    for event in events:
        sink.event(event)
    broker.start()
    ear = listen(broker)
    ear.wait_for(lambda heard: len(ear.events()) >= len(events))
    assert [told["sequence"] for told in ear.events()] == [event.sequence for event in events]
    assert [told["late"] for told in ear.events()] == [True] * 100 + [False]
    states = [message for message in ear.heard() if "/state/" in message[0]]
    assert sorted(states) == [(STATE, "OFF"), ("edge-audio/kitchen/state/snap", "ON")]


def test_an_event_is_late_by_the_time_it_happened(broker: PrivateBroker, listen: Listen, start_mqtt: StartMqtt,
                                                  make_event: MakeEvent) -> None:
    now = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
    ear = listen(broker)
    sink = start_mqtt(broker.settings(), utc=now.timestamp)
    sink.event(make_event(at=now - timedelta(seconds=5)))
    sink.event(make_event(at=now - timedelta(seconds=5.1)))
    sink.event(make_event("end", at=now - timedelta(seconds=60), lasted=58.0))  # began long ago, ended just now
    sink.event(make_event("end", at=now - timedelta(seconds=60), lasted=50.0))
    ear.wait_for(lambda heard: len(ear.events()) == 4)
    assert [told["late"] for told in ear.events()] == [False, True, False, True]


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
    door.shut()
    for number in range(30):  # more than may be on their way at once
        sink.event(make_event(id=f"during{number}"))
    until(lambda: len(sink._queue) <= 21)  # 20 messages are on their way, every other one a state
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
    assert len(sink._queue) == 100
    assert 5000 - 100 - 20 - 20 <= stats.dropped_events <= 5000 - 100
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
    assert len(sink._queue) == 1


def test_a_frozen_broker_is_noticed_and_its_events_come_when_it_thaws(
        broker: PrivateBroker, listen: Listen, start_mqtt: StartMqtt, make_event: MakeEvent) -> None:
    ear = listen(broker)
    sink = start_mqtt(broker.settings())
    ear.wait_for(lambda heard: (STATE, "OFF") in heard)
    os.kill(broker.pid, signal.SIGSTOP)
    try:
        for number in range(50):
            sink.event(make_event(id=str(number)))
    finally:
        os.kill(broker.pid, signal.SIGCONT)
    ear.wait_for(lambda heard: len(ear.events()) >= 50)
    assert [told["id"] for told in ear.events()] == [str(number) for number in range(50)]


def test_the_oldest_events_go_first_and_are_counted(broker: PrivateBroker, listen: Listen, start_mqtt: StartMqtt,
                                                    make_event: MakeEvent) -> None:
    broker.stop()
    stats = Stats()
    sink = start_mqtt(replace(broker.settings(), queue_events=3, retry_seconds=1.0), stats=stats)
    for _ in range(10):
        sink.event(make_event())
    broker.start()
    ear = listen(broker)
    ear.wait_for(lambda heard: len(ear.events()) == 3)
    assert [told["sequence"] for told in ear.events()] == [8, 9, 10]
    assert stats.dropped_events == 7


def test_the_last_will_says_offline_when_the_process_is_killed(broker: PrivateBroker, listen: Listen) -> None:
    ear = listen(broker)
    story = f"""
import signal
import socket
from edge.settings import MqttSettings
from edge.sinks import mqtt as mqtt_module
from edge.sinks.mqtt import MqttSink
from edge.stats import Stats
sink = MqttSink(MqttSettings(host="127.0.0.1", port={broker.port}), "kitchen", ["clap"], Stats())
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
    assert retained(broker, listen, 2)[STATUS] == "offline"


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


def test_a_stop_flushes_what_waits(broker: PrivateBroker, listen: Listen, start_mqtt: StartMqtt, until: Until,
                                   make_event: MakeEvent) -> None:
    ear = listen(broker)
    sink = start_mqtt(broker.settings())
    until(lambda: sink.state == "connected")
    for _ in range(200):
        sink.event(make_event())
    sink.stop()
    ear.wait_for(lambda heard: (STATUS, "offline") in heard)
    assert len(ear.events()) == 200
    assert len(sink._queue) == 0


def test_stop_is_safe_twice_and_without_start_and_event_after_it_is_no_error(
        broker: PrivateBroker, start_mqtt: StartMqtt, make_event: MakeEvent) -> None:
    MqttSink(broker.settings(), "kitchen", ["clap"], Stats()).stop()
    sink = start_mqtt(broker.settings())
    sink.stop()
    sink.stop()
    sink.event(make_event())
    sink.health({})


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
    until(lambda: sink.state == "connected")
    assert [record.getMessage() for record in caplog.records] == [
        "mqtt: away: connection refused", f"mqtt: connected to broker 127.0.0.1:{broker.port} with MQTT 5"]


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


def test_a_password_file_without_a_final_line_break_and_with_carriage_return_works(tmp_path: Path) -> None:
    with PrivateBroker(user="joe", password="wörd 1") as broker:
        for text in ("wörd 1", "wörd 1\n", "wörd 1\r\n", "wörd 1\nsecond line\n"):
            file = tmp_path / "password"
            file.write_bytes(text.encode())
            check_broker(replace(broker.settings(), password_file=str(file)))


@pytest.mark.parametrize(("content", "found"), [(None, "no such file or directory"), (b"", "an empty first line"),
                                                (b"\nsecret\n", "an empty first line"),
                                                (b"\xff\xfe\n", "bytes that are not UTF-8")])
def test_a_useless_password_file_is_a_settings_error(tmp_path: Path, content: bytes | None, found: str) -> None:
    file = tmp_path / "password"
    if content is not None:
        file.write_bytes(content)
    settings = MqttSettings(host="127.0.0.1", user="joe", password_file=str(file))
    wanted = rf"mqtt\.password_file {file}: found {found}; wanted a file whose first line is the password"
    with pytest.raises(SettingsError, match=wanted):
        MqttSink(settings, "kitchen", [], Stats()).start()
    with pytest.raises(SettingsError, match=wanted):
        check_broker(settings)


def test_a_password_without_a_user_is_a_settings_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"mqtt\.user: found nothing"):
        check_broker(MqttSettings(host="127.0.0.1", password_file=str(tmp_path / "x")))


def test_a_password_that_everybody_can_read_is_said(tmp_path: Path, broker: PrivateBroker, start_mqtt: StartMqtt,
                                                    caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "password"
    file.write_text("hunter2\n")
    file.chmod(0o644)
    start_mqtt(replace(broker.settings(), user="joe", password_file=str(file)))
    assert f"mqtt: {file} can be read by every user; chmod 600 it" in caplog.text
    assert "hunter2" not in caplog.text


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a..b", "x" * 70])
def test_a_host_name_that_leads_nowhere_is_said(host: str) -> None:
    with pytest.raises(SinkError, match=r"found (host name not found|not a host name .*); wanted an MQTT broker"):
        check_broker(MqttSettings(host=host))


@pytest.mark.parametrize(("prefix", "device", "target"), [("a/b", "k", "t"), ("a", "k+", "t"), ("a", "k", "t#"),
                                                          ("a", "", "t"), ("a", "k", "")])
def test_names_that_are_no_topic_levels_are_settings_errors(prefix: str, device: str, target: str) -> None:
    with pytest.raises(SettingsError):
        MqttSink(MqttSettings(host="h", prefix=prefix), device, [target], Stats())


def test_no_host_is_a_settings_error() -> None:
    with pytest.raises(SettingsError, match=r"mqtt\.host: found nothing"):
        MqttSink(MqttSettings(), "kitchen", [], Stats())


def test_a_check_does_not_disturb_a_running_device(broker: PrivateBroker, listen: Listen,
                                                   start_mqtt: StartMqtt) -> None:
    ear = listen(broker)
    start_mqtt(broker.settings())
    ear.wait_for(lambda heard: (STATE, "OFF") in heard)
    check_broker(broker.settings())
    assert retained(broker, listen, 2)[STATUS] == "online"
    assert ear.heard() == [(STATUS, "online"), (STATE, "OFF")]


def test_two_devices_of_one_name_are_suspected(broker: PrivateBroker, start_mqtt: StartMqtt, until: Until) -> None:
    one = start_mqtt(broker.settings())
    until(lambda: one.state == "connected")
    start_mqtt(broker.settings())
    until(lambda: one.state.endswith("(another device with this device.name?)"))


ACCEPTED, TAKEN_OVER = b"\x20\x03\x00\x00\x00", b"\xe0\x01\x8e"
"""CONNACK success of MQTT 5; DISCONNECT with "session taken over"."""


@pytest.mark.parametrize(("answer", "protocol", "found"), [
    (b"\x20\x02\x00\x01", "5", r'refused: it does not speak MQTT 5; set mqtt\.protocol = "3\.1\.1"'),
    (b"\x20\x03\x00\x84\x00", "5", r'refused: it does not speak MQTT 5; set mqtt\.protocol = "3\.1\.1"'),
    (b"\x20\x02\x00\x04", "3.1.1", "refused: bad user name or password"),
    (b"\x20\x03\x00\x86\x00", "5", "refused: bad user name or password"),
    (b"", "5", r'connection closed instead of an answer \(mqtt\.protocol = "3\.1\.1" may help\)'),
    (b"\x20\x02\x00\x01", "3.1.1", r'connection closed instead of an answer \(mqtt\.protocol = "5" may help\)'),
    (b"HTTP/1.1 400 Bad Request\r\n\r\n", "5", "connection closed instead of an answer"),
    (b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n", "3.1.1", "connection closed instead of an answer"),
    (b"\x20\xff\xff\xff\xff\xff", "5", "connection closed instead of an answer"),
    (b"\x20\x00", "5", "connection closed instead of an answer"),
    (b"\x20\x05\x00\x00\x02\x99\x99", "5", "connection closed instead of an answer"),
])
def test_whatever_answers_a_broker_s_place_is_said(answer: bytes, protocol: str, found: str,
                                                   make_door: Callable[..., Any]) -> None:
    door = make_door(0, answer)
    with pytest.raises(SinkError, match=rf"broker 127\.0\.0\.1:{door.port}: found {found}"):
        check_broker(MqttSettings(host="127.0.0.1", port=door.port, protocol=protocol), timeout_seconds=20)


@pytest.mark.parametrize(("answer", "state"), [
    (b"\x20\x02\x00\x01", r'broker .* refused: it does not speak MQTT 5; set mqtt\.protocol = "3\.1\.1"'),
    (ACCEPTED + TAKEN_OVER, r"away: closed by the broker: session taken over \(another device with .*\)"),
])
def test_the_state_says_what_a_broker_said(answer: bytes, state: str, make_door: Callable[..., Any],
                                           start_mqtt: StartMqtt, until: Until) -> None:
    sink = start_mqtt(MqttSettings(host="127.0.0.1", port=make_door(0, answer).port))
    until(lambda: re.fullmatch(state, sink.state) is not None)


def test_messages_that_the_broker_forbids_are_said_and_do_not_block_others(
        tmp_path: Path, listen: Listen, start_mqtt: StartMqtt, until: Until, make_event: MakeEvent) -> None:
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


def test_more_targets_than_may_be_on_their_way_are_all_announced(broker: PrivateBroker, listen: Listen,
                                                                 start_mqtt: StartMqtt) -> None:
    ear = listen(broker)
    start_mqtt(broker.settings(), tuple(f"target{number}" for number in range(60)))
    ear.wait_for(lambda heard: len(heard) == 61)


def test_a_broker_that_takes_one_message_at_a_time_gets_them_one_at_a_time(listen: Listen, start_mqtt: StartMqtt,
                                                                           make_event: MakeEvent) -> None:
    with PrivateBroker(extra="max_inflight_messages 1") as broker:
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


def test_the_subscriber_says_why_it_cannot_subscribe() -> None:
    with PrivateBroker(user="joe", password="x") as broker, \
            pytest.raises(SinkError, match="refused: not authorized"), \
            Subscriber(replace(broker.settings(), user="", password_file=""), ["#"], lambda *_: None):
        pass


def test_pauses_grow_to_the_limit_and_keep_half_to_chance() -> None:
    assert [pause_seconds(attempt, 60.0, 0.0) for attempt in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert pause_seconds(7, 60.0, 1.0) == 30
    assert pause_seconds(100_000, 3600.0, 0.0) == 3600


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
    sink = MqttSink(MqttSettings(host="broker.example"), "kitchen", ["clap"], Stats())
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
    assert len(sink._queue) == 1


def test_states_are_right_again_after_events_had_to_be_dropped(broker: PrivateBroker, listen: Listen,
                                                               start_mqtt: StartMqtt, make_event: MakeEvent) -> None:
    ear = listen(broker)
    sink = start_mqtt(replace(broker.settings(), queue_events=2), ("clap", "snap"))
    sink.event(make_event("start", "clap"))
    ear.wait_for(lambda heard: (STATE, "ON") in heard)
    os.kill(broker.pid, signal.SIGSTOP)
    try:
        for _ in range(40):  # fill what may be on its way, then the queue, then push the end of the clap out
            sink.event(make_event("start", "snap"))
        sink.event(make_event("end", "clap"))
        for _ in range(10):
            sink.event(make_event("start", "snap"))
    finally:
        os.kill(broker.pid, signal.SIGCONT)
    ear.wait_for(lambda heard: [payload for topic, payload in heard if topic == STATE][-1] == "OFF")
