"""`teach` and `calibrate` as a program talks to them: what they tell, and what comes of the answer."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from edge.cli import main
from edge.control.loading import model_folder
from edge.learn.bank import load_room
from edge.model.calibration_file import load_calibration, own_path
from edge.model.manifest_file import load_manifest
from edge.model.taught import Taught
from edge.model.taught_file import load_taught
from edge.workshop.lessons import Lessons
from edge.workshop.taking_up import TAKEN_UP
from tests.cli.talking import all_different, knocks, microphone, talking

pytestmark = pytest.mark.big

TEACH = ("teach", "my_knock", "--microphone", "--count", "5", "--format", "jsonl")


@pytest.fixture
def sitting(shared: Path, tmp_path: Path) -> list[str]:
    """Settings whose microphone hears six knocks, and a state directory."""
    return ["--config", str(microphone(tmp_path, knocks(shared, 6))), "--state-dir", str(tmp_path / "state")]


def taught_in(state: Path) -> Taught:
    return load_taught(state, load_manifest(model_folder("starter", state)))


def test_a_sound_is_told_of_and_kept_beside_what_was_taught_meanwhile(sitting: list[str], tmp_path: Path,
                                                                      capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is locked while a person thinks; what another one taught by then is not lost."""
    state = tmp_path / "state"
    with talking(*TEACH, *sitting) as talker:
        outcome = talker.until("outcome")
        lessons = Lessons("starter", model_folder("starter", state), state)
        with lessons.changing():
            lessons.save(replace(lessons.taught, change="another one's step"))
        code, _ = talker.end("keep")
    assert code == 0 and talker.lines[-1] == {"kind": "kept", "name": "my_knock", "reloaded": False, "words": TAKEN_UP}
    assert talker.kinds("level", "recording") == ["listening", "fitting", "outcome", "kept"]
    assert talker.lines[0] == {"kind": "listening", "count": 5, "through": False}
    recordings = [line for line in talker.lines if line["kind"] == "recording"]
    assert [line["number"] for line in recordings] == [1, 2, 3, 4, 5]
    for line in recordings:
        assert line["seconds"] > 1.0 and len(line["envelope"]) == 100
        assert {type(value) for value in line["envelope"]} == {int}
        assert max(line["envelope"]) > min(line["envelope"]) + 30  # a knock over a quiet room
    levels = [line for line in talker.lines if line["kind"] == "level"]
    assert levels[0].keys() == {"kind", "level_dbfs", "room_dbfs", "hearing", "done"} and levels[0]["room_dbfs"] is None
    assert outcome["refused"] == "" and outcome["row"]["recordings"] == 5 and outcome["own"] is None
    assert outcome["collisions"] and outcome["groups"] == outcome["row"]["groups"]
    assert taught_in(state).names == ("my_knock",)
    assert len(list((state / "taught" / "starter").iterdir())) == 2
    capsys.readouterr()
    assert main(["teach", "--list", "--format", "json", "--state-dir", str(state)]) == 0
    assert json.loads(capsys.readouterr().out) == outcome["row"] | {"taught_at": taught_in(state).sounds[0].taught_at}


@pytest.mark.parametrize("answer", [None, "no"])
def test_without_the_word_nothing_is_kept(sitting: list[str], tmp_path: Path, answer: str | None) -> None:
    with talking(*TEACH, *sitting) as talker:
        talker.until("outcome")
        assert talker.end(answer)[0] == 0
    assert talker.lines[-1] == {"kind": "dropped"} and not (tmp_path / "state" / "taught").exists()


@pytest.mark.parametrize(("answer", "code"), [("keep", 2), ("force", 0)])
def test_what_cannot_be_told_apart_takes_force(shared: Path, tmp_path: Path, answer: str, code: int) -> None:
    config = microphone(tmp_path, all_different(shared), room=0.0)
    with talking(*TEACH, "--config", str(config), "--state-dir", str(tmp_path / "state")) as talker:
        assert "recordings heard" in talker.until("outcome")["refused"]
        ended, said = talker.end(answer)
    assert ended == code
    if code:
        assert talker.lines[-1]["kind"] == "error" and talker.lines[-1]["thing"] == "sound my_knock"
        assert talker.lines[-1]["found"] in said and not list((tmp_path / "state").glob("taught/starter/*.npz"))
    else:
        assert talker.lines[-1]["kind"] == "kept"
        taught = taught_in(tmp_path / "state")
        assert [sound.forced for sound in (*taught.sounds, *taught.looks)] == [True]


def test_where_nobody_reads_any_more_nothing_is_kept(sitting: list[str], tmp_path: Path) -> None:
    with talking(*TEACH, *sitting) as talker:
        talker.until("listening")
        assert talker.process.stdout is not None and talker.process.stdin is not None
        talker.process.stdin.write("keep\n")
        talker.process.stdin.close()
        talker.process.stdout.close()
        assert talker.process.wait() == 1
    assert not (tmp_path / "state" / "taught").exists()


@pytest.mark.parametrize(("words", "found"), [
    (["teach", "my_knock"], "no --microphone"), (["teach", "--list"], "no --microphone"),
    (["teach", "my_knock", "--microphone", "--force"], "--force"), (["teach", "typing", "--microphone"], "typing, a label"),
    (["teach", "my_knock", "--microphone", "--count", "3"], "3"), (["calibrate", "--list"], "more than the room"),
    (["calibrate", "--room", "here.wav"], "more than the room"), (["calibrate", "--target", "cow"], "cow"),
    (["calibrate", "--minutes", "0"], "0")])
def test_what_is_wrong_is_a_line_too(words: list[str], found: str, tmp_path: Path,
                                     capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*words, "--format", "jsonl", "--state-dir", str(tmp_path)]) == 2
    said = capsys.readouterr()
    (line,) = map(json.loads, said.out.splitlines())
    assert line["kind"] == "error" and found in f"{line['thing']} {line['found']}" and line["wanted"]
    assert said.err.startswith("edge-audio: ")


@pytest.mark.parametrize("answer", ["keep", "drop"])
def test_a_calibration_is_told_of_and_kept_if_wanted(sitting: list[str], tmp_path: Path, answer: str) -> None:
    state, manifest = tmp_path / "state", load_manifest(model_folder("starter", tmp_path))
    with talking("calibrate", "--minutes", "0.15", "--target", "siren", "--format", "jsonl", *sitting) as talker:
        outcome = talker.until("outcome")
        assert talker.end(answer)[0] == 0
    assert talker.lines[0] == {"kind": "hearing", "minutes": 0.15, "targets": ["siren"], "through": False}
    assert talker.kinds("progress") == ["hearing", "outcome", "kept" if answer == "keep" else "dropped"]
    progress = [line for line in talker.lines if line["kind"] == "progress"]
    assert progress and all(0.0 < line["seconds"] <= line["of"] == 9.0 for line in progress)
    (row,) = outcome["results"]
    assert row["target"] == "siren" and row["made"] == "room" and row["before"] > 0.0
    assert any(line.startswith("siren") for line in outcome["words"])
    kept = load_calibration(own_path(state, "starter"), manifest)
    if answer == "keep":
        assert kept is not None and kept.targets["siren"].threshold == row["threshold"]
        assert load_room(state, manifest) is not None
        assert talker.lines[-1] == {"kind": "kept", "targets": ["siren"], "reloaded": False, "words": TAKEN_UP}
    else:
        assert kept is None and not state.exists()
