"""Scenes of single sounds, measured: what counts as found, as false alarm and as taken; and the looks of their onsets."""

from __future__ import annotations

import csv
import json
import wave
from pathlib import Path

import numpy as np
import pytest

from edge.control.loading import load_model
from edge.control.plan import plan_for
from edge.errors import SourceError
from edge.features.look import AFTER, LOWEST, SHOWN
from edge.settings import TargetSettings
from models.impulse.onsets import cells, gather
from models.measuring.__main__ import main
from models.measuring.evaluate_onsets import read_scenes
from models.measuring.lasting import measure_lasting
from models.measuring.listening import listen
from models.measuring.onsets import Listened, Placed, Raised, matched, measure_onsets

RATE = 16_000


def test_an_event_is_matched_once_and_to_the_nearest_sound() -> None:
    assert matched([1.0, 2.07, 3.09], [1.0, 2.0, 3.0]) == [0, 1, -1]
    assert matched([1.0, 1.05], [1.01]) == [0], "the nearer one"
    assert matched([1.04], [1.0, 1.06]) == [-1, 0]
    assert matched([], [1.0]) == [-1] and matched([1.0], []) == []


def _scene(sounds: str, background: str, placed: list[tuple[float, str, str, str]], **events: list[float]) -> Listened:
    sounds_placed = tuple(Placed(onset, onset + 0.2, *more) for onset, *more in placed)
    raised = tuple(Raised(target, start, start + 0.1, start + 0.5) for target, own in events.items() for start in own)
    return Listened(sounds, background, 360.0, sounds_placed, raised)


def test_figures_of_a_target() -> None:
    claps = [(1.0, "hand_clap", "one", "20 dB"), (3.0, "hand_clap", "two", "20 dB")]
    quiet = [(1.0, "hand_clap", "one", "quiet"), (3.0, "hand_clap", "two", "quiet")]
    hard = [(1.0, "cough", "three", "20 dB"), (3.0, "hand_clap", "one", "20 dB"), (5.0, "door_slam", "four", "20 dB")]
    scenes = [
        _scene("hand_clap", "talk", claps, hand_clap=[1.01, 1.15, 1.3, 2.95]),
        _scene("hand_clap", "quiet", quiet, hand_clap=[1.0]),
        _scene("finger_snap", "music", [(2.0, "finger_snap", "five", "10 dB")], hand_clap=[2.0]),
        _scene("hard", "talk", hard, hand_clap=[1.0, 3.0], finger_snap=[5.0]),
        _scene("alone", "talk", [], hand_clap=[4.0]),
    ]
    clap, snap = measure_onsets(scenes, ("hand_clap", "finger_snap", "door_knock"), "source")
    assert (clap.target, snap.target) == ("hand_clap", "finger_snap")
    assert {ratio: (share.count, share.of) for ratio, share in clap.recall.items()} == {"20 dB": (2, 2), "quiet": (1, 2)}
    assert clap.recall["quiet"].low < 0.5 < clap.recall["quiet"].high
    assert (clap.alarms.count, clap.alarms.hours, clap.alarms.per_hour) == (2, 0.5, 4.0)
    assert clap.alarms.per_hour_upper == pytest.approx(6.296 / 0.5, abs=0.01), "Poisson, 95 %: 2 are at most 6.3"
    assert clap.delay_median == pytest.approx(0.5, abs=0.02) and np.isnan(snap.delay_median)
    assert clap.extra == 1, "a second event within the clap"
    assert (clap.alarms_by["talk"].count, clap.alarms_by["music"].count) == (2, 0)
    assert (clap.hard.count, clap.hard.of) == (1, 2), "its own class is not hard"
    assert {label: (share.count, share.of) for label, share in clap.taken.items()} == {
        "finger_snap": (1, 1), "cough": (1, 1), "door_slam": (0, 1)}
    assert clap.recall_by["two"]["quiet"].count == 0 and clap.recall_by["one"]["quiet"].count == 1
    assert (snap.recall["10 dB"].count, snap.hard.count, snap.hard.of) == (0, 1, 3)


def test_figures_of_a_lasting_target() -> None:
    def scene(placed: list[Placed], *events: tuple[float, float, float]) -> Listened:
        return Listened("keyboard_typing", "talk", 360.0, tuple(placed), tuple(Raised("typing", *one) for one in events))

    sounds = [Placed(10.0, 20.0, "keyboard_typing", "one", "20 dB"), Placed(30.0, 40.0, "keyboard_typing", "two", "20 dB")]
    early = scene(sounds, (10.5, 19.0, 11.8), (31.0, 39.0, 35.0), (50.0, 52.0, 52.0))
    late = scene([Placed(10.0, 12.0, "keyboard_typing", "one", "10 dB")], (11.0, 13.0, 14.0))
    (typing,) = measure_lasting([early, late], ("typing", "siren"))
    assert {ratio: (share.count, share.of) for ratio, share in typing.soon.items()} == {"20 dB": (1, 2), "10 dB": (0, 1)}
    assert {ratio: share.count for ratio, share in typing.found.items()} == {"20 dB": 2, "10 dB": 0}, "told of too late"
    assert typing.delay_median == pytest.approx((1.8 + 5.0) / 2)
    assert (typing.alarms.count, typing.alarms.hours) == (1, 0.2)
    assert typing.soon_by["two"]["20 dB"].count == 0


