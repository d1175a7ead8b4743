"""The appliance in a real Home Assistant, through a real Mosquitto: `make test-home-assistant`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from edge.demo.broker import PrivateBroker
from edge.stream import Event
from edge.topics import encode, event_payload
from tests.home_assistant_process import ROOT, Board, HomeAssistant, sound, until

pytestmark = pytest.mark.slow

CONFIGURATION = """
automation examples: !include automations.yaml
automation test:
  - alias: what was notified
    triggers: [{trigger: persistent_notification, update_type: [added]}]
    actions:
      - {action: input_text.set_value, target: {entity_id: input_text.notified},
         data: {value: "{{ trigger.notification.title }}: {{ trigger.notification.message }}"}}
input_text: {notified: {}}
input_boolean: {lamp: {}}
template:
  - light:
      - name: Living room
        state: "{{ is_state('input_boolean.lamp', 'on') }}"
        turn_on: {action: input_boolean.turn_on, target: {entity_id: input_boolean.lamp}}
        turn_off: {action: input_boolean.turn_off, target: {entity_id: input_boolean.lamp}}
"""

HEARS = """
[[target]]
name = "hand_clap"
[[target]]
name = "double_clap"
pattern_of = "hand_clap"
minimum_gap_seconds = 0.15
maximum_gap_seconds = 0.7
quiet_before_seconds = 1.0
quiet_after_seconds = 1.0
"""
TYPING = '[[target]]\nname = "typing"\n'
SMOKE_ALARM = '[[target]]\nname = "smoke_alarm"\nlabels = ["siren"]\n'  # a siren is bundled, an alarm is not
PIN = '[[pin]]\npin = 17\ntarget = "hand_clap"\naction = "toggle"\nfactory = "simulated"\n'

CLAP = sound("claps.wav", 0.0, 4.5)
DOUBLE_CLAP = (sound("claps.wav", 0.0, 1.85), sound("claps.wav", 1.45, 4.5))


@pytest.fixture(scope="module")
def broker() -> Iterator[PrivateBroker]:
    with PrivateBroker() as broker:
        yield broker


@pytest.fixture(scope="module")
def home(broker: PrivateBroker) -> Iterator[HomeAssistant]:
    """Home Assistant with MQTT and the examples of deploy/home-assistant, as the root has it."""
    named = os.environ.get("EDGE_AUDIO_HOME_ASSISTANT_ROOT")
    if not named:
        pytest.skip("EDGE_AUDIO_HOME_ASSISTANT_ROOT names no root with Home Assistant: use make test-home-assistant")
    home = HomeAssistant(Path(named), f"/tmp/edge-audio-{uuid.uuid4().hex}", CONFIGURATION)
    shutil.copy(ROOT / "deploy" / "home-assistant" / "automations.yaml", home.home)
    try:
        with home:
            home.add_mqtt(broker.port)
            yield home
    finally:
        shutil.rmtree(home.home)


@pytest.fixture
def board(broker: PrivateBroker, tmp_path: Path) -> Callable[..., Board]:
    """board(device, settings) -> Board, not yet started."""
    def make(device: str, *settings: str, mqtt: str = "") -> Board:
        folder = tmp_path / uuid.uuid4().hex
        folder.mkdir()
        head = f'[device]\nname = "{device}"\n[mqtt]\nhost = "127.0.0.1"\nport = {broker.port}\nhealth_seconds = 1\n{mqtt}'
        return Board(folder, "\n".join([head, *settings]))
    return make


def entities(home: HomeAssistant, device: str) -> set[str]:
    """The entities of a device, in Home Assistant's registry."""
    found = home.render(f"{{{{ device_entities(device_id('{device}') or 'none') | to_json }}}}")
    return set(json.loads(found))


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
        assert entities(home, "study") == {
            *(f"binary_sensor.study_{name}" for name in ("hand_clap", "double_clap", "typing", "smoke_alarm", "pin_17",
                                                         "connected", "source_problem")),
            *(f"event.study_{name}" for name in ("hand_clap", "double_clap")),
            *(f"sensor.study_{name}" for name in ("level", "uptime", "lost_samples", "dropped_events", "waiting_messages",
                                                  "source", "sinks"))}
        shown = {entity: home.find(entity) for entity in entities(home, "study")}
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
                                               broker: PrivateBroker) -> None:
    now = datetime.now(UTC)
    event = Event("first", 1, "start", "hand_clap", "hand_clap", 0.9, 0.9, 0, None, now, None, -20.0)
    payload = event_payload(event, device="porch", late=False)

    def publish(target: str, **others: Any) -> None:
        subprocess.run(["mosquitto_pub", "-h", broker.host, "-p", str(broker.port), "-q", "1", "-s", "-t",
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


def test_the_examples_run(home: HomeAssistant, board: Callable[..., Board]) -> None:
    with board("kitchen", HEARS, SMOKE_ALARM) as kitchen:
        home.wait("binary_sensor.kitchen_smoke_alarm", "off")
        for lamp in ("on", "off"):
            kitchen.hear(*DOUBLE_CLAP)
            home.wait("light.living_room", lamp)
        kitchen.hear(sound("siren.wav"))
        home.wait("input_text.notified", "Smoke alarm: The kitchen hears a smoke alarm.")
    # Gone and back: no clap, so the lamp stays as it is.
    home.wait("event.kitchen_double_clap", "unavailable")
    before = home.find("automation.a_double_clap_toggles_the_lamp")
    with board("kitchen", HEARS, SMOKE_ALARM):
        until(lambda: home.state("event.kitchen_double_clap") not in ("unavailable", "unknown"), "not back")
        home.wait("binary_sensor.kitchen_smoke_alarm", "off")
    after = home.find("automation.a_double_clap_toggles_the_lamp")
    assert before is not None and after is not None
    assert after["attributes"]["last_triggered"] == before["attributes"]["last_triggered"] is not None


def test_what_is_switched_and_pressed_there_is_done(home: HomeAssistant, board: Callable[..., Board]) -> None:
    allow = '[command]\nallow = ["mute", "identify", "pin-test"]\n'
    with board("porch", HEARS, PIN, allow) as porch:
        home.wait("switch.porch_mute", "off")
        home.wait("binary_sensor.porch_pin_17", "off")
        home.ask("/api/services/button/press", {"entity_id": "button.porch_test_pin_17"})
        home.wait("binary_sensor.porch_pin_17", "on")
        home.ask("/api/services/button/press", {"entity_id": "button.porch_identify"})
        assert "button.porch_identify" in entities(home, "porch")
        home.ask("/api/services/switch/turn_on", {"entity_id": "switch.porch_mute"})
        home.wait("switch.porch_mute", "on")
        porch.hear(CLAP)
        porch.wait_heard()
        home.ask("/api/services/switch/turn_off", {"entity_id": "switch.porch_mute"})
        home.wait("switch.porch_mute", "off")
        assert home.state("event.porch_hand_clap") == "unknown"
        porch.hear(CLAP)
        until(lambda: home.state("event.porch_hand_clap") != "unknown", "deaf")


def test_a_power_cut_makes_all_unavailable(home: HomeAssistant, board: Callable[..., Board]) -> None:
    with board("attic", HEARS, TYPING) as attic:
        home.wait("binary_sensor.attic_typing", "off")
        home.wait("binary_sensor.attic_connected", "on")
        attic.kill()
        home.wait("binary_sensor.attic_connected", "off")
        for entity in entities(home, "attic") - {"binary_sensor.attic_connected"}:
            home.wait(entity, "unavailable")


def test_a_removed_target_disappears_and_the_others_stay(home: HomeAssistant, board: Callable[..., Board]) -> None:
    with board("shed", HEARS, TYPING, PIN):
        home.wait("binary_sensor.shed_typing", "off")
        before = entities(home, "shed")
    gone = {"binary_sensor.shed_typing", "binary_sensor.shed_pin_17"}
    with board("shed", HEARS):
        for entity in gone:
            home.wait(entity, None)
        home.wait("binary_sensor.shed_hand_clap", "off")
        assert entities(home, "shed") == before - gone
    with board("shed", HEARS, mqtt="discovery = false"):
        until(lambda: entities(home, "shed") == set(), "the device stays")
        home.wait("event.shed_hand_clap", None)


def test_home_assistant_restarts(home: HomeAssistant, board: Callable[..., Board]) -> None:
    """What was retained brings everything back; a target that went meanwhile is a ghost until it is deleted there."""
    with board("cellar", HEARS, TYPING) as cellar:
        home.wait("binary_sensor.cellar_typing", "off")
        cellar.hear(CLAP)
        until(lambda: home.state("event.cellar_hand_clap") not in ("unknown", "unavailable"), "no clap")
        heard = home.find("event.cellar_hand_clap")
        home.stop()
        home.start()
        home.wait("binary_sensor.cellar_typing", "off")
        again = home.find("event.cellar_hand_clap")
        assert heard is not None and again is not None
        assert (again["state"], again["attributes"]["id"]) == (heard["state"], heard["attributes"]["id"])
        home.stop()
    with board("cellar", HEARS):
        home.start()
        home.wait("binary_sensor.cellar_hand_clap", "off")
        home.wait("binary_sensor.cellar_typing", "unavailable")


def test_nothing_was_complained_of(home: HomeAssistant) -> None:
    """Last: Home Assistant warns of payloads and options that it does not like."""
    assert home.complaints() == []
