"""Figures of merit against scipy and by hand."""

from __future__ import annotations

import argparse
import math
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from edge.cli import evaluate as command
from edge.errors import SettingsError, SourceError
from edge.learn.classes import SoundClass, load_classes
from edge.learn.evaluate import measure
from edge.learn.figures import area_under_curve, wilson_interval
from edge.learn.labelled_clips import Clip, find_clips
from edge.workshop.classify import Classification
from edge.workshop.picture_path import check_picture_path

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.big
@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=60))
def test_area_under_curve_is_mann_and_whitneys_u(pairs: list[tuple[int, bool]]) -> None:
    scores = np.array([score for score, _ in pairs], np.float32)
    truth = np.array([positive for _, positive in pairs])
    found = area_under_curve(scores, truth)
    if truth.all() or not truth.any():
        assert math.isnan(found)
    else:
        u = stats.mannwhitneyu(scores[truth], scores[~truth]).statistic
        assert found == pytest.approx(u / (truth.sum() * (~truth).sum()))


@given(st.integers(0, 50), st.integers(1, 50))
def test_the_wilson_interval_is_scipys(successes: int, more: int) -> None:
    trials = successes + more
    low, high = stats.binomtest(successes, trials).proportion_ci(0.95, method="wilson")
    assert wilson_interval(successes, trials, z=1.959964) == (pytest.approx(low, abs=1e-6), pytest.approx(high, abs=1e-6))
    assert wilson_interval(0, 0) == (0.0, 1.0)


def test_accuracy_counts_clips_of_known_classes_and_areas_count_all() -> None:
    classes = [SoundClass("clap", ("hand_clap",), ("Clapping", "Hands"), ("applause",)),
               SoundClass("typing", ("keys",), ("Typing",), ()), SoundClass("moo", ("cow",), ("Moo",), ())]
    clips = [Clip(Path("x"), name) for name in ("hand_clap", "hand_clap", "keys", "noise", "applause")]
    scores = np.array([[0.9, 0.1, 0.2], [0.1, 0.3, 0.6], [0.2, 0.2, 0.7], [0.0, 0.1, 0.1], [0.9, 0.9, 0.0]], np.float32)
    figures = measure(clips, scores, ("Clapping", "Hands", "Typing"), classes)
    assert (figures.clips, figures.classified, figures.accuracy) == (5, 3, pytest.approx(2 / 3))
    clap, typing = figures.classes
    assert (clap.clips, clap.negatives, clap.area_under_curve, clap.recall) == (2, 2, 1.0, 0.5), "applause is left out"
    assert (typing.clips, typing.negatives, typing.recall) == (1, 4, 1.0)
    # Taken for a clap: one of them, the noise (its scores tie: the first class wins), and applause, which counts as neither.
    assert (clap.precision, clap.precision_interval, clap.f1) == (0.5, wilson_interval(1, 2), pytest.approx(0.5))
    assert (typing.precision, typing.f1) == (0.5, pytest.approx(2 / 3)), "a clap and the keys"
    assert clap.recall_interval == wilson_interval(1, 2) and typing.recall_interval == wilson_interval(1, 1)
    assert (figures.confusion.rows, figures.confusion.columns) == (("clap", "typing", "other"), ("clap", "typing"))
    assert figures.confusion.counts.tolist() == [[1, 1], [0, 1], [2, 0]]


def test_a_label_of_the_classs_own_name_stands_for_it_alone() -> None:
    classes = [SoundClass("clap", ("hand_clap",), ("clap", "Clapping"), ()), SoundClass("moo", ("cow",), ("Moo",), ())]
    clips = [Clip(Path("x"), name) for name in ("hand_clap", "noise")]
    scores = np.array([[0.1, 0.9, 0.0], [0.9, 0.2, 0.0]], np.float32)
    assert measure(clips, scores, ("Clapping", "clap", "Moo"), classes).classes[0].area_under_curve == 1.0
    assert measure(clips, scores, ("Clapping", "other", "Moo"), classes).classes[0].area_under_curve == 0.0


def test_the_bundled_table_names_each_label_once_and_fits_the_starter() -> None:
    classes = load_classes(ROOT / "models" / "classes.toml")
    labels = [label for entry in classes for label in entry.labels]
    assert len(labels) == len(set(labels))
    assert {"hand_clap", "typing", "finger_snap"} <= {entry.name for entry in classes}


def test_clips_come_from_folders_or_a_manifest(tmp_path: Path) -> None:
    (tmp_path / "clap").mkdir()
    (tmp_path / "clap" / "a.wav").touch()
    (tmp_path / "clap" / "notes.txt").touch()
    assert find_clips(tmp_path) == [Clip(tmp_path / "clap" / "a.wav", "clap")]
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("path,class,split\nclap/a.wav,clap,eval\nclap/b.wav,clap,train\n")
    assert [clip.path.name for clip in find_clips(manifest, split="eval")] == ["a.wav"]
    for call in (lambda: find_clips(tmp_path / "none"), lambda: find_clips(manifest, only=["bark"])):
        with pytest.raises(SourceError):
            call()


# What cannot be measured is said, and names file and row or key.

