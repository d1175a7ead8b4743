"""The examples for Home Assistant, Node-RED and mosquitto_sub name what there is, and the lines for a shell run."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from edge.cli.demonstration.broker import PrivateBroker
from edge.sinks.mqtt.discovery import Board, TargetEntities, device_payload
from edge.stream import Event
from edge.topics import Topics, encode, event_payload

DEPLOY = Path(__file__).resolve().parent.parent.parent / "deploy"
KITCHEN = Topics("edge-audio", "kitchen")
README = (DEPLOY / "home-assistant" / "README.md").read_text(encoding="utf-8")
LINES = re.findall(r"^    (mosquitto_sub .*)$", README, re.MULTILINE)
CLAP = Event("0192f0c1-0000-7000-8000-000000000001", 1, "start", "double_clap", "hand_clap", 0.9, 0.9, 0, None,
             datetime.now(UTC), None, -20.0)


def told(**others: Any) -> str:
    return encode(event_payload(CLAP, device="kitchen", late=False) | others)


def test_the_automations_name_entities_that_there_are() -> None:
    targets = (TargetEntities("double_clap", momentary=True), TargetEntities("smoke_alarm", momentary=True))
    components: Any = device_payload(Board(KITCHEN, "1", "starter", targets))["components"]
    ids = {component["default_entity_id"] for component in components.values()}
    named = re.findall(r"\w+\.kitchen_\w+", (DEPLOY / "home-assistant" / "automations.yaml").read_text(encoding="utf-8"))
    assert len(named) == 5 and set(named) <= ids


def test_the_flow_for_node_red_names_topics_that_there_are() -> None:
    flow = json.loads((DEPLOY / "node-red" / "flow.json").read_text(encoding="utf-8"))
    ids = [node["id"] for node in flow]
    assert len(set(ids)) == len(ids)
    assert all(target in ids for node in flow for wires in node.get("wires", ()) for target in wires)
    heard = {node["name"]: node["topic"] for node in flow if node["type"] == "mqtt in"}
    everywhere = {name: topic.replace("+", "kitchen") for name, topic in heard.items()}
    assert everywhere == {"double clap": KITCHEN.event("double_clap"), "smoke alarm": KITCHEN.state("smoke_alarm"),
                          "boards": KITCHEN.status}


@pytest.fixture
def broker() -> Iterator[PrivateBroker]:
    with PrivateBroker() as broker:
        yield broker


@pytest.fixture
def publish(broker: PrivateBroker) -> Callable[..., None]:
    """publish(topic, payload, retain=False)."""
    def say(topic: str, payload: str, *, retain: bool = False) -> None:
        subprocess.run(["mosquitto_pub", "-p", str(broker.port), "-q", "1", "-s", "-t", topic, *(["-r"] if retain else [])],
                       input=payload, text=True, check=True)
    return say


class Shell:
    """A line of README's, run by a shell as it stands, but for the port."""

    def __init__(self, line: str, broker: PrivateBroker) -> None:
        self._process = subprocess.Popen(["bash", "-c", line.replace("-h localhost", f"-h localhost -p {broker.port}")],
                                         stdout=subprocess.PIPE, text=True, start_new_session=True)

    def line(self) -> str:
        """The next one that it prints; empty at its end."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().rstrip("\n")

    def end(self) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


@pytest.fixture
def shell(broker: PrivateBroker) -> Iterator[Callable[[str], Shell]]:
    """shell(a part of one of README's lines) -> Shell, ended at the end."""
    started: list[Shell] = []

    def start(part: str) -> Shell:
        line, = (each for each in LINES if part in each)
        started.append(Shell(line, broker))
        return started[-1]

    yield start
    for each in started:
        each.end()


def test_every_line_is_tried_below() -> None:
    assert len(LINES) == 4


@pytest.mark.big
def test_all_that_is_retained_is_shown(shell: Callable[[str], Shell], publish: Callable[..., None]) -> None:
    publish(KITCHEN.status, "online", retain=True)
    publish(KITCHEN.state("typing"), "ON", retain=True)
    shown = shell("/status")
    assert {shown.line(), shown.line()} == {f"{KITCHEN.status} online", f"{KITCHEN.state('typing')} ON"}


@pytest.mark.big
def test_events_of_every_board_are_shown(shell: Callable[[str], Shell], publish: Callable[..., None]) -> None:
    """A retained message of its own shows that it has subscribed."""
    publish(Topics("edge-audio", "hall").event("first"), "here", retain=True)
    shown = shell("/event/#")
    assert shown.line() == "edge-audio/hall/event/first here"
    publish(KITCHEN.event("double_clap"), told())
    assert shown.line() == f"{KITCHEN.event('double_clap')} {told()}"


@pytest.mark.big
def test_a_command_runs_for_each_clap_even_for_those_of_meanwhile(shell: Callable[[str], Shell],
                                                                  publish: Callable[..., None]) -> None:
    topic = KITCHEN.event("double_clap")
    publish(topic, told(id="retained"), retain=True)
    shown = shell("clapper")
    assert shown.line() == f"clapped: {told(id='retained')}"
    for others in ({"phase": "end"}, {"late": True}):
        publish(topic, told(**others))
    publish(topic, told(id="second"))
    assert shown.line() == f"clapped: {told(id='second')}"
    shown.end()
    publish(topic, told(id="meanwhile"))
    again = shell("clapper")
    assert {again.line(), again.line()} == {f"clapped: {told(id=name)}" for name in ("retained", "meanwhile")}


@pytest.mark.big
def test_a_board_that_is_gone_is_forgotten(shell: Callable[[str], Shell], publish: Callable[..., None]) -> None:
    old = Topics("edge-audio", "old")
    gone = (old.status, old.state("typing"), "homeassistant/device/edge-audio_old/config")
    for topic in gone:
        publish(topic, "retained", retain=True)
    publish(KITCHEN.status, "online", retain=True)
    shown = shell("--remove-retained")
    told_of = {line.split()[0] for line in iter(shown.line, "")}  # it ends by itself
    assert told_of == set(gone)
    assert shell("/status").line() == f"{KITCHEN.status} online"
