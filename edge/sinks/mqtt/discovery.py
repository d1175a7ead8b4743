"""MQTT device discovery: Home Assistant is told of this board, and its entities appear by themselves. Pure.

    <discovery_prefix>/device/<object id>/config    JSON, retained: `device`, `origin`, `components`

One message for the board, in the form that Home Assistant 2025.10 and newer read (its documentation of the
MQTT integration: device discovery, with `default_entity_id`). An entity is identified by its unique id and
its key among the components. Both depend on prefix, device and the entity's own name only, so other entities
do not change them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

from edge.errors import SettingsError
from edge.topics import OFF, OFFLINE, ON, ONLINE, Topics, check_level, encode

SCHEMA = 1
"""Version of this payload. It grows when an entity changes its meaning or its identity."""

MAKER = "edge-audio"
"""The name of the message's origin, by which a retained message is recognised as one of ours."""

HEARD = "heard"
"""The one event type of an event entity."""

_EVENT_FIELDS = ("id", "sequence", "label", "probability", "level_dbfs", "started_at", "clock_synchronised")
_EVENT_TEMPLATE = (
    "{% if value_json.schema == 1 and value_json.phase == 'start' and not value_json.late"
    " and value_json.id != this.attributes.get('id') %}"
    "{{ {'event_type': '" + HEARD + "', "
    + ", ".join(f"'{name}': value_json.{name}" for name in _EVENT_FIELDS) + "} | to_json }}{% endif %}")
"""Home Assistant gets only events to act on: starts that are not late and not repeats (QoS 1 may repeat)."""

_DEVICE_CLASSES = (("carbon monoxide", "carbon_monoxide"), ("co alarm", "carbon_monoxide"), ("smoke", "smoke"),
                   ("fire alarm", "smoke"))
"""Words in a target's name, or in all its labels, and the device class that they mean; else `sound`."""


@dataclass(frozen=True, slots=True)
class TargetEntities:
    """A target as discovery knows it. momentary: its events have no length (impulsive, or a pattern)."""

    name: str
    labels: tuple[str, ...] = ()
    momentary: bool = False


@dataclass(frozen=True, slots=True)
class Board:
    """What there is to tell. pins: as the settings name them; verbs: those that the settings allow."""

    topics: Topics
    version: str
    model: str
    targets: tuple[TargetEntities, ...] = ()
    pins: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()


def discovery_topic(prefix: str, topics: Topics) -> str:
    """Where the message goes. Raises SettingsError for a prefix that is no topic."""
    return f"{check_prefix(prefix)}/device/{object_id(topics)}/config"


def birth_topic(prefix: str) -> str:
    """Where Home Assistant says that it starts. Raises SettingsError for a prefix that is no topic."""
    return f"{check_prefix(prefix)}/status"


def check_prefix(prefix: str) -> str:
    """`prefix`, if it is one or more topic levels. Raises SettingsError."""
    if not prefix:
        raise SettingsError("[mqtt] discovery_prefix", found="nothing", wanted="Home Assistant's own, such as homeassistant")
    for level in prefix.split("/"):
        check_level(level, thing="[mqtt] discovery_prefix")
    return prefix


def object_id(topics: Topics) -> str:
    """What this board is called in Home Assistant's registries: letters, digits, '-' and '_'."""
    own = f"{MAKER}_{_safe(topics.device)}"
    return own if topics.prefix == MAKER else f"{own}_{_digest(topics.prefix)}"


def device_payload(board: Board) -> dict[str, object]:
    """The whole message, to be sent as JSON."""
    own = object_id(board.topics)
    found = dict(_components(board))
    ids = _entity_ids({key: (str(entity["platform"]), str(entity["name"])) for key, entity in found.items()})
    device = _slug(board.topics.device)
    components = {
        key: entity | {"name": _words(str(entity["name"])), "unique_id": f"{own}_{key}",
                       "default_entity_id": f"{entity['platform']}.{device}_{ids[key]}"}
        for key, entity in found.items()}
    return {
        "device": {"identifiers": [own], "name": board.topics.device, "manufacturer": MAKER, "model": "sound sensor",
                   "model_id": board.model, "sw_version": board.version},
        "origin": {"name": MAKER, "sw_version": board.version},
        "availability": [{"topic": board.topics.status, "payload_available": ONLINE, "payload_not_available": OFFLINE}],
        "components": components}