@pytest.mark.parametrize(("content", "said"), [
    (b"[x]\nclips = 1\nlabels = ['a']\n", r"t\.toml: x\.clips: found 1; wanted a list of texts"),
    (b"[x]\nclips = ['a']\n", r"x\.labels: found nothing; wanted a list"),
    (b"x = 1\n", r"t\.toml: x: found 1; wanted a table"),
    (b"[x]\nclips = [1]\nlabels = ['a']\n", r"x\.clips: found 1; wanted a list of texts"),
    (b"\xff", r"t\.toml: found bytes that are no UTF-8"),
    (b"[x]\nclip = ['a']\n", r"x\.clip: found an unknown key; wanted one of clips"),
    (b"[x", r"t\.toml: found no TOML"), (b"", r"t\.toml: found no class"), (None, r"t\.toml: found No such file")])
def test_a_table_of_classes_that_cannot_be_used_names_file_and_key(content: bytes | None, said: str,
                                                                      tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "t.toml").write_bytes(content)
    with pytest.raises(SettingsError, match=said):
        load_classes(tmp_path / "t.toml")


@pytest.mark.parametrize(("content", "said"), [
    (b"path,class\na.wav,clap\n,clap\n", r"m\.csv: row 3: found no path"),
    (b"class,path\nclap\n", "row 2: found no path"),
    (b"path,class\na.wav\n", "row 2: found no class"),
    (b"path,class\n\xff,clap\n", r"m\.csv: found bytes that are no UTF-8"),
    (b"path,class\n" + b"a" * 200_000, "row 2: found field larger"), (b"", "found columns none"),
    (b"path,class\n", r"m\.csv: found no clip")])
def test_a_manifest_that_cannot_be_used_names_file_and_row(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_bytes(content)
    with pytest.raises(SourceError, match=said):
        find_clips(tmp_path / "m.csv")


def test_a_manifest_that_excel_wrote_is_read(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_bytes("\ufeffpath,class\r\nä.wav,clap\r\n".encode())
    assert find_clips(tmp_path / "m.csv") == [Clip(tmp_path / "ä.wav", "clap")]


def test_a_class_or_split_that_no_clip_has_is_said_with_those_there_are(tmp_path: Path) -> None:
    manifest = tmp_path / "m.csv"
    manifest.write_text("path,class,split\na.wav,clap,eval\nb.wav,moo,train\n")
    with pytest.raises(SourceError, match=r"--split evla: found no such row .*; wanted one of eval, train"):
        find_clips(manifest, split="evla")
    with pytest.raises(SourceError, match=r"--class bark: found no clip of it .*; wanted one of clap, moo"):
        find_clips(manifest, only=["clap", "bark"])
    with pytest.raises(SourceError, match=r"--split: found .*, a folder"):
        find_clips(tmp_path, split="eval")
    manifest.write_text("path,class\na.wav,clap\n")
    with pytest.raises(SourceError, match="wanted a CSV manifest with the columns path, class and split"):
        find_clips(manifest, split="eval")


def test_nothing_to_measure_is_an_error_and_no_accuracy_of_nought() -> None:
    classes = [SoundClass("moo", ("cow",), ("Moo",), ())]
    for labels, wanted in ((("Moo",), "a clip of cow"), (("Clapping",), "such a class")):
        with pytest.raises(SourceError, match=f"clips: found none of a class that the model has .*{wanted}"):
            measure([Clip(Path("x"), "noise")], np.zeros((1, 1), np.float32), labels, classes)


@pytest.mark.parametrize("hop", [math.nan, math.inf, 0.0, -0.48, 0.005, 0.97, 1e300])
def test_a_hop_that_cannot_be_is_refused_before_anything_is_read(hop: float) -> None:
    with pytest.raises(SettingsError, match=r"--hop: found .*; wanted a multiple of 0\.01 from 0\.01 to 0\.96"):
        parser = argparse.ArgumentParser()
        command.arguments(parser)
        command.run(parser.parse_args(("clips", "--hop", str(hop))))


# Pictures.

def _classification(patches: int) -> Classification:
    return Classification("a.wav", 1.0, "ears", "none", 0.48, 15_600, ("one", "two", "three"), np.zeros(patches),
                          np.ones((patches, 3), np.float32), None, None, ())


def test_a_picture_is_a_png_of_the_labels_asked_for(tmp_path: Path) -> None:
    plot = pytest.importorskip("edge.workshop.plot", reason="matplotlib is not installed here")
    plot.plot_classification(_classification(2), tmp_path / "out.jpg", labels=["two"])
    assert (tmp_path / "out.jpg").read_bytes().startswith(b"\x89PNG")
    assert plot._highest(_classification(2), 10, ["three", "two"]) == [1, 2]
    for labels in (["none"], []):
        with pytest.raises(SettingsError, match="label"):
            plot.plot_classification(_classification(2), tmp_path / "none.png", labels=labels)
    with pytest.raises(SourceError, match=r"a\.wav: found no sound"):
        plot.plot_classification(_classification(0), tmp_path / "none.png")


def test_where_a_picture_cannot_be_written_is_said_beforehand(tmp_path: Path) -> None:
    check_picture_path(tmp_path / "out.PNG")
    assert not list(tmp_path.iterdir())
    os.mkfifo(tmp_path / "pipe.png")
    for path, said in ((tmp_path, "a folder"), (tmp_path / "out.jpg", r"a name that ends in '\.jpg'"),
                       (tmp_path / "none" / "out.png", "no folder"), (tmp_path / "pipe.png", "a device or pipe")):
        with pytest.raises(SettingsError, match=f"--plot .*: found {said}"):
            check_picture_path(path)
