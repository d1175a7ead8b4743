"""`edge-audio calibrate` as its users meet it, and what a calibration changes where events are made."""

from __future__ import annotations

import json
import re
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge.app import build
from edge.cli import main
from edge.cli.checkup.checkup import check
from edge.control.loading import load_calibrations, load_model
from edge.decision.calibration import probability_of
from edge.learn.bank import load_room
from edge.learn.calibrate import threshold_logit
from edge.model.calibration_file import load_calibration, own_path, save_calibration
from edge.model.classifier import Model
from edge.settings import LogSettings, Settings, SourceSettings, TargetSettings
from tests.cli.test_cli import complaint, edge_audio, write_wav
from tests.fakes import FakeSource

DEMO = Path(__file__).resolve().parents[2] / "models" / "demo"


@pytest.fixture(scope="module")
def starter() -> Model:
    return load_model("starter")


@pytest.fixture
def room(tmp_path: Path) -> Path:
    """Forty seconds of a humming room in which something falls now and then."""
    rng = np.random.default_rng(2)
    samples = rng.normal(0, 60, 40 * 16_000)
    for start in range(16_000, len(samples) - 8_000, 24_000):
        samples[start: start + 3_200] += rng.normal(0, 5_000, 3_200) * np.exp(-np.arange(3_200) / rng.uniform(100, 900))
    return write_wav(tmp_path / "room.wav", samples.astype(np.int16))


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGE_AUDIO_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path, code: int = 0) -> str:
    assert main(["calibrate", *map(str, arguments)]) == code, capsys.readouterr().err
    return capsys.readouterr().out


@pytest.mark.big
def test_the_room_moves_thresholds_and_keeps_embeddings_only(
        room: Path, state: Path, starter: Model, capsys: pytest.CaptureFixture[str]) -> None:
    text = run(capsys, "--room", room, "--target", "clock_tick", "--budget", "1/day")
    assert "clock_tick" in text and "Drawn out" in text and "misses" in text and "kept in" in text
    kept = load_calibration(own_path(state, "starter"), starter.manifest)
    assert kept is not None and kept.problem(starter) == ""
    entry = kept.targets["clock_tick"]
    assert entry.made == "room" and entry.room is not None and entry.room.hours == pytest.approx(40 / 3600, rel=0.01)
    assert entry.expected.extrapolated and entry.expected.alarms_upper > entry.expected.alarms_per_day
    embeddings = load_room(state, starter.manifest)
    assert embeddings is not None and embeddings.embeddings.shape[1] == starter.embedding_size
    assert float(embeddings.seconds.sum()) == pytest.approx(40, rel=0.01)
    assert {path.suffix for path in state.rglob("*") if path.is_file()} == {".json", ".npz"}, "no sound is kept"


