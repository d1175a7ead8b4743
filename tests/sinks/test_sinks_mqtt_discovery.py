"""What Home Assistant is told. Identities are pinned: a change makes every owner's entities appear a second time."""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

import pytest

from edge.errors import SettingsError
from edge.sinks.mqtt.discovery import Board, TargetEntities, birth_topic, device_payload, discovery_topic, object_id
from edge.topics import Topics, encode

CLAP = TargetEntities("hand_clap", ("hand_clap",), momentary=True)
TYPING = TargetEntities("typing", ("typing",))
VERBS = ("mute", "unmute", "identify", "pin-test", "threshold", "feedback")


def board(*targets: TargetEntities, device: str = "kitchen", prefix: str = "edge-audio", **others: Any) -> Board:
    return Board(Topics(prefix, device), "1.2.3", "starter", targets, **others)


def components(told: Board) -> dict[str, Any]:
    found = json.loads(encode(device_payload(told)))["components"]
    assert isinstance(found, dict)
    return found


def test_the_topics_are_pinned() -> None:
    assert discovery_topic("homeassistant", Topics("edge-audio", "kitchen")) \
        == "homeassistant/device/edge-audio_kitchen/config"
    assert discovery_topic("my/home", Topics("edge-audio", "k")) == "my/home/device/edge-audio_k/config"
    assert birth_topic("homeassistant") == "homeassistant/status"


@pytest.mark.parametrize("prefix", ["", "a/#", "+", "a//b", "/a", "$SYS"])
def test_a_prefix_that_is_no_topic_is_refused(prefix: str) -> None:
    with pytest.raises(SettingsError, match=r"\[mqtt\] discovery_prefix"):
        discovery_topic(prefix, Topics("edge-audio", "kitchen"))
    with pytest.raises(SettingsError, match=r"\[mqtt\] discovery_prefix"):
        birth_topic(prefix)


def test_device_origin_and_availability_are_pinned() -> None:
    payload = device_payload(board(CLAP))
    del payload["components"]
    assert payload == {
        "device": {"identifiers": ["edge-audio_kitchen"], "name": "kitchen", "manufacturer": "edge-audio",
                   "model": "sound sensor", "model_id": "starter", "sw_version": "1.2.3"},
        "origin": {"name": "edge-audio", "sw_version": "1.2.3"},
        "availability": [{"topic": "edge-audio/kitchen/status", "payload_available": "online",
                          "payload_not_available": "offline"}]}


def test_every_identity_is_pinned() -> None:
    told = components(board(CLAP, TYPING, pins=("17",), verbs=VERBS))
    assert {key: (entity["unique_id"].removeprefix("edge-audio_kitchen_"), entity["default_entity_id"])
            for key, entity in told.items()} == {
        "state_hand_clap": ("state_hand_clap", "binary_sensor.kitchen_hand_clap"),
        "event_hand_clap": ("event_hand_clap", "event.kitchen_hand_clap"),
        "state_typing": ("state_typing", "binary_sensor.kitchen_typing"),
        "pin_17": ("pin_17", "binary_sensor.kitchen_pin_17"),
        "pin-test_17": ("pin-test_17", "button.kitchen_test_pin_17"),
        "muted": ("muted", "switch.kitchen_mute"),
        "identify": ("identify", "button.kitchen_identify"),
        "status": ("status", "binary_sensor.kitchen_connected"),
        "source_problem": ("source_problem", "binary_sensor.kitchen_source_problem"),
        "level_dbfs": ("level_dbfs", "sensor.kitchen_level"),
        "uptime_seconds": ("uptime_seconds", "sensor.kitchen_uptime"),
        "lost_samples": ("lost_samples", "sensor.kitchen_lost_samples"),
        "dropped_events": ("dropped_events", "sensor.kitchen_dropped_events"),
        "waiting_messages": ("waiting_messages", "sensor.kitchen_waiting_messages"),
        "source": ("source", "sensor.kitchen_source"),
        "sinks": ("sinks", "sensor.kitchen_sinks")}
    assert told["status"]["schema"] == 1
    assert all("object_id" not in entity for entity in told.values())  # ignored since Home Assistant 2026.4


