"""What the tests in a real Home Assistant share: a broker, Home Assistant with the examples, boards."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge.cli.demonstration.broker import PrivateBroker
from tests.home.home_assistant import ROOT, Board, HomeAssistant

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

@pytest.fixture(scope="session")
def home_broker() -> Iterator[PrivateBroker]:
    with PrivateBroker() as broker:
        yield broker


@pytest.fixture(scope="session")
def home(home_broker: PrivateBroker) -> Iterator[HomeAssistant]:
    """Home Assistant with MQTT and the examples of deploy/home-assistant, as the root has it."""
    named = os.environ.get("EDGE_AUDIO_HOME_ASSISTANT_ROOT")
    if not named:
        pytest.skip("EDGE_AUDIO_HOME_ASSISTANT_ROOT names no root with Home Assistant: use make test-home-assistant")
    home = HomeAssistant(Path(named), f"/tmp/edge-audio-{uuid.uuid4().hex}", CONFIGURATION)
    shutil.copy(ROOT / "deploy" / "home-assistant" / "automations.yaml", home.home)
    try:
        with home:
            home.add_mqtt(home_broker.port)
            yield home
            complaints = home.complaints()
            assert not complaints  # it warns of payloads and options that it does not like
    finally:
        shutil.rmtree(home.home)


@pytest.fixture
def board(home_broker: PrivateBroker, tmp_path: Path) -> Callable[..., Board]:
    """board(device, settings) -> Board, not yet started."""
    def make(device: str, *settings: str, mqtt: str = "") -> Board:
        folder = tmp_path / uuid.uuid4().hex
        folder.mkdir()
        head = (f'[device]\nname = "{device}"\n[mqtt]\nhost = "{home_broker.host}"\nport = {home_broker.port}\n'
                f'health_seconds = 1\n{mqtt}')
        return Board(folder, "\n".join([head, *settings]))
    return make
