"""What was retained in, what to publish out: nothing of a removed target or pin stays, and nothing else is touched."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import SettingsError
from edge.sinks.mqtt.discovery import Board, TargetEntities, device_payload
from edge.sinks.mqtt.retained import MOST, SPREAD_SECONDS, Retained
from edge.topics import Topics, encode

CLAP, TYPING = TargetEntities("hand_clap", momentary=True), TargetEntities("typing")
DISCOVERY, BIRTH = "homeassistant/device/edge-audio_kitchen/config", "homeassistant/status"
OWN = "edge-audio/kitchen"


def board(*targets: TargetEntities, pins: tuple[str, ...] = ()) -> Board:
    return Board(Topics("edge-audio", "kitchen"), "1.2.3", "starter", targets, pins)


def told(*targets: TargetEntities, pins: tuple[str, ...] = ()) -> str:
    return encode(device_payload(board(*targets, pins=pins)))


def retained(*targets: TargetEntities, discovery: bool = True, **others: Any) -> Retained:
    return Retained(board(*targets, **others), discovery_prefix="homeassistant", discovery=discovery)


def test_the_patterns_are_pinned() -> None:
    own = (DISCOVERY, f"{OWN}/state/+", f"{OWN}/pin/+")
    assert (retained(CLAP).own, retained(CLAP).birth) == (own, BIRTH)
    assert (retained(CLAP, discovery=False).own, retained(CLAP, discovery=False).birth) == (own, "")
    with pytest.raises(SettingsError, match=r"\[mqtt\] discovery_prefix"):
        Retained(board(CLAP), discovery_prefix="a/+", discovery=False)


def test_a_board_that_is_new_is_told_once_and_not_too_early() -> None:
    new = retained(CLAP)
    assert new.due(0.0, settled=False) == []
    assert new.due(0.0, settled=True) == [(DISCOVERY, told(CLAP))]
    assert new.due(0.0, settled=True) == []


def test_states_and_pins_of_others_are_left_and_removed_ones_cleared() -> None:
    kept = retained(CLAP, pins=("17",))
    for topic in ("state/hand_clap", "state/typing", "pin/17", "pin/27", "status", "health", "event/typing", "muted"):
        kept.hear(f"{OWN}/{topic}", "ON", True)
    kept.hear("edge-audio/hall/state/typing", "ON", True)
    assert kept.due(0.0, settled=False) == [(f"{OWN}/state/typing", ""), (f"{OWN}/pin/27", "")]
    assert kept.due(0.0, settled=False) == []


def test_what_is_not_retained_is_no_ghost() -> None:
    kept = retained(CLAP)
    kept.hear(f"{OWN}/state/typing", "ON", False)
    kept.hear(f"{OWN}/state/typing", "", True)
    kept.hear(DISCOVERY, told(CLAP, TYPING), False)
    assert kept.due(0.0, settled=True) == [(DISCOVERY, told(CLAP))]


def test_a_removed_component_is_first_told_with_its_platform_only() -> None:
    kept = retained(CLAP)
    kept.hear(DISCOVERY, told(CLAP, TYPING, pins=("17",)), True)
    (first_topic, first), last = kept.due(0.0, settled=True)
    now = json.loads(told(CLAP))
    assert first_topic == DISCOVERY and last == (DISCOVERY, told(CLAP))
    components = json.loads(first)["components"]
    gone = {"state_typing": {"platform": "binary_sensor"}, "pin_17": {"platform": "binary_sensor"}}
    assert components == gone | now["components"]
    assert list(components)[:2] == list(gone)
    assert json.loads(first) | {"components": None} == now | {"components": None}
    assert kept.due(0.0, settled=True) == []


def test_what_arrives_late_is_removed_all_the_same() -> None:
    kept = retained(CLAP)
    kept.due(0.0, settled=True)
    kept.hear(DISCOVERY, told(CLAP, TYPING), True)
    assert len(kept.due(0.0, settled=True)) == 2


def test_an_interrupted_removal_is_done_again() -> None:
    kept = retained(CLAP)
    kept.hear(DISCOVERY, told(CLAP, TYPING), True)
    halfway, _ = kept.due(0.0, settled=True)
    again = retained(CLAP)
    again.hear(*halfway, True)
    assert again.due(0.0, settled=True) == [halfway, (DISCOVERY, told(CLAP))]


def test_discovery_that_is_off_takes_back_what_was_ours() -> None:
    off = retained(CLAP, discovery=False)
    assert off.due(0.0, settled=True) == []
    off.hear(DISCOVERY, told(CLAP, TYPING), True)
    assert off.due(0.0, settled=False) == []
    assert off.due(0.0, settled=True) == [(DISCOVERY, "")]
    assert off.due(0.0, settled=True) == []
    off.hear(BIRTH, "online", False)
    assert off.due(0.0, settled=True) == []


FOREIGN = json.dumps({"origin": {"name": "zigbee2mqtt"}, "device": {"identifiers": ["edge-audio_kitchen"]},
                      "components": {"a": {"platform": "light"}}})


@pytest.mark.parametrize("payload", [
    FOREIGN, "no JSON", "[]", "1", '{"components": 1}', '{"components": {"a": 1}}', '{"components": {"a": {"platform": 1}}}',
    '{"origin": "edge-audio", "device": []}', '{"origin": {"name": "edge-audio"}, "device": {"identifiers": ["other"]}}',
    '{"components": {"\\ud800": {"platform": "light"}, "a b": {"platform": "light"}, "c": {"platform": "\\ud800"}}}',
    "[" * 100_000])
def test_what_somebody_else_left_is_not_ours(payload: str) -> None:
    off, on = retained(CLAP, discovery=False), retained(CLAP)
    for each in (off, on):
        each.hear(DISCOVERY, payload, True)
    assert off.due(0.0, settled=True) == []
    messages = on.due(0.0, settled=True)
    assert messages[-1] == (DISCOVERY, told(CLAP))
    assert all(text.encode("utf-8") for _, text in messages)


def test_home_assistants_birth_is_answered_once_and_not_by_all_at_the_same_time() -> None:
    kept = retained(CLAP)
    kept.due(0.0, settled=True)
    for payload, old in (("offline", False), ("online", True), ("", False)):
        kept.hear(BIRTH, payload, old)
    assert kept.due(1e6, settled=True) == []
    moments = []
    for name in ("kitchen", "hall", "attic", "cellar"):
        each = Retained(replace(board(CLAP), topics=Topics("edge-audio", name)), discovery_prefix="homeassistant",
                        discovery=True)
        each.due(0.0, settled=True)
        for _ in range(1000):
            each.hear(BIRTH, "online", False)
        seconds = [SPREAD_SECONDS + 1.0 + tenth / 10 for tenth in range(int(SPREAD_SECONDS * 10) + 2)]
        told_at = [second for second in seconds if each.due(second, settled=True)]
        moments += told_at
    assert len(moments) == len(set(moments)) == 4


def test_a_broker_full_of_foreign_topics_does_not_grow_memory() -> None:
    kept = retained(CLAP)
    for number in range(MOST + 500):
        kept.hear(f"{OWN}/state/x{number}", "ON", True)
    assert len(kept.due(0.0, settled=False)) == MOST
    kept.hear(f"{OWN}/state/y", "ON", True)
    assert kept.due(0.0, settled=False) == []  # the rest waits for the next connection


def test_who_says_again_and_again_that_home_assistant_starts_is_answered_now_and_then() -> None:
    kept, seconds = retained(CLAP), 60
    answers = []
    for hundredth in range(seconds * 100):
        kept.hear(BIRTH, "online", False)
        answers += kept.due(hundredth / 100, settled=True)
    assert 2 <= len(answers) <= seconds / SPREAD_SECONDS


texts = st.text(st.characters(exclude_categories=()))  # half a surrogate pair is JSON, too, and no UTF-8
values = st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | texts,
                      lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=10)
components = st.dictionaries(texts | st.just("state_typing"), values | st.fixed_dictionaries({
    "platform": texts | st.just("binary_sensor")}), max_size=5)


@given(payload=values | st.fixed_dictionaries({
    "origin": values | st.just({"name": "edge-audio"}), "device": values | st.just({"identifiers": ["edge-audio_kitchen"]}),
    "components": values | components}), discovery=st.booleans())
def test_whatever_somebody_left_there_what_is_published_is_utf8_and_ends_right(payload: Any, discovery: bool) -> None:
    kept = retained(CLAP, discovery=discovery)
    kept.hear(DISCOVERY, json.dumps(payload), True)
    messages = kept.due(0.0, settled=True)
    assert all(json.loads(text.encode("utf-8")) for _, text in messages if text)
    assert {topic for topic, _ in messages} <= {DISCOVERY}
    assert messages[-1:] == ([(DISCOVERY, told(CLAP))] if discovery else messages and [(DISCOVERY, "")])
    assert len(messages) <= (2 if discovery else 1)
