"""Discovery and what must not stay retained, against a real Mosquitto."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from edge.cli.demonstration.broker import PrivateBroker
from edge.sinks.mqtt.discovery import Board, TargetEntities, device_payload
from edge.stream import Event
from edge.topics import Topics, encode
from tests.sinks.conftest import Ear, Offering

pytestmark = pytest.mark.big

MakeEvent = Callable[..., Event]
StartMqtt = Callable[..., Offering]
Listen = Callable[[PrivateBroker], Ear]
Until = Callable[[Callable[[], bool]], None]

OWN = "edge-audio/kitchen"
DISCOVERY, BIRTH = "homeassistant/device/edge-audio_kitchen/config", "homeassistant/status"


def board(*targets: str, pins: tuple[str, ...] = ()) -> Board:
    return Board(Topics("edge-audio", "kitchen"), "1.2.3", "starter", tuple(TargetEntities(name) for name in targets), pins)


def told(*targets: str, pins: tuple[str, ...] = ()) -> tuple[str, str]:
    return DISCOVERY, encode(device_payload(board(*targets, pins=pins)))


def kept(ear: Ear, until: Until, wanted: dict[str, Any]) -> None:
    """Wait until what the broker keeps, as this new subscriber finds it and hears it change, is `wanted`."""
    def now() -> dict[str, str]:
        return {topic: payload for topic, payload in dict(ear.heard()).items() if payload}
    until(lambda: now() == wanted)


@pytest.fixture
def say() -> Callable[..., None]:
    """say(broker, topic, payload, retain=False): another client's message, taken by the broker when it returns."""
    def publish(broker: PrivateBroker, topic: str, payload: str, *, retain: bool = False) -> None:
        client = Client(CallbackAPIVersion.VERSION2)
        client.connect(broker.host, broker.port)
        client.loop_start()
        client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(60)
        client.disconnect()
        client.loop_stop()
    return publish


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_new_board_is_told_after_its_states(protocol: str, broker: PrivateBroker, listen: Listen, start_mqtt: StartMqtt,
                                              make_event: MakeEvent) -> None:
    ear = listen(broker)
    sink = start_mqtt(broker.settings(protocol=protocol), board=board("clap"))
    heard = ear.wait_for(lambda heard: len(heard) == 3)
    assert heard == [(f"{OWN}/status", "online"), (f"{OWN}/state/clap", "OFF"), told("clap")]
    sink.event(make_event())
    heard = ear.wait_for(lambda heard: len(heard) == 5)
    assert heard[4] == (f"{OWN}/state/clap", "ON")
    late = listen(broker)
    late.wait_for(lambda heard: len(heard) == 3)
    assert (*told("clap"), True) in late.messages


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_removed_target_leaves_no_ghost(protocol: str, broker: PrivateBroker, listen: Listen, start_mqtt: StartMqtt,
                                          say: Callable[..., None], until: Until) -> None:
    names = ("clap", *(f"sound{number}" for number in range(30)))  # more than Mosquitto sends before we acknowledge
    start_mqtt(broker.settings(protocol=protocol), names, board=board(*names, pins=("17", "27"))).stop()
    for pin in ("17", "27"):
        say(broker, f"{OWN}/pin/{pin}", "ON", retain=True)
    for foreign in ("edge-audio/hall/state/sound1", f"{OWN}/state/sound1/deeper", "homeassistant/device/other/config"):
        say(broker, foreign, "theirs", retain=True)
    ear = listen(broker)
    start_mqtt(broker.settings(protocol=protocol), ("clap",), board=board("clap", pins=("17",)))
    kept(ear, until, {
        f"{OWN}/status": "online", f"{OWN}/state/clap": "OFF", f"{OWN}/pin/17": "ON", **dict([told("clap", pins=("17",))]),
        "edge-audio/hall/state/sound1": "theirs", f"{OWN}/state/sound1/deeper": "theirs",
        "homeassistant/device/other/config": "theirs"})
    first, transition, last = (json.loads(payload)["components"] for topic, payload in ear.heard() if topic == DISCOVERY)
    gone = {f"state_{name}": {"platform": "binary_sensor"} for name in names[1:]} | {"pin_27": {"platform": "binary_sensor"}}
    assert transition == gone | last
    assert set(first) - set(last) == set(gone)


