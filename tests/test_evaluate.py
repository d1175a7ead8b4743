"""Figures of merit against scipy and by hand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from edge.errors import SourceError
from edge.learn.evaluate import Clip, SoundClass, find_clips, load_classes, measure
from edge.learn.figures import area_under_curve, wilson_interval

ROOT = Path(__file__).resolve().parent.parent


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