def test_an_event_has_the_time_at_which_it_was_told(folder: Path) -> None:
    model = load_model("starter", state_dir=folder)
    plan = plan_for(model, (TargetSettings(name="bang", louder_db=15.0),))
    events, seconds = listen(plan, folder / "hand_clap-20dB-talk.wav")
    bangs = [one for one in events if one.start > 1.5]
    assert seconds == 8.0 and [one.start for one in bangs] == pytest.approx([2.0, 3.5, 5.0, 6.0], abs=0.15)
    assert all(one.start < one.raised <= one.start + 1.5 and one.end > one.start for one in bangs)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One scene of three bursts over hiss; a fourth one is not in the list."""
    rng = np.random.default_rng(3)
    sound = rng.normal(0.0, 0.002, 8 * RATE) * np.minimum(np.arange(8 * RATE) / RATE, 1.0)
    for onset in (2.0, 3.5, 5.0, 6.0):
        burst = rng.normal(0.0, 0.3, RATE // 10) * np.exp(-np.arange(RATE // 10) / 160.0)
        sound[round(onset * RATE) : round(onset * RATE) + len(burst)] += burst
    with wave.open(str(tmp_path / "hand_clap-20dB-talk.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.clip(sound * 32768.0, -32768, 32767).astype("<i2").tobytes())
    for name, rows in (
        ("scenes", [["scene", "sounds", "background", "seconds"], ["hand_clap-20dB-talk", "hand_clap", "talk", "8"]]),
        ("placed", [["scene", "onset", "offset", "label", "source", "ratio_db", "background", "room"],
                    *[["hand_clap-20dB-talk", onset, onset + 0.1, "hand_clap", "one", "20", "talk", ""]
                      for onset in (2.0, 3.5, 5.0)]])):
        with (tmp_path / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)
    return tmp_path


def test_every_onset_becomes_two_looks_beside_its_truth(folder: Path) -> None:
    found = gather(folder)
    assert found["seconds"][found["placed_onset"]] == pytest.approx([2.0, 3.5, 5.0], abs=0.03)
    late = found["seconds"] > 1.0  # before that the hiss comes up from silence
    assert found["label"].tolist() == [""] * int((~late).sum()) + ["hand_clap"] * 3 + [""]
    assert found["seconds"][-1] == pytest.approx(6.0, abs=0.03) and np.isnan(found["ratio"][-1])
    assert found["ratio"][found["placed_onset"]].tolist() == [20.0] * 3
    assert set(found["background"]) == {"talk"} and float(found["hours"]) == pytest.approx(8 / 3600)
    looks = cells(found["looks"][late])
    assert looks.shape == (4, 2, 48, 64, 2) and looks.dtype == np.float32
    before = looks.shape[2] - AFTER
    assert (looks[:, 0, before + SHOWN :] == LOWEST).all() and (looks[:, 1, before + SHOWN :] > LOWEST).any()
    assert (looks[:, 1, before : before + 4, :, 0].mean(axis=(1, 2)) > 1.5).all(), "the burst is over its floor"


@pytest.mark.big
def test_the_command_counts_what_the_appliance_hears(folder: Path, capsys: pytest.CaptureFixture[str],
                                                     tmp_path: Path) -> None:
    assert main(["onsets", str(folder), "--state-dir", str(tmp_path / "state"), "--format", "json", "--by", "source"]) == 0
    printed = capsys.readouterr().out
    assert "NaN" not in printed
    (clap,) = json.loads(printed)["targets"].values()
    assert clap["target"] == "hand_clap" and clap["recall"]["20 dB"]["of"] == 3
    assert clap["hard"]["of"] == 0 and clap["hard"]["share"] is None
    assert clap["recall_by"]["one"]["20 dB"] == clap["recall"]["20 dB"]
    assert main(["onsets", str(folder), "--state-dir", str(tmp_path / "state")]) == 0
    assert "hand_clap" in capsys.readouterr().out


def test_a_folder_without_lists_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"placed\.csv"):
        read_scenes(tmp_path)
    (tmp_path / "placed.csv").write_text("scene,onset\na,1\n")
    with pytest.raises(SourceError, match="no column label"):
        read_scenes(tmp_path)