def test_what_is_retained_is_right_after_any_number_of_connections(broker: PrivateBroker, listen: Listen,
                                                                   start_mqtt: StartMqtt, until: Until) -> None:
    for _ in range(3):
        start_mqtt(broker.settings(), board=board("clap")).stop()
    ear = listen(broker)
    kept(ear, until, {f"{OWN}/status": "offline", f"{OWN}/state/clap": "OFF", **dict([told("clap")])})


def test_other_targets_are_told_over_the_same_connection(broker: PrivateBroker, listen: Listen, start_mqtt: StartMqtt,
                                                         until: Until) -> None:
    ear = listen(broker)
    sink = start_mqtt(broker.settings(), ("clap", "typing"), board=board("clap", "typing"))
    ear.wait_for(lambda heard: len(heard) == 4)
    sink.retarget(board("clap", "snap"))
    kept(ear, until, {f"{OWN}/status": "online", f"{OWN}/state/clap": "OFF", f"{OWN}/state/snap": "OFF",
                      **dict([told("clap", "snap")])})
    transition = json.loads([payload for topic, payload in ear.heard() if topic == DISCOVERY][1])["components"]
    assert transition["state_typing"] == {"platform": "binary_sensor"}
    assert [payload for topic, payload in ear.heard() if topic.endswith("/status")] == ["online", "online"]


def test_discovery_that_is_switched_off_is_taken_back(broker: PrivateBroker, listen: Listen, start_mqtt: StartMqtt,
                                                      until: Until) -> None:
    start_mqtt(broker.settings(), board=board("clap")).stop()
    start_mqtt(replace(broker.settings(), discovery=False), board=board("clap"))
    kept(listen(broker), until, {f"{OWN}/status": "online", f"{OWN}/state/clap": "OFF"})


def test_what_is_not_ours_is_not_taken_back(broker: PrivateBroker, listen: Listen, start_mqtt: StartMqtt,
                                            say: Callable[..., None], until: Until) -> None:
    say(broker, DISCOVERY, "theirs", retain=True)
    start_mqtt(replace(broker.settings(), discovery=False), board=board("clap")).stop()
    kept(listen(broker), until, {f"{OWN}/status": "offline", f"{OWN}/state/clap": "OFF", DISCOVERY: "theirs"})


def test_home_assistants_birth_and_a_forgetful_broker_are_told_again(broker: PrivateBroker, listen: Listen,
                                                                     start_mqtt: StartMqtt, say: Callable[..., None],
                                                                     until: Until) -> None:
    ear = listen(broker)
    start_mqtt(replace(broker.settings(), discovery_prefix="my/home"), board=board("clap"))
    own = "my/home/device/edge-audio_kitchen/config"
    ear.wait_for(lambda heard: len(heard) == 3 and heard[2][0] == own)
    say(broker, BIRTH, "online")  # another Home Assistant's
    say(broker, "my/home/status", "online")
    ear.wait_for(lambda heard: [topic for topic, _ in heard].count(own) == 2)
    ear.close()
    broker.restart()
    kept(listen(broker), until, {f"{OWN}/status": "online", f"{OWN}/state/clap": "OFF", own: told("clap")[1]})


def test_a_broker_that_forbids_discovery_is_said_and_events_go_on(tmp_path: Path, start_mqtt: StartMqtt, until: Until,
                                                                  make_event: MakeEvent) -> None:
    rules = tmp_path / "acl"
    rules.write_text("topic readwrite edge-audio/#\n")
    with PrivateBroker(extra=f"acl_file {rules}") as broker:
        sink = start_mqtt(broker.settings(), board=board("clap"))
        until(lambda: "refuses messages: not authorized" in sink.state)
        sink.event(make_event())
        until(lambda: sink.outbox.finished)
        assert len(sink.outbox) == 0