def _components(board: Board) -> Iterator[tuple[str, dict[str, object]]]:
    """Keys and entities of all components; an entity's id is made of its name."""
    topics = board.topics
    for target in board.targets:
        yield f"state_{_safe(target.name)}", _binary(target.name, topics.state(target.name), _device_class(target))
        if target.momentary:
            yield f"event_{_safe(target.name)}", {
                "platform": "event", "name": target.name, "state_topic": topics.event(target.name), "qos": 1,
                "event_types": [HEARD], "value_template": _EVENT_TEMPLATE}
    for pin in board.pins:
        yield f"pin_{_safe(pin)}", _binary(f"pin {pin}", topics.pin(pin), None)
        if "pin-test" in board.verbs:
            yield f"pin-test_{_safe(pin)}", _button(f"test pin {pin}", topics.command("pin-test"), encode({"pin": pin}))
    if {"mute", "unmute"} <= set(board.verbs):
        yield "muted", {
            "platform": "switch", "name": "mute", "state_topic": topics.muted, "state_on": ON, "state_off": OFF,
            "command_topic": topics.command("mute"), "payload_on": encode({"on": True}),
            "payload_off": encode({"on": False}), "qos": 1, "icon": "mdi:microphone-off"}
    if "identify" in board.verbs:
        yield "identify", _button("identify", topics.command("identify"), "{}") | {"device_class": "identify"}
    # Always available, for it tells whether the board is.
    yield "status", _binary("connected", topics.status, "connectivity") | {
        "payload_on": ONLINE, "payload_off": OFFLINE, "availability": [], "entity_category": "diagnostic", "schema": SCHEMA}
    yield "source_problem", _binary("source problem", topics.health, "problem") | {
        "value_template": f"{{{{ '{OFF}' if value_json.get('source') == 'ok' else '{ON}' }}}}",
        "entity_category": "diagnostic"}
    yield from _health(topics.health)


def _health(topic: str) -> Iterator[tuple[str, dict[str, object]]]:
    """Sensors on what `health` says; a value that it does not have is unknown."""
    measured: tuple[tuple[str, str, Mapping[str, object]], ...] = (
        ("uptime_seconds", "uptime", {"unit_of_measurement": "s", "device_class": "duration",
                                      "state_class": "measurement"}),
        ("lost_samples", "lost samples", {"state_class": "total_increasing"}),
        ("dropped_events", "dropped events", {"state_class": "total_increasing"}),
        ("waiting_messages", "waiting messages", {"state_class": "measurement"}),
        ("source", "source", {}))
    yield "level_dbfs", _sensor(topic, "level", _value("level_dbfs")) | {
        "unit_of_measurement": "dBFS", "state_class": "measurement", "icon": "mdi:volume-high"}
    for key, name, more in measured:
        yield key, _sensor(topic, name, _value(key)) | {"entity_category": "diagnostic", **more}
    yield "sinks", _sensor(topic, "sinks",
                           "{{ (value_json.get('sinks', {}).items() | map('join', ': ') | join('; '))[:255] }}") | {
        "entity_category": "diagnostic"}


def _binary(name: str, topic: str, device_class: str | None) -> dict[str, object]:
    return {"platform": "binary_sensor", "name": name, "state_topic": topic, "payload_on": ON, "payload_off": OFF,
            "qos": 1} | ({} if device_class is None else {"device_class": device_class})


def _button(name: str, topic: str, payload: str) -> dict[str, object]:
    return {"platform": "button", "name": name, "command_topic": topic, "payload_press": payload, "qos": 1,
            "entity_category": "config"}


def _sensor(topic: str, name: str, template: str) -> dict[str, object]:
    return {"platform": "sensor", "name": name, "state_topic": topic, "value_template": template, "qos": 1}


def _value(key: str) -> str:
    """A template for one value of `health`, cut to Home Assistant's longest state; None is unknown."""
    return f"{{{{ (value_json.get('{key}') | string)[:255] }}}}"


def _device_class(target: TargetEntities) -> str:
    labels = [_words(label).lower() for label in target.labels]
    for words, device_class in _DEVICE_CLASSES:
        if words in _words(target.name).lower() or (labels and all(words in label for label in labels)):
            return device_class
    return "sound"


def _words(name: str) -> str:
    """A name as people write it: "Hand clap" for hand_clap."""
    words = " ".join(name.replace("_", " ").replace("-", " ").split()) or name
    return words[:1].upper() + words[1:]


def _entity_ids(entities: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """For each key: what follows the device's name in the entity id. entities: (platform, name) by key.

    Where names give the same id on one platform, a digest of the key is added, whatever the order of the
    entities. Only a target whose name is exactly that id keeps it without a digest.
    """
    alike: dict[tuple[str, str], list[str]] = {}
    for key, (platform, name) in entities.items():
        alike.setdefault((platform, _slug(name)), []).append(key)
    return {key: slug if len(keys) == 1 or key in (f"state_{slug}", f"event_{slug}") else f"{slug}_{_digest(key)}"
            for (_platform, slug), keys in alike.items() for key in keys}


def _slug(name: str) -> str:
    """Lower-case letters, digits and '_', as entity ids are written."""
    return re.sub("[^a-z0-9]+", "_", name.lower()).strip("_") or _digest(name)


def _safe(name: str) -> str:
    """`name` where it has only letters, digits, '-' and '_'; else with '_' for the others, and a digest."""
    written = re.sub("[^A-Za-z0-9_-]", "_", name)
    return name if written == name else f"{written}_{_digest(name)}"


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8")).hexdigest()[:8]
