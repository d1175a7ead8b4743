"""Labelled clips: what is taken for what, and false alarms at the threshold that serves."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from edge.cli import main
from edge.control.loading import load_calibrations, load_model, model_folder
from edge.learn.alarms import Alarms, count_alarms
from edge.learn.classes import SoundClass, load_classes, with_classes_of
from edge.learn.evaluate import Confusion, count_confusion
from edge.learn.figures import alarm_places
from edge.learn.labelled_clips import Clip
from edge.model.manifest_file import load_manifest
from edge.model.taught import Taught, TaughtCorrection
from edge.model.taught_file import save_taught
from edge.settings import Settings, TargetSettings
from edge.workshop.classify import classify
from edge.workshop.evaluate import evaluate_clips

ROOT = Path(__file__).resolve().parents[2]


def test_a_class_without_clips_is_a_column_once_something_is_taken_for_it() -> None:
    truth = np.array([[True, False, False], [False, False, True], [False, False, True]])
    confusion = count_confusion(("a", "b", "c"), truth, np.array([1, 2, 2]))
    assert (confusion.rows, confusion.columns) == (("a", "c"), ("a", "c", "b"))
    assert confusion.counts.tolist() == [[0, 0, 1], [0, 2, 0]]
    assert count_confusion(("a", "b", "c"), truth, np.array([0, 2, 2])).columns == ("a", "c")


def test_alarms_are_peaks_a_second_apart_in_clips_without_the_sound() -> None:
    over, under = 0.9, 0.1
    clips = {"own": [over, over], "missed": [under, under], "beside": [over], "one": [over, over, over, under],
             "two": [over, under, under, under, over], "none": [under]}
    present = [True, True, None, False, False, False]
    found = count_alarms("t", 0.9, [np.array(values) for values in clips.values()], present, ["a", "a", "b", "c", "d", "d"],
                         [5.0, 5.0, 500.0, 60.0, 90.0, 30.0], hop_seconds=0.5)
    assert (found.heard, found.of, found.alarms, found.mistaken) == (1, 2, 3, (("d", 2), ("c", 1)))
    assert found.hours == pytest.approx(180 / 3600) and found.per_hour == pytest.approx(60.0)
    assert found.per_hour_upper == pytest.approx(stats.chi2.ppf(0.95, 2 * (3 + 1)) / 2 / found.hours)
    none = count_alarms("t", 0.5, [np.array([over])], [True], ["a"], [5.0], hop_seconds=0.5)
    assert none.hours == 0.0 and math.isnan(none.per_hour) and math.isinf(none.per_hour_upper)


@pytest.mark.big
def test_figures_are_at_the_threshold_that_serves(shared: Path, tmp_path: Path) -> None:
    """Four real recordings; the clap's target as the shipped calibration has it, then as settings would."""
    data = shared / "data"
    paths = [*sorted((data / "eval" / "hand_clap").iterdir())[:2], *sorted((data / "eval" / "neg_speech").iterdir())[:2]]
    clips = [Clip(path, path.parent.name) for path in paths]
    model, classes = load_model(state_dir=tmp_path), load_classes(ROOT / "models" / "classes.toml")

    def clap(settings: Settings) -> Alarms:
        figures, hours = evaluate_clips(model, clips, classes, settings, tmp_path, hop_seconds=0.48)
        (row,) = [row for row in figures.classes if row.name == "hand_clap"]
        assert row.alarms is not None and row.alarms.of == 2 and 0.0 < row.alarms.hours < hours
        return row.alarms

    target = TargetSettings(name="hand_clap", labels=("hand_clap",))  # looks do not decide it then
    entry = load_calibrations(model, replace(Settings(), target=(target,)), tmp_path).entries["hand_clap"]
    assert clap(replace(Settings(), target=(target,))).threshold == entry.threshold
    heard = [classify(model, path, hop_seconds=0.48, targets=(replace(target, threshold=1e-9),)) for path in paths]
    low = clap(replace(Settings(), target=(replace(target, threshold=1e-9),)))
    assert low.heard == 2 and low.threshold == 1e-9
    assert low.alarms == sum(len(alarm_places(one.scores[:, 0], hop_seconds=0.48)) for one in heard[2:]), "all over it"


@pytest.mark.big
def test_a_target_that_looks_decide_is_judged_by_its_events_and_its_surest_look(tmp_path: Path) -> None:
    sounds = (("claps", "hand_clap"), ("steps", "steps"))
    clips = [Clip(ROOT / "models" / "demo" / f"{sound}.wav", name) for sound, name in sounds]
    model, classes = load_model(state_dir=tmp_path), load_classes(ROOT / "models" / "classes.toml")

    def clap(threshold: float) -> Alarms:
        settings = replace(Settings(), target=(TargetSettings(name="hand_clap", threshold=threshold),))
        figures, _ = evaluate_clips(model, clips, classes, settings, tmp_path, hop_seconds=0.24)
        (row,) = [row for row in figures.classes if row.name == "hand_clap"]
        assert row.area_under_curve == 1.0 and row.alarms is not None
        return row.alarms

    events = classify(model, clips[1].path, targets=(TargetSettings(name="hand_clap", threshold=1e-6),)).events
    assert (low := clap(1e-6)).heard == 1 and 0 < low.alarms <= len(events), "at most one a second"
    assert (high := clap(0.999999)).heard == high.alarms == 0


