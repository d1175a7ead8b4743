"""Every file of deploy/examples does what it promises, with either model: real broker, simulated pins, made-up sounds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.app import build
from edge.cli import main
from edge.cli.demonstration.broker import PrivateBroker
from edge.settings import LogSettings, Settings, SourceSettings
from edge.settings_file import load_settings
from edge.stream import SAMPLE_RATE
from edge.workshop.models.install import Installer
from tests.fakes import FakeSink
from tests.sources.wav_files import heard, wav
from tests.test_patterns import alarm

pytestmark = pytest.mark.big

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "deploy" / "examples"
BELLS = 5


@pytest.fixture(params=["starter", "yamnet"])
def model(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A model's name; it is in the state directory `tmp_path`."""
    name = str(request.param)
    if name == "yamnet":
        Installer(tmp_path).install(request.getfixturevalue("yamnet_file"))
    return name


def example(name: str, model: str, recording: Path, broker: PrivateBroker | None = None) -> Settings:
    """The file as it stands, but for what a test must have its own of: model, source, pins and broker."""
    settings = load_settings(EXAMPLES / name)
    mqtt = replace(settings.mqtt, host=broker.host, port=broker.port) if broker is not None else settings.mqtt
    return replace(settings, model=replace(settings.model, name=model), mqtt=mqtt, log=LogSettings(events=""),
                   source=SourceSettings(kind="file", path=str(recording), paced=False),
                   pin=tuple(replace(pin, factory="simulated") for pin in settings.pin))


def run(settings: Settings, state: Path) -> tuple[list[str], list[tuple[str, bool]]]:
    """The targets of the events that are sent, and what the pins did."""
    sink, pins = FakeSink(), list[tuple[str, bool]]()
    build(settings, state, extra_sinks=[sink], on_pin_change=lambda pin, on: pins.append((pin, on))).run()
    return [event.target for event in sink.events if event.phase == "start"], pins


def claps(*starts: float) -> NDArray[np.int16]:
    """The demonstration's first clap at these seconds, the demonstration's room around it."""
    demonstration = heard(ROOT / "models" / "demo" / "claps.wav")[:, 0]
    room, clap = demonstration[: SAMPLE_RATE], demonstration[int(1.48 * SAMPLE_RATE): int(1.8 * SAMPLE_RATE)]
    sound = np.tile(room, int(max(starts)) + 5)
    for start in starts:
        at = int(start * SAMPLE_RATE)
        sound[at: at + len(clap)] = clap
    return sound


def bell(number: int) -> NDArray[np.int16]:
    """A two-tone bell of three seconds. number: each ring has its own level, decay and noise."""
    chance = np.random.default_rng(number)
    time = np.arange(3 * SAMPLE_RATE) / SAMPLE_RATE
    sound = chance.normal(0.0, 15.0, len(time))
    for start, hertz in ((0.5, 660.0), (1.1, 523.0)):
        since = np.maximum(time - start, 0.0)
        tones = sum(np.sin(2 * np.pi * hertz * part * since) / part**1.5 for part in (1, 2, 3, 4.2))
        sound += (time >= start) * np.exp(-since * chance.uniform(2.5, 4.0)) * chance.uniform(3_000, 9_000) * tones
    return np.rint(np.clip(sound, -32_768, 32_767)).astype(np.int16)


def test_two_claps_switch_the_lamp_and_two_more_switch_it_back(model: str, tmp_path: Path) -> None:
    sound = wav(tmp_path / "claps.wav", claps(3.0, 3.4, 8.0, 12.0, 12.5).tobytes())
    events, pins = run(example("two-claps-lamp.toml", model, sound), tmp_path)
    assert events == ["double_clap", "double_clap"], "one clap alone is none, and single claps are not sent"
    assert [on for _, on in pins][:2] == [True, False]


@pytest.mark.parametrize("hertz", [520.0, 3100.0])
def test_a_smoke_alarm_reaches_home_assistant(model: str, hertz: float, tmp_path: Path) -> None:
    sound = wav(tmp_path / "alarm.wav", alarm(hertz).tobytes())
    with PrivateBroker() as broker:
        events, _ = run(example("smoke-alarm-home-assistant.toml", model, sound, broker), tmp_path)
    assert events == ["smoke_alarm"]


def test_a_doorbell_is_taught_and_rings(model: str, tmp_path: Path) -> None:
    rings = [str(wav(tmp_path / f"ring-{number}.wav", bell(number).tobytes())) for number in range(BELLS)]
    assert main(["teach", "our_doorbell", *rings, "--model", model, "--state-dir", str(tmp_path)]) == 0
    quiet = np.zeros(4 * SAMPLE_RATE, np.int16)
    visit = np.concatenate([quiet, bell(BELLS), quiet, bell(BELLS + 1), quiet])
    sound = wav(tmp_path / "visit.wav", visit.tobytes())
    events, pins = run(example("doorbell-taught.toml", model, sound), tmp_path)
    assert events == ["our_doorbell", "our_doorbell"]
    assert pins and pins[0] == ("27", True)


def test_every_example_is_tried() -> None:
    tried = Path(__file__).read_text(encoding="utf-8")
    assert all(f'"{path.name}"' in tried for path in EXAMPLES.glob("*.toml"))
