"""What a board is called where its owner did not say: by its host name, made fit for topics."""

from __future__ import annotations

import socket
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.app import build
from edge.cli.demonstration.broker import PrivateBroker
from edge.settings import DeviceSettings, LogSettings, Settings, device_name_of
from edge.settings_file import load_settings, parse_settings
from edge.sinks.mqtt.subscriber import Subscriber
from edge.topics import Topics
from tests.fakes import FakeSource


@pytest.mark.parametrize(("host", "name"), [
    ("kitchen", "kitchen"), ("pi_2-Hall", "pi_2-Hall"), ("kitchen.lan", "kitchen-lan"), ("kitchen.", "kitchen"),
    ("k\u00fcche", "k-che"), ("\u00f6fen 3", "fen-3"), ("a/b+c#d", "a-b-c-d"), ("$SYS", "SYS"), ("10.0.0.7", "10-0-0-7"),
    ("", "edge-audio"), ("...", "edge-audio"), ("\u53f0\u6240", "edge-audio"), ("--", "edge-audio"),
])
def test_a_host_name_becomes_a_device_name(host: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: host)
    assert device_name_of(host) == name
    assert Settings().device.name == parse_settings({"device": {"name": ""}}).device.name == name


@pytest.mark.big
@given(st.text(max_size=64))
def test_every_host_name_gives_a_topic_level_that_settings_would_take(host: str) -> None:
    name = device_name_of(host)
    assert Topics("edge-audio", name).status == f"edge-audio/{name}/status"
    assert parse_settings({"device": {"name": name}}).device.name == name


def test_two_fresh_boards_have_names_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both were called edge-audio, had one MQTT client id, and threw each other off the broker for ever."""
    names = []
    for host in ("kitchen", "hall"):
        monkeypatch.setattr(socket, "gethostname", lambda host=host: host)
        names.append(Settings().device.name)
    assert names == ["kitchen", "hall"]


def test_a_name_of_the_owners_own_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "kitchen")
    path = tmp_path / "my.toml"
    path.write_text("[device]\nname = \"edge-audio\"\n")
    settings = load_settings(path)
    assert settings.device.name == "edge-audio"
    assert replace(settings, device=DeviceSettings("demo")).device.name == "demo"


@pytest.mark.big
def test_the_broker_hears_of_it_by_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "kitchen.lan")
    told = threading.Event()

    def hear(_topic: str, payload: str, _retained: bool) -> None:
        if payload == "online":
            told.set()

    with PrivateBroker() as broker, Subscriber(broker.settings(), ["edge-audio/kitchen-lan/status"], hear):
        settings = Settings(mqtt=broker.settings(), log=LogSettings(events=""))
        source = FakeSource([lambda: told.wait(60)])
        build(settings, tmp_path, source=source).run()
    assert told.is_set()