def test_only_what_is_momentary_has_an_event_entity() -> None:
    told = components(board(CLAP, TYPING, TargetEntities("double_clap", momentary=True)))
    assert [key for key in told if key.startswith("event_")] == ["event_hand_clap", "event_double_clap"]
    assert told["event_hand_clap"]["state_topic"] == "edge-audio/kitchen/event/hand_clap"
    assert told["event_hand_clap"]["event_types"] == ["heard"]
    assert told["state_typing"]["state_topic"] == "edge-audio/kitchen/state/typing"


@pytest.mark.parametrize("verbs", [(), ("mute",), ("unmute",), ("mute", "unmute"), ("identify",), ("pin-test",), VERBS])
def test_what_needs_a_command_is_there_only_where_it_is_allowed(verbs: tuple[str, ...]) -> None:
    told = components(board(CLAP, pins=("17",), verbs=verbs))
    assert ("muted" in told, "identify" in told, "pin-test_17" in told) == (
        {"mute", "unmute"} <= set(verbs), "identify" in verbs, "pin-test" in verbs)
    assert "pin_17" in told
    for entity in told.values():
        if "command_topic" in entity:
            assert entity["command_topic"].removeprefix("edge-audio/kitchen/command/") in verbs
            payloads = [entity[name] for name in ("payload_on", "payload_off", "payload_press") if name in entity]
            assert payloads and all(isinstance(json.loads(payload), dict) for payload in payloads)


@pytest.mark.parametrize(("target", "device_class"), [
    (TargetEntities("smoke_alarm"), "smoke"), (TargetEntities("Smoke-detector"), "smoke"),
    (TargetEntities("kitchen", ("Smoke detector, smoke alarm",)), "smoke"), (TargetEntities("fire_alarm"), "smoke"),
    (TargetEntities("any_alarm", ("Smoke detector, smoke alarm", "Siren")), "sound"),
    (TargetEntities("carbon_monoxide_alarm"), "carbon_monoxide"), (TargetEntities("glass_break"), "sound"),
    (TargetEntities("loud"), "sound"), (CLAP, "sound")])
def test_a_device_class_says_what_the_state_means(target: TargetEntities, device_class: str) -> None:
    assert components(board(target))[f"state_{target.name}"]["device_class"] == device_class


NAMES = ("hand_clap", "hand-clap", "Hand_Clap", "hand clap", "Händeklatschen", "拍手", "拍", "-", "_", "a_b", "a.b",
         "pin_17", "connected", "x" * 200)


def test_names_that_read_alike_are_told_apart_whatever_the_order() -> None:
    found = []
    for order in (NAMES, NAMES[::-1]):
        told = components(board(*(TargetEntities(name, momentary=True) for name in order), pins=("17", "GPIO17", "J8:11"),
                                verbs=VERBS))
        for what in ("unique_id", "default_entity_id"):
            assert len({entity[what] for entity in told.values()}) == len(told)
        assert all(re.fullmatch("[A-Za-z0-9_-]+", entity["unique_id"]) for entity in told.values())
        assert all(re.fullmatch(r"[a-z_]+\.[a-z0-9_]*[a-z0-9]", entity["default_entity_id"]) for entity in told.values())
        assert all(re.fullmatch("[A-Za-z0-9_-]+", key) for key in told)
        found.append({(entity["unique_id"], entity["default_entity_id"]) for entity in told.values()})
    assert found[0] == found[1]
    own = {entity["default_entity_id"] for entity in told.values()}
    assert {"binary_sensor.kitchen_hand_clap", "event.kitchen_hand_clap", "binary_sensor.kitchen_pin_17"} <= own


def test_identities_stay_when_others_come_and_go() -> None:
    alone = components(board(CLAP))
    beside = components(board(TYPING, TargetEntities("hand-clap"), CLAP, pins=("17",), verbs=VERBS))
    assert {key: beside[key] for key in alone} == alone


def test_boards_are_told_apart() -> None:
    names = [object_id(Topics(prefix, device)) for prefix, device in itertools.product(
        ("edge-audio", "edge_audio", "other", "my home"), ("kitchen", "Kitchen", "kitchen_other", "k.tchen", "k_tchen"))]
    assert len(set(names)) == len(names)
    assert names[0] == "edge-audio_kitchen"
    assert all(re.fullmatch("[A-Za-z0-9_-]+", name) for name in names)
