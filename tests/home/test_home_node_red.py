"""The flow of deploy/node-red in a real Node-RED, through a real Mosquitto: `make test-home-assistant`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from edge.cli.demonstration.broker import PrivateBroker, free_port
from edge.stream import Event
from edge.topics import Topics, encode, event_payload
from tests.sinks.conftest import Ear

pytestmark = pytest.mark.slow
FLOW = Path(__file__).resolve().parent.parent.parent / "deploy" / "node-red" / "flow.json"
KITCHEN = Topics("edge-audio", "kitchen")
LAMP, NOTIFY = "home/living_room/lamp/set", "home/notify"


@pytest.fixture
def broker() -> Iterator[PrivateBroker]:
    with PrivateBroker() as broker:
        yield broker


@pytest.fixture
def node_red(broker: PrivateBroker) -> Iterator[None]:
    """Node-RED with the flow as it is, but for the broker's port."""
    named = os.environ.get("EDGE_AUDIO_HOME_ASSISTANT_ROOT")
    if not named:
        pytest.skip("EDGE_AUDIO_HOME_ASSISTANT_ROOT names no root with Node-RED: use make test-home-assistant")
    folder = f"/tmp/edge-audio-{uuid.uuid4().hex}"
    home = Path(named) / folder.lstrip("/")
    home.mkdir()
    (home / "flows.json").write_text(FLOW.read_text().replace('"1883"', f'"{broker.port}"'))
    (home / "settings.js").write_text('module.exports = {uiHost: "127.0.0.1", logging: {console: {level: "info"}}}\n')
    process = subprocess.Popen(
        ["chroot", named, "node", "/opt/node-red/node_modules/node-red/red.js", "--userDir", folder, "--settings",
         f"{folder}/settings.js", "--port", str(free_port()), f"{folder}/flows.json"],
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": folder}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True)
    assert process.stdout is not None
    try:
        said = []
        for line in process.stdout:
            said.append(line)
            if "Connected to broker" in line:
                break
        assert "Connected to broker" in said[-1], "".join(said)
        yield
    finally:
        process.terminate()
        process.communicate(timeout=60)
        shutil.rmtree(home)


def test_the_flow_runs(node_red: None, broker: PrivateBroker) -> None:
    ear = Ear(broker)

    def publish(topic: str, payload: str, *options: str) -> None:
        subprocess.run(["mosquitto_pub", "-p", str(broker.port), "-q", "1", "-s", "-t", topic, *options], input=payload,
                       text=True, check=True)

    def clap(id_: str, *, phase: str = "start", late: bool = False) -> None:
        event = Event(id_, 1, "start", "double_clap", "hand_clap", 0.9, 0.9, 0, None, datetime.now(UTC), None, -20.0)
        publish(KITCHEN.event("double_clap"), encode(event_payload(event, device="kitchen", late=late) | {"phase": phase}))

    publish(KITCHEN.event("double_clap"), json.dumps({"phase": "start", "late": False, "id": "subscribed"}), "-r")
    ear.wait_for(lambda heard: (LAMP, "ON") in heard)  # it has subscribed
    for id_, phase, late in (("1", "end", False), ("1", "start", True), ("2", "start", False), ("2", "start", False),
                             ("2", "end", False), ("3", "start", False)):
        clap(id_, phase=phase, late=late)
    ear.wait_for(lambda heard: [payload for topic, payload in heard if topic == LAMP] == ["ON", "OFF", "ON"])
    for state in ("OFF", "ON"):
        publish(KITCHEN.state("smoke_alarm"), state)
    ear.wait_for(lambda heard: (NOTIFY, "The kitchen hears a smoke alarm.") in heard)
    assert [topic for topic, _ in ear.heard() if topic.startswith("home/")] == [LAMP, LAMP, LAMP, NOTIFY]
    ear.close()
