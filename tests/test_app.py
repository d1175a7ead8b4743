"""The whole appliance with real parts: a recording, a model, a Mosquitto that the test starts, simulated pins."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import subprocess
import sys
import termios
import threading
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge.app import build
from edge.cli.demonstration.broker import PrivateBroker
from edge.control.loading import load_model
from edge.errors import ModelError, SettingsError, SinkError
from edge.settings import (
    DeviceSettings,
    LogSettings,
    ModelSettings,
    PinSettings,
    Settings,
    SourceSettings,
    TargetSettings,
)
from edge.sinks.mqtt.subscriber import Subscriber
from edge.sources.open import open_source
from edge.state import default_state_dir
from edge.stats import Stats
from tests.fakes import FakeSink, FakeSource, blocks_of, silence, tone

pytestmark = pytest.mark.big

ROOT = Path(__file__).resolve().parent.parent
PATIENCE_SECONDS = 60


def settings_for(recording: Path, **parts: object) -> Settings:
    return Settings(device=DeviceSettings("kitchen"), log=LogSettings(events=""),
                    source=SourceSettings(kind="file", path=str(recording), paced=False), **parts)  # type: ignore[arg-type]


def anything() -> TargetSettings:
    """A target that any sound raises, so that these tests are of the way and not of the model."""
    labels = json.loads((ROOT / "models/starter/manifest.json").read_text())["labels"]
    return TargetSettings(name="anything", labels=tuple(labels), threshold=0.01, release_threshold=0.001)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "sound.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(np.concatenate([silence(1.0), tone(1.0), silence(1.0)]).astype("<i2").tobytes())
    return path


def test_a_recorded_clap_reaches_a_subscriber_and_a_pin(shared: Path, tmp_path: Path) -> None:
    """The walking appliance: file, front end, backbone, head, decision, broker, pin; on a real recording.

    It is heard faster than it sounds, and so only once the broker has us: of sounds from before, no state is told.
    """
    clip = sorted((shared / "data" / "train" / "hand_clap").glob("*"))[0]
    received: list[tuple[str, str, bool]] = []
    online, offline = threading.Event(), threading.Event()

    def on_message(topic: str, payload: str, retained: bool) -> None:
        received.append((topic, payload, retained))
        if payload in ("online", "offline"):
            (online if payload == "online" else offline).set()

    def connected() -> None:
        assert online.wait(PATIENCE_SECONDS)

    pins: list[tuple[str, bool]] = []
    with PrivateBroker() as broker, Subscriber(broker.settings(), ["#"], on_message):
        settings = settings_for(clip, mqtt=broker.settings(), target=(TargetSettings(name="hand_clap", threshold=0.3),),
                                pin=(PinSettings(pin="17", target="hand_clap", factory="simulated", action="hold"),))
        source = FakeSource([connected, *(block for block in open_source(settings.source, Stats()).blocks() if block)])
        build(settings, tmp_path, source=source, on_pin_change=lambda pin, on: pins.append((pin, on))).run()
        assert offline.wait(PATIENCE_SECONDS)
    events = [json.loads(payload) for topic, payload, _ in received if topic == "edge-audio/kitchen/event/hand_clap"]
    assert [event["phase"] for event in events[:2]] == ["start", "end"]
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    states = [payload for topic, payload, _ in received if topic == "edge-audio/kitchen/state/hand_clap"]
    assert "ON" in states and states[-1] == "OFF"
    health = [json.loads(payload) for topic, payload, _ in received if topic == "edge-audio/kitchen/health"]
    assert health[-1]["model"] == "starter"
    assert [on for _, on in pins[:2]] == [True, False] and pins[-1][1] is False


def test_a_broker_that_is_away_delays_nothing(recording: Path, tmp_path: Path) -> None:
    kept = FakeSink()
    settings = settings_for(recording, target=(anything(),))
    settings = replace(settings, mqtt=replace(settings.mqtt, host="127.0.0.1", port=1))
    build(settings, tmp_path, extra_sinks=[kept]).run()
    assert [event.phase for event in kept.events] == ["start", "end"]
    assert kept.calls == ["start", "stop"]
    states = kept.healths[-1]["sinks"]
    # The recording may be over first, and the message may be made after the refusal is told.
    assert states["mqtt"] in ("connecting", "away: connection refused", "away: connection refused; 1 messages wait")


def test_a_failure_on_the_way_up_gives_back_what_was_taken(recording: Path, tmp_path: Path) -> None:
    kept = FakeSink()
    settings = settings_for(recording, target=(anything(),),
                            pin=(PinSettings(pin="99", target="anything", factory="simulated"),))
    with pytest.raises(SinkError, match="99"):
        build(settings, tmp_path, extra_sinks=[kept]).run()
    assert kept.calls == ["start", "stop"]


def test_settings_and_model_are_checked_before_anything_opens(recording: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="clapp"):
        build(settings_for(recording, pin=(PinSettings(pin="17", target="clapp", factory="simulated"),)), tmp_path)
    with pytest.raises(ModelError, match=r"'startre'.*starter"):
        build(settings_for(recording, model=ModelSettings(name="startre")), tmp_path)


def test_only_the_rows_in_use_are_computed(recording: Path, tmp_path: Path) -> None:
    appliance = build(settings_for(recording, target=(TargetSettings(name="hand_clap"),)), tmp_path)
    appliance.source.close()
    assert appliance.model.labels == ("hand_clap",)


def test_stop_ends_a_live_source(tmp_path: Path) -> None:
    source = FakeSource([], live=True)
    source_blocks = blocks_of(silence(0.5))
    appliance = build(Settings(log=LogSettings(events=""), target=(anything(),)), tmp_path, source=source)
    source._script = [*source_blocks, appliance.stop, *source_blocks]
    appliance.run()
    assert appliance.stats.blocks == len(source_blocks)


def test_a_bug_in_a_thread_of_a_sink_ends_the_run(tmp_path: Path) -> None:
    """Otherwise it would print a traceback and the appliance would go on without that sink, for years."""
    class Broken(FakeSink):
        def start(self) -> None:
            thread = threading.Thread(target=lambda: [][0])
            thread.start()
            thread.join()

    kept = FakeSink()
    appliance = build(Settings(log=LogSettings(events=""), target=(anything(),)), tmp_path,
                      source=FakeSource(blocks_of(silence(0.5)), live=True), extra_sinks=[kept, Broken()])
    hook = threading.excepthook
    with pytest.raises(IndexError):
        appliance.run()
    assert kept.calls == ["start", "stop"]
    assert threading.excepthook is hook


NOISE = """
import os, sys, time
while True:
    os.write(1, os.urandom(3200))   # 0.1 s of full-scale noise
    time.sleep(0.09)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_leaves_pins_safe_and_says_offline(number: signal.Signals, tmp_path: Path) -> None:
    """systemd stops the program with SIGTERM, a closed terminal with SIGHUP: exit code 0, broker told, pins off."""
    settings = tmp_path / "edge.toml"
    states: list[str] = []
    sounds, offline = threading.Event(), threading.Event()

    def on_message(topic: str, payload: str, _retained: bool) -> None:
        if topic.endswith("/status"):
            states.append(payload)
        if (topic, payload) == ("edge-audio/kitchen/state/anything", "ON"):
            sounds.set()
        if payload == "offline":
            offline.set()

    with PrivateBroker() as broker, Subscriber(broker.settings(), ["#"], on_message):
        settings.write_text(
            f'[source]\nkind = "command"\ncommand = ["{sys.executable}", "-c", {json.dumps(NOISE)}]\n'
            f'[[target]]\nname = "anything"\nlabels = {json.dumps(anything().labels)}\nthreshold = 0.01\n'
            f'release_threshold = 0.001\n[mqtt]\nhost = "{broker.host}"\nport = {broker.port}\n'
            '[[pin]]\npin = 17\ntarget = "anything"\nfactory = "simulated"\nactive_high = false\naction = "hold"\n'
            '[device]\nname = "kitchen"\n[log]\nlevel = "debug"\n')
        ours, theirs = pty.openpty()  # a terminal of its own: without one SIGHUP is a reload
        process = subprocess.Popen([sys.executable, "-m", "edge", "run", "--config", str(settings)], cwd=ROOT,
                                   stdin=theirs, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                   env={**os.environ, "EDGE_AUDIO_STATE": str(tmp_path)}, start_new_session=True,
                                   preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        assert sounds.wait(PATIENCE_SECONDS)
        process.send_signal(number)
        _, said = process.communicate(timeout=PATIENCE_SECONDS)
        os.close(ours)
        os.close(theirs)
        assert process.returncode == 0, said
        assert "Traceback" not in said
        assert offline.wait(PATIENCE_SECONDS)
    assert states == ["online", "offline"]
    moves = [line.rpartition(" ")[2] for line in said.splitlines() if "gpio: pin 17 o" in line]
    assert moves[:1] == ["on"] and moves[-1] == "off"


def test_the_state_directory_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EDGE_AUDIO_STATE", str(tmp_path))
    assert default_state_dir() == tmp_path


def test_a_model_can_be_opened_by_its_directory() -> None:
    assert load_model(ROOT / "models" / "starter").manifest.name == "starter"