def test_folders_named_by_the_models_own_labels_are_classes_and_others_are_said(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`evaluate` took a folder `typing` for other sound without a word, though typing is a label of the model."""
    for name, sound in (("typing", "typing"), ("hand_clap", "claps"), ("kitchen", "steps"), ("alarm_beep", "siren")):
        (tmp_path / "clips" / name).mkdir(parents=True)
        shutil.copy(ROOT / "models" / "demo" / f"{sound}.wav", tmp_path / "clips" / name / "a.wav")
    assert main(["evaluate", str(tmp_path / "clips"), "--state-dir", str(tmp_path), "--format", "json"]) == 0
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert found["classes"]["typing"]["clips"] == found["classes"]["alarm_beep"]["clips"] == 1
    assert found["confusion"]["rows"] == ["hand_clap", "typing", "alarm_beep", "other"] and found["classified"] == 3
    assert "taken for no class, and so counted as other sound: kitchen (1 clip); a class is named by a label" in said.err


def test_a_label_belongs_to_the_tables_class_or_is_its_own() -> None:
    classes = [SoundClass("dog", ("dog_bark",), ("Bark", "Dog"), ("puppy",))]
    names = ["Dog", "dog_bark", "Moo", "doorbell", "puppy", "kitchen", "rex"]
    targets = {"doorbell": ("Ding-dong",), "rex": ("Bark",)}
    found = with_classes_of(names, classes, ("Bark", "Dog", "Moo", "Ding-dong", "puppy"), targets)
    assert found == [SoundClass("dog", ("dog_bark", "Dog", "rex"), ("Bark", "Dog"), ("puppy",)),
                     SoundClass("Moo", ("Moo",), ("Moo",), ()), SoundClass("doorbell", ("doorbell",), ("Ding-dong",), ()),
                     SoundClass("puppy", ("puppy",), ("puppy",), ())]
    beep = {"beep": ("Smoke detector", "Beep")}
    smoke = SoundClass("smoke", ("smoke",), ("Smoke detector",), ("beep",))
    assert with_classes_of(["beep"], [smoke], ("Smoke detector", "Beep"), beep) == [
        smoke, SoundClass("beep", ("beep",), ("Beep",), ())], "a beep may be the smoke alarm's, but need not"


def test_what_feedback_taught_counts(shared: Path, tmp_path: Path) -> None:
    """Of several vetoes the strongest, as the appliance has it; a correction once had one row, and was added as it is."""
    paths = sorted((shared / "data" / "eval" / "hand_clap").iterdir())[:2]
    classes = load_classes(ROOT / "models" / "classes.toml")
    empty = Taught.nothing(load_manifest(model_folder("starter", tmp_path)))
    targets = (TargetSettings(name="hand_clap", labels=("hand_clap",), threshold=0.01),)

    def heard(bias: list[float]) -> int:
        correction = TaughtCorrection(np.zeros((len(bias), empty.columns), np.float32), np.array(bias, np.float32))
        save_taught(tmp_path, replace(empty, corrections={"hand_clap": correction}))
        figures, _ = evaluate_clips(load_model(state_dir=tmp_path), [Clip(path, "hand_clap") for path in paths], classes,
                                    replace(Settings(), target=targets), tmp_path, hop_seconds=0.48)
        (alarms,) = [row.alarms for row in figures.classes if row.alarms is not None]
        return alarms.heard

    assert [heard(bias) for bias in ([0.0], [0.0, 5.0, 100.0], [100.0, 5.0, 60.0], [-100.0, -100.0])] == [2, 0, 2, 2]


@pytest.mark.big
def test_a_confusion_matrix_is_drawn_with_every_name_inside_the_picture(tmp_path: Path) -> None:
    plot = pytest.importorskip("edge.workshop.plot", reason="matplotlib is not installed here")
    names = tuple(f"a_class_of_a_long_name_{number}" for number in range(22))
    confusion = Confusion((*names, "other"), names, np.arange(23 * 22).reshape(23, 22))
    figure = plot.confusion_figure(confusion, "ears")
    figure.canvas.draw()
    inside = figure.bbox
    (axes, _) = figure.axes
    labels = [*axes.get_xticklabels(), *axes.get_yticklabels()]
    assert {label.get_text() for label in labels} >= {*names, "other (10879)"}
    assert all(inside.contains(*corner) for label in labels for corner in label.get_window_extent().corners())
    assert len(axes.texts) == 23 * 22 - 1, "a count in every cell but the empty one"
    plot.plot_confusion(confusion, "ears", tmp_path / "out.png")
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")