def test_large_numbers_are_written_out(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    claps = DEMO / "claps.wav"
    text = run(capsys, "--room", claps, "--target", "clock_tick", "--budget", "100/hour", "--dry-run")
    assert "budget 2400 false alarms a day" in text
    assert re.search(r"false alarms a day [\d,]+,\d{3} \(at most [\d,]+,\d{3}\)", text), text


@pytest.mark.big
def test_it_says_how_long_to_listen_for_the_budget(room: Path, state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """After two minutes it said "at most 7,200 a day", and not what would make that less."""
    words = ("--room", room, "--target", "clock_tick", "--dry-run")
    text = run(capsys, *words, "--budget", "1/day")
    assert "1 minute of this room cannot say more of a whole day" in text
    assert "To be certain (95 %) of at most 1 a day, hear 3 days of it without a false alarm (--minutes 43" in text
    assert "a week, --minutes 10080, for 0.43 a day" in run(capsys, *words, "--budget", "0.2/week")
    assert "To be certain" not in run(capsys, *words, "--budget", "5000/minute")


@pytest.mark.big
def test_a_smaller_budget_asks_for_more(room: Path, state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = [json.loads(run(capsys, "--room", room, "--target", "clock_tick", "--budget", budget, "--format", "json",
                            "--dry-run")) for budget in ("5/hour", "0.2/week")]
    first, second = (each["targets"]["clock_tick"] for each in found)
    assert first["threshold_for_budget"] < second["threshold_for_budget"]
    assert first["threshold"] <= second["threshold"] <= second["threshold_for_budget"]
    assert first["misses"][0] <= second["misses"][0] <= second["misses_for_budget"][0]
    assert not state.exists(), "--dry-run keeps nothing"


@pytest.mark.big
def test_a_calibration_serves_at_the_next_start(room: Path, state: Path, starter: Model,
                                                capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "--room", room, "--target", "clock_tick", "--format", "csv")
    settings = Settings(log=LogSettings(events=""), source=SourceSettings(kind="file", path=str(room)))
    appliance = build(settings, state, source=FakeSource([]))
    kept = load_calibration(own_path(state, "starter"), starter.manifest)
    assert kept is not None
    sounds = {sound.name: sound for sound in appliance.listener.targets.sounds}
    entry = kept.targets["clock_tick"]
    assert (sounds["clock_tick"].threshold, sounds["clock_tick"].scale) == (entry.threshold, entry.scale)
    found = load_calibrations(appliance.model, settings, state)
    assert found.problems == () and found.entries["clock_tick"].made == "room"
    assert found.entries["typing"].made == "shipped", "what the owner left alone is what came with the model"
    assert found.about()["problems"] == []
    assert "clock_tick      room" in run(capsys, "--list")


def test_what_does_not_fit_is_said_with_the_command_that_mends_it_and_not_used(
        room: Path, state: Path, starter: Model, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "--room", room, "--target", "clock_tick", "--target", "typing")  # logs to standard error from here on
    path = own_path(state, "starter")
    kept = load_calibration(path, starter.manifest)
    assert kept is not None
    changed = replace(kept.targets["clock_tick"], row_sha256="0" * 64)
    save_calibration(path, kept.with_targets({"clock_tick": changed}))
    settings = Settings()
    found = load_calibrations(starter, settings, state)
    said = capsys.readouterr().err
    assert "calibration of clock_tick: its rows have changed" in said
    assert "edge-audio calibrate --model starter --target clock_tick" in said
    assert found.entries["clock_tick"].made == "shipped" and found.entries["typing"].made == "room"
    run(capsys, "--list", code=1)
    save_calibration(path, replace(kept, binding=replace(kept.binding, sha256="1" * 64)))
    found = load_calibrations(starter, settings, state)
    assert "made for another backbone" in found.problems[0] and "(edge-audio calibrate --model starter)" in found.problems[0]
    assert all(entry.made == "shipped" for entry in found.entries.values())
    path.write_text("{", encoding="utf-8")
    assert "no JSON" in load_calibrations(starter, settings, state).problems[0]
    quiet = replace(settings, source=SourceSettings(kind="file", path=str(room), paced=False))
    findings = [finding for finding in check(quiet, state) if finding.part == "calibration"]
    assert [finding.ok for finding in findings] == [False]
    assert findings[0].advice == "edge-audio calibrate --model starter"


def test_an_entry_for_other_labels_is_not_the_settings_target(state: Path, starter: Model) -> None:
    settings = Settings(target=(TargetSettings(name="clock_tick", labels=("clock_tick", "applause")),))
    found = load_calibrations(starter, settings, state)
    assert found.entries == {} and found.problems == (), "what came with the model is for its own labels"


def test_reset_takes_one_or_all_back(room: Path, state: Path, starter: Model, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "--room", room, "--target", "clock_tick", "--target", "typing")
    run(capsys, "--reset", "clock_tick")
    kept = load_calibration(own_path(state, "starter"), starter.manifest)
    assert kept is not None and set(kept.targets) == {"typing"}
    run(capsys, "--reset")
    assert not own_path(state, "starter").exists()
    run(capsys, "--reset", code=2)
    run(capsys, "--reset", "typing", code=2)


@pytest.mark.big
def test_labelled_folders_give_a_curve_a_picture_and_what_it_is_worth(
        state: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for side, sound in (("with", "typing"), ("without", "voice")):
        (tmp_path / side).mkdir()
        with wave.open(str(DEMO / f"{sound}.wav"), "rb") as file:
            samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        for number in range(6):
            piece = samples[number * len(samples) // 8: number * len(samples) // 8 + 32_000]
            write_wav(tmp_path / side / f"{number}.wav", piece.astype(np.int16))
    picture = tmp_path / "claps.png"
    text = run(capsys, "--target", "typing", "--positives", tmp_path / "with", "--negatives", tmp_path / "without",
               "--plot", picture, "--format", "json")
    found = json.loads(text)["targets"]["typing"]
    assert found["positives"] == 6 and found["negatives"] == 6
    assert found["recall"][1] < found["recall"][0] <= found["recall"][2]
    assert found["alarms_per_hour_upper"] > 0 and found["hours"] > 0
    assert picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize(("arguments", "named"), [
    (["room.wav"], "--room room.wav"),
    (["--minutes", "0"], "--minutes"),
    (["--minutes", "nan"], "--minutes"),
    (["--budget", "often"], "--budget"),
    (["--varied-minutes", "-1"], "--varied-minutes"),
    (["--target", "hand_clup"], "hand_clup"),
    (["--positives", "."], "--positives and --negatives"),
    (["--positives", ".", "--negatives", "."], "--positives"),
    (["--positives", ".", "--negatives", ".", "--target", "clock_tick"], "twice"),
    (["--room", "no_such_folder"], "no_such_folder"),
    (["--room", "edge"], "edge"),
    (["--clips", "no_such_folder"], "no_such_folder"),
    (["--clips", "edge"], "edge"),
    (["--split", "eval"], "--split"),
    (["--plot", "picture.jpg"], "--plot"),
    (["--model", "no_such_model"], "no_such_model"),
])
def test_a_mistake_is_one_line(arguments: list[str], named: str, state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["calibrate", *arguments]) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("edge-audio: ")]
    assert len(lines) == 1 and named in lines[0] and "found" in lines[0] and "wanted" in lines[0]
    assert not state.exists()


@pytest.mark.big
def test_a_state_directory_that_cannot_be_written_is_said_before_hearing(room: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    done = edge_audio("calibrate", "--room", room, "--state-dir", tmp_path / "file" / "state", code=2)
    assert "which cannot be written" in complaint(done)


def test_a_pattern_has_no_threshold_of_its_own(tmp_path: Path, state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "settings.toml"
    config.write_text('[[target]]\nname = "clock_tick"\n[[target]]\nname = "twice"\npattern_of = "clock_tick"\n',
                      encoding="utf-8")
    assert main(["calibrate", "--config", str(config), "--target", "twice"]) == 2
    assert "a pattern over clock_tick" in capsys.readouterr().err


def test_the_threshold_that_is_kept_is_the_one_that_serves(room: Path, state: Path, starter: Model,
                                                           capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "--room", room, "--target", "clock_tick")
    entry = load_calibrations(starter, Settings(), state).entries["clock_tick"]
    sound = build(Settings(log=LogSettings(events="")), state, source=FakeSource([])).listener.targets.sounds
    sound = next(each for each in sound if each.name == "clock_tick")
    logit = threshold_logit(entry)
    for step, starts in ((1e-3, True), (-1e-3, False)):
        probability = probability_of(logit + step, sound.scale, sound.offset, sound.scale_below)
        assert (probability >= sound.threshold) is starts
