"""What `teach` says beforehand of sounds that are made here: of which kind they are, and how far its figure goes."""

from __future__ import annotations

import json
import wave
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.cli import main
from edge.control.loading import load_calibrations, load_model
from edge.settings import Settings
from edge.stream import SAMPLE_RATE
from edge.workshop.classify import classify

pytestmark = pytest.mark.big

Wave = NDArray[np.float64]


def room(seconds: float, seed: int, level: float = 20.0) -> Wave:
    return np.random.default_rng(seed).normal(0.0, level, round(seconds * SAMPLE_RATE))


def alarm(seed: int, frequency: float = 2_900.0, harmonic: float = 0.3) -> Wave:
    """Four beeps of 0.4 s in two seconds, with a room before and after them."""
    random = np.random.default_rng(seed)
    time = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    pitch = 2 * np.pi * frequency * float(random.uniform(0.998, 1.002)) * time
    tone = np.where(time % 0.5 < 0.4, np.sin(pitch) + harmonic * np.sin(2 * pitch), 0.0)
    return room(4.0, seed) + np.pad(float(random.uniform(4_000.0, 6_000.0)) * tone, (SAMPLE_RATE, SAMPLE_RATE))


def tick(seed: int) -> Wave:
    """A resonance of 1,200 Hz that is struck, and dies away within 0.1 s."""
    random = np.random.default_rng(seed)
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    struck = np.sin(2 * np.pi * 1_200.0 * float(random.uniform(0.98, 1.02)) * time) * np.exp(-time / 0.015)
    return room(2.0, seed) + np.pad(9_000.0 * float(random.uniform(0.7, 1.0)) * struck, (SAMPLE_RATE // 2, SAMPLE_RATE // 2))


def written(folder: Path, name: str, sound: Wave) -> str:
    path = folder / f"{name}.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(np.clip(np.rint(sound), -32_768, 32_767).astype("<i2").tobytes())
    return str(path)


def events(state: Path, sound: Wave, target: str) -> list[tuple[float, float]]:
    """Start and end, in seconds, of the target's events in a sound, heard as the appliance does."""
    model = load_model(state_dir=state)
    served = load_calibrations(model, Settings(), state).serving
    samples = np.clip(np.rint(sound), -32_768, 32_767).astype(np.int16)
    heard = classify(model, samples, calibrations=served, embeddings=False, bands=False)
    return [(start, end) for event, start, end in heard.timed_events() if event.target == target]


def test_an_alarm_that_is_taught_has_length_and_is_one_event(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An alarm of 2 s, four beeps, was taken for a sound without length, and gave four events."""
    clips = [written(tmp_path, f"alarm {seed}", alarm(seed)) for seed in range(5)]
    assert main(["teach", "our_alarm", *clips, "--force", "--state-dir", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "heard as a sound with length: one event from its start to its end" in said
    assert "these 5 sound alike, so this covers one recording session" in said
    (heard,) = events(tmp_path, alarm(77), "our_alarm")
    assert heard == (pytest.approx(1.0, abs=0.5), pytest.approx(3.0, abs=0.8))


def test_a_tick_that_is_taught_has_no_length_unless_its_owner_says_so(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clips = [written(tmp_path, f"tick {seed}", tick(seed)) for seed in range(5)]
    teach = ["teach", "our_tick", *clips, "--force", "--state-dir", str(tmp_path)]
    assert main([*teach, "--sound", "lasting", "--dry-run"]) == 0
    assert "heard as a sound with length" in capsys.readouterr().out
    assert main(teach) == 0
    assert "heard as a sound without length: one event for each onset" in capsys.readouterr().out
    starts = [start for start, _ in events(tmp_path, np.concatenate([tick(77), tick(78)]), "our_tick")]
    assert starts == [pytest.approx(0.5, abs=0.03), pytest.approx(2.5, abs=0.03)]


def test_how_many_groups_of_recordings_there_are_is_said_and_kept(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clips = [written(tmp_path, f"high {seed}", alarm(seed)) for seed in range(3)]
    clips += [written(tmp_path, f"low {seed}", alarm(seed, 520.0, 0.9)) for seed in range(3)]
    more = ["--state-dir", str(tmp_path)]
    assert main(["teach", "alarms", *clips, "--force", *more]) == 0
    said = capsys.readouterr().out
    assert "each judged without those that sound like it (2 groups)" in said and "recording session" not in said
    assert main(["teach", "--list", "--format", "json", *more]) == 0
    row = json.loads(capsys.readouterr().out)
    assert (row["recordings"], row["groups"]) == (6, 2)
