"""What the tests of commands share: a broker, somebody who commands, and appliances to command."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.cli.demonstration.broker import PrivateBroker
from edge.settings import VERBS, CommandSettings, DeviceSettings, LogSettings, MqttSettings, Settings, TargetSettings
from tests.control.commanding import Owner, Running

Start = Callable[..., Running]


@pytest.fixture
def broker() -> Iterator[PrivateBroker]:
    with PrivateBroker() as broker:
        yield broker


@pytest.fixture
def mqtt(broker: PrivateBroker) -> MqttSettings:
    """What a client of it needs."""
    return broker.settings()


@pytest.fixture
def owner(broker: PrivateBroker) -> Iterator[Owner]:
    owner = Owner(broker)
    yield owner
    owner.close()


@pytest.fixture
def start(broker: PrivateBroker, owner: Owner, tmp_path: Path) -> Iterator[Start]:
    """start(allow=VERBS, ...) -> a running appliance that the broker knows to be online."""
    running: list[Running] = []

    def start(allow: tuple[str, ...] = VERBS, **parts: Any) -> Running:
        settings = Settings(**({"device": DeviceSettings("kitchen"), "mqtt": broker.settings(),
                                "log": LogSettings(events=""), "target": (TargetSettings(name="hand_clap"),),
                                "command": CommandSettings(allow)} | parts))
        known = len(owner.messages)
        running.append(Running(settings, tmp_path))
        owner.wait_for(lambda: ("muted", "status") if {"muted", "status"} <= {
            topic for topic, *_ in owner.messages[known:]} else None)
        return running[-1]

    yield start
    for each in running:
        each.stop()
