"""Scenes with known truth: sounds begin where they are said to, the same seed gives the same samples, nothing trains."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.errors import SettingsError
from models.measuring.__main__ import main
from models.measuring.sed import check_installed

pytestmark = pytest.mark.big

ROOT = Path(__file__).resolve().parents[2]
RATE = 16_000


@pytest.fixture(scope="module")
def cut() -> Any:
    """models/scenes/cut.py, which is no part of the package."""
    sys.path.insert(0, str(ROOT / "models" / "scenes"))
    try:
        import cut
    finally:
        sys.path.pop(0)
    return cut


def _burst(at: int, count: int, *, decay_seconds: float, seed: int, level: float = 0.5) -> np.ndarray:
    """Noise that starts at a sample and dies away, over a floor 66 dB weaker."""
    rng = np.random.default_rng(seed)
    time = (np.arange(count) - at) / RATE
    return (level * np.where(time >= 0, np.exp(-np.clip(time, 0, None) / decay_seconds), 5e-4)
            * rng.uniform(-1, 1, count)).astype(np.float32)


@pytest.mark.parametrize("at", [4_000, 4_003, 4_007])
def test_a_sound_begins_within_two_milliseconds_of_where_it_begins(cut: Any, at: int) -> None:
    (found,) = cut.single_sounds(_burst(at, RATE, decay_seconds=0.02, seed=at))
    assert abs(found.onset - at) <= 0.002 * RATE
    assert found.start <= found.onset < found.offset <= found.stop
    # 20 dB under the peak, an amplitude of a tenth, is reached after 2.3 decay times.
    assert found.offset - at == pytest.approx(2.3 * 0.02 * RATE, abs=0.015 * RATE)


def test_only_clear_single_sounds_are_cut(cut: Any) -> None:
    quiet = _burst(4_000, RATE, decay_seconds=0.02, seed=1)
    noisy = quiet + np.random.default_rng(2).normal(0.0, 0.05, RATE).astype(np.float32)
    assert not cut.single_sounds(noisy), "what comes before is too loud"
    assert not cut.single_sounds(_burst(4_000, RATE, decay_seconds=0.3, seed=1)), "it lasts"
    assert not cut.single_sounds(_burst(0, RATE, decay_seconds=0.02, seed=1)), "it may have begun before the recording"
    again = quiet + _burst(4_000 + 800, RATE, decay_seconds=0.02, seed=3)
    assert len(cut.single_sounds(again)) <= 1, "two sounds 50 ms apart are not two clear ones"
    far = quiet + _burst(10_000, RATE, decay_seconds=0.02, seed=3)
    assert len(cut.single_sounds(far)) == 2


def test_a_pause_within_a_lasting_sound_does_not_split_it(cut: Any) -> None:
    rng = np.random.default_rng(5)
    sound = rng.uniform(-0.3, 0.3, 3 * RATE).astype(np.float32)
    sound[: RATE // 2] = sound[-RATE // 2 :] = 0.0
    sound[RATE : RATE + 3_200] = 0.0
    (one,) = cut.stretches(sound)
    assert abs(one.onset - RATE // 2) < 0.005 * RATE and abs(one.offset - 5 * RATE // 2) < 0.005 * RATE
    sound[RATE : RATE + 8_000] = 0.0
    assert len(cut.stretches(sound)) == 2


def _build(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, ROOT / "models" / "scenes" / "build.py", folder, *options], text=True,
                          capture_output=True, check=False)


def _samples(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


@pytest.fixture(scope="module")
def built(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One quiet scene, and one of each ratio, overlapping or not."""
    pytest.importorskip("soundfile")
    folder = tmp_path_factory.mktemp("scenes")
    done = _build(folder, "--each", "1", "--truth", "1", "--set", "truth", "--set", "rooms")
    assert done.returncode == 0, done.stderr
    return folder


def test_scenes_are_the_seeds_and_hold_what_their_annotations_say(shared: Path, built: Path, tmp_path: Path) -> None:
    assert _build(tmp_path, "--each", "1", "--truth", "1", "--set", "truth", "--set", "rooms").returncode == 0
    waves = sorted(built.glob("*/*.wav"))
    assert len(waves) == 1 + 5 * 2
    for path in waves:
        same = tmp_path / path.parent.name / path.name
        assert path.read_bytes() == same.read_bytes()
        assert path.with_suffix(".txt").read_text() == same.with_suffix(".txt").read_text()
    truth = _samples(built / "truth" / "truth-00.wav").astype(np.float64)
    lines = [line.split("\t") for line in (built / "truth" / "truth-00.txt").read_text().splitlines()]
    onsets = [float(line[0]) for line in lines]
    assert len(onsets) > 15 and onsets == sorted(onsets)
    assert {line[2].strip() for line in lines} <= {"hand_clap", "finger_snap", "door_knock"}
    for onset in onsets:
        at = round(onset * RATE)
        assert np.abs(truth[at : at + 480]).max() > 3 * np.abs(truth[at - 1_600 : at - 80]).mean()
    with (shared / "data" / "manifest.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["path"]: row for row in csv.DictReader(file)}
    trained = {row["source_repo"] for path, row in rows.items() if row["split"] == "train" and "ESC-10" not in path}
    for table in built.glob("*/placed.csv"):
        with table.open(newline="", encoding="utf-8") as file:
            paths = [path for row in csv.DictReader(file) for path in row["path"].split(";")]
        assert paths and all(rows[path]["split"] == "eval" or "karolpiczak-ESC-10__5-" in path for path in paths)
        assert not trained & {rows[path]["source_repo"] for path in paths}, "a source that trains"
    for table in built.glob("*/scenes.csv"):
        with table.open(newline="", encoding="utf-8") as file:
            behind = {path for row in csv.DictReader(file) for path in row["behind"].split(";")}
        assert not trained & {rows[path]["source_repo"] for path in behind}, "a background that trains"


def test_built_scenes_are_scored_by_kind(built: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    try:
        check_installed()
    except SettingsError as error:
        pytest.skip(str(error))
    more = ["--format", "json", "--state-dir", str(tmp_path), "--target", "hand_clap"]
    assert main(["scenes", str(built / "truth"), *more]) == 0
    truth = json.loads(capsys.readouterr().out)
    clap = truth["targets"]["hand_clap"]
    assert clap["sounds"] > 5 and clap["onset_on_time"] >= 0.9, "an onset in a quiet scene is found to 50 ms"
    assert main(["scenes", str(built / "rooms"), "--by", "ratio_db", *more]) == 0
    rooms = json.loads(capsys.readouterr().out)
    assert list(rooms["kinds"]) == [f"ratio_db {ratio}" for ratio in (-6.0, 0.0, 6.0, 12.0, 24.0)]
    assert sum(kind["targets"]["hand_clap"]["sounds"] for kind in rooms["kinds"].values()) == rooms["targets"]["hand_clap"][
        "sounds"]


def test_scenes_are_not_built_inside_the_repository() -> None:
    done = _build(ROOT / "models" / "scenes" / "out")
    assert done.returncode == 2 and "wanted one outside it" in done.stderr
    assert not (ROOT / "models" / "scenes" / "out").exists()
