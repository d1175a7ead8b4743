"""`edge-audio calibrate --expect`: false alarms and misses to expect at every threshold."""

from __future__ import annotations

import csv
import io
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.cli import main
from edge.control.commanded import FILE
from edge.control.loading import load_model
from edge.model.calibration_file import load_calibration, own_path
from edge.model.taught import Taught
from edge.model.taught_file import save_taught
from tests.cli.test_cli import edge_audio, write_wav
from tests.model.test_model_taught import TALLY, sound

STEPS = [step / 100 for step in range(1, 101)]


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGE_AUDIO_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    capsys.readouterr()
    assert main(["calibrate", *map(str, arguments)]) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def expected(capsys: pytest.CaptureFixture[str], target: str, *more: str | Path) -> dict[str, Any]:
    told = json.loads(run(capsys, "--expect", "--target", target, "--format", "json", *more))
    assert told["model"] == "starter" and told["problems"] == [] and list(told["targets"]) == [target]
    found: dict[str, Any] = told["targets"][target]
    return found


def test_it_says_of_every_threshold_what_list_says_of_the_one_that_serves(
        tmp_path: Path, state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, marker = tmp_path / "edge-audio.toml", tmp_path / "opened"
    config.write_text(f'[source]\nkind = "command"\ncommand = ["touch", "{marker}"]\n')
    siren = expected(capsys, "siren", "--config", config)
    listed = json.loads(run(capsys, "--list", "--format", "json", "--config", config))["targets"]["siren"]
    own = round(listed["threshold"], 4)
    assert [row["threshold"] for row in siren["curve"]] == sorted([*STEPS, own])
    row = next(row for row in siren["curve"] if row["threshold"] == own)
    assert {key: row[key] for key in ("alarms_per_day", "alarms_upper", "misses")} == {
        key: listed[key] for key in ("alarms_per_day", "alarms_upper", "misses")}
    assert {key: siren[key] for key in ("threshold", "made", "room_hours", "varied_minutes", "recordings", "feedback")} == {
        "threshold": own, "made": "shipped", "room_hours": None, "varied_minutes": 12.0, "recordings": 7, "feedback": False}
    rows = list(csv.DictReader(io.StringIO(run(capsys, "--expect", "--target", "siren", "--format", "csv"))))
    assert [(float(row["threshold"]), float(row["alarms_per_day"]), float(row["missed_high"])) for row in rows] == [
        (row["threshold"], row["alarms_per_day"], row["misses"][2]) for row in siren["curve"]]
    text = run(capsys, "--expect", "--target", "siren")
    assert "12 minutes of varied sound" in text and "This room was not heard (edge-audio calibrate --target siren)" in text
    (serves,) = (line for line in text.splitlines() if line.endswith("serves now"))
    assert serves.split()[:3] == [f"{own:.4f}", "0.95", "1.9"] and len(text.splitlines()) < 30
    assert not marker.exists() and not state.exists(), "nothing is opened, nothing is kept"


def test_where_nothing_is_known_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    """The look network's thresholds were measured on scenes, which nothing was kept of."""
    clap = expected(capsys, "hand_clap")
    assert clap["curve"] == [] and clap["made"] is None and clap["recordings"] is None
    text = run(capsys, "--expect", "--target", "hand_clap")
    assert text == "hand_clap: nothing is known, as the target is not calibrated (edge-audio calibrate --target hand_clap)\n"


@pytest.mark.big
def test_a_room_that_was_heard_counts_and_a_commanded_threshold_serves(
        tmp_path: Path, state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(2)
    samples = rng.normal(0, 60, 40 * 16_000)
    for start in range(16_000, len(samples) - 8_000, 24_000):
        samples[start: start + 3_200] += rng.normal(0, 5_000, 3_200) * np.exp(-np.arange(3_200) / 400.0)
    room = write_wav(tmp_path / "room.wav", samples.astype(np.int16))
    run(capsys, "--room", room, "--target", "hand_clap", "--target", "siren")
    kept = load_calibration(own_path(state, "starter"), load_model("starter").manifest)
    assert kept is not None
    for name, misses in (("hand_clap", False), ("siren", True)):
        told, entry = expected(capsys, name), kept.targets[name]
        assert told["made"] == "room" and told["room_hours"] == pytest.approx(40 / 3600, rel=0.02)
        row = next(row for row in told["curve"] if row["threshold"] == round(entry.threshold, 4))
        assert row["alarms_per_day"] == pytest.approx(entry.expected.alarms_per_day, rel=1e-3)
        assert row["alarms_upper"] == pytest.approx(entry.expected.alarms_upper, rel=1e-3)
        assert [one["misses"] is not None for one in told["curve"]] == [misses] * len(told["curve"])
    text = run(capsys, "--expect", "--target", "hand_clap")
    assert "your calibration by the room" in text and "24 hours of this room, 1 minute of it heard" in text
    assert "misses are not known" in text
    (state / FILE).write_text('{"schema": 1, "muted": false, "thresholds": {"starter": {"siren": 0.4321}}}')
    told = expected(capsys, "siren")
    assert told["threshold"] == 0.4321 and len(told["curve"]) == len(STEPS) + 2
    (serves,) = (line for line in run(capsys, "--expect", "--target", "siren").splitlines() if line.endswith("serves now"))
    assert serves.split()[0] == "0.4321"


@pytest.mark.big
def test_a_taught_sound_has_the_figures_of_its_lesson_and_its_recordings_after_a_calibration_too(
        tmp_path: Path, state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = load_model("starter").manifest
    kettle = sound("kettle", Taught.nothing(manifest).columns)
    save_taught(state, Taught.nothing(manifest).with_sound(kettle, "taught kettle"))
    told = expected(capsys, "kettle")
    assert (told["made"], told["threshold"], told["recordings"], told["room_hours"]) == ("taught", 0.6, 6, None)
    assert [row["threshold"] for row in told["curve"]] == STEPS
    rows = {row["threshold"]: row for row in told["curve"]}
    assert rows[0.6] == {"threshold": 0.6, "alarms_per_day": 0.3, "alarms_upper": 0.8, "known": "counted",
                         "misses": [0.1667, *rows[0.6]["misses"][1:]]}
    assert rows[0.5]["alarms_per_day"] == pytest.approx(1.0 / 2.5 * 0.2) and rows[0.5]["known"] == "counted"
    assert (rows[0.1]["misses"][0], rows[0.5]["misses"][0], rows[0.95]["misses"][0]) == (0.0, 0.5, 1.0)
    assert "bank of other sounds" in (text := run(capsys, "--expect", "--target", "kettle")) and "not known" not in text
    older = replace(kettle, foreseen=replace(kettle.foreseen, tally=None))
    save_taught(state, Taught.nothing(manifest).with_sound(older, "taught kettle before"))
    assert expected(capsys, "kettle")["curve"] == [rows[0.6]]
    assert "Other thresholds are not known." in run(capsys, "--expect", "--target", "kettle")
    save_taught(state, Taught.nothing(manifest).with_sound(kettle, "taught kettle"))
    room = write_wav(tmp_path / "room.wav", np.random.default_rng(1).normal(0, 2_000, 5 * 16_000).astype(np.int16))
    run(capsys, "--room", room, "--target", "kettle")
    told = expected(capsys, "kettle")
    assert told["made"] == "room" and told["recordings"] == 2 and told["room_hours"] > 0.0
    logits = [(logit - kettle.offset) / kettle.scale for logit in TALLY.recordings]
    for row in told["curve"]:
        missed = sum(1.0 / (1.0 + math.exp(-logit)) < row["threshold"] for logit in logits) / len(logits)
        assert row["misses"][0] == missed


@pytest.mark.parametrize(("words", "named"), [
    (("--expect", "--list"), "not allowed with argument --expect"), (("--expect", "--target", "cow"), "found none"),
    (("--expect", "--format", "jsonl"), "the room alone")])
def test_what_does_not_go_together_is_named(words: tuple[str, ...], named: str) -> None:
    done = edge_audio("calibrate", *words, code=2)
    assert named in done.stdout + done.stderr
