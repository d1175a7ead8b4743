"""The appliance in a real Home Assistant, through a real Mosquitto: `make test-home-assistant`."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from edge.cli.demonstration.broker import PrivateBroker
from edge.stream import Event
from edge.topics import encode, event_payload
from tests.home.home_assistant import CLAP, HEARS, PIN, SMOKE_ALARM, TYPING, Board, HomeAssistant, sound, until

pytestmark = pytest.mark.slow


def test_the_examples_pass_home_assistants_own_check(home: HomeAssistant) -> None:
    done = subprocess.run(home.inside("-m", "homeassistant", "--script", "check_config", "--config",
                                      str(home.home.relative_to(os.environ["EDGE_AUDIO_HOME_ASSISTANT_ROOT"])), "--json"),
                          cwd="/", capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads(done.stdout[done.stdout.index("{"):])
    assert said["total_errors"] == 0 and said["total_warnings"] == 0, said
    for name in ("a_double_clap_toggles_the_lamp", "the_smoke_alarm_notifies"):
        assert home.state(f"automation.{name}") == "on"


def test_entities_appear_with_the_expected_ids(home: HomeAssistant, board: Callable[..., Board]) -> None:
    with board("study", HEARS, TYPING, SMOKE_ALARM, PIN):
        home.wait("sensor.study_source", "ok")
        assert home.entities("study") == {
            *(f"binary_sensor.study_{name}" for name in ("hand_clap", "double_clap", "typing", "smoke_alarm", "pin_17",
                                                         "connected", "source_problem")),
            *(f"event.study_{name}" for name in ("hand_clap", "double_clap")),
            *(f"sensor.study_{name}" for name in ("level", "uptime", "lost_samples", "dropped_events", "waiting_messages",
                                                  "source", "sinks"))}
        shown = {entity: home.find(entity) for entity in home.entities("study")}
        unknown = {entity for entity, found in shown.items() if found is not None and found["state"] == "unknown"}
        assert unknown <= {"event.study_hand_clap", "event.study_double_clap", "binary_sensor.study_pin_17"}
        smoke, typing = shown["binary_sensor.study_smoke_alarm"], shown["binary_sensor.study_typing"]
        assert smoke is not None and smoke["attributes"] == {"device_class": "smoke", "friendly_name": "study Smoke alarm"}
        assert typing is not None and (typing["state"], typing["attributes"]["device_class"]) == ("off", "sound")
        assert -120 < float(home.state("sensor.study_level") or 0) < 0
        assert "mqtt: connected" in str(home.state("sensor.study_sinks"))
        told = home.render("{% set d = 'sensor.study_level' %}{{ device_attr(d, 'manufacturer') }},"
                           "{{ device_attr(d, 'model') }},{{ device_attr(d, 'model_id') }},{{ device_attr(d, 'name') }}")
        assert told == "edge-audio,sound sensor,starter,study"


def test_sounds_change_states_and_fire_events(home: HomeAssistant, board: Callable[..., Board]) -> None:
    with board("hall", HEARS, TYPING) as hall:
        home.wait("binary_sensor.hall_typing", "off")
        assert home.state("event.hall_hand_clap") == "unknown"
        hall.hear(CLAP)
        until(lambda: home.state("event.hall_hand_clap") not in (None, "unknown", "unavailable"), "no clap")
        heard = home.find("event.hall_hand_clap")
        assert heard is not None
        attributes: dict[str, Any] = heard["attributes"]
        assert attributes["event_type"] == "heard" and attributes["event_types"] == ["heard"]
        assert attributes["label"] == "hand_clap" and 0.5 < attributes["probability"] <= 1
        assert attributes["clock_synchronised"] in (True, False) and len(attributes["id"]) == 36
        hall.hear(sound("typing.wav"))
        home.wait("binary_sensor.hall_typing", "on")
        home.wait("binary_sensor.hall_typing", "off")
        assert home.state("event.hall_double_clap") == "unknown"


def test_only_what_may_be_acted_on_is_an_event(home: HomeAssistant, board: Callable[..., Board],
                                               home_broker: PrivateBroker) -> None:
    now = datetime.now(UTC)
    event = Event("first", 1, "start", "hand_clap", "hand_clap", 0.9, 0.9, 0, None, now, None, -20.0)
    payload = event_payload(event, device="porch", late=False)

    def publish(target: str, **others: Any) -> None:
        subprocess.run(["mosquitto_pub", "-h", home_broker.host, "-p", str(home_broker.port), "-q", "1", "-s", "-t",
                        f"edge-audio/porch/event/{target}"], input=encode(payload | others), text=True, check=True)

    def wait(target: str, id_: str) -> str:
        entity = f"event.porch_{target}"
        until(lambda: (home.find(entity) or {"attributes": {}})["attributes"].get("id") == id_, f"no event {id_}")
        return str(home.state(entity))

    with board("porch", HEARS):
        home.wait("event.porch_double_clap", "unknown")
        for others in ({"late": True}, {"phase": "end"}, {"schema": 2}):
            publish("hand_clap", **others)
        publish("double_clap", id="after")
        wait("double_clap", "after")
        assert home.state("event.porch_hand_clap") == "unknown"
        publish("hand_clap")
        first = wait("hand_clap", "first")
        publish("hand_clap")  # the broker may send it twice
        publish("double_clap", id="later")
        wait("double_clap", "later")
        assert home.state("event.porch_hand_clap") == first
        publish("hand_clap", id="second")
        assert wait("hand_clap", "second") > first
