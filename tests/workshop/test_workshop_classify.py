"""Classify: a recording or an array, by the same path as the microphone; as a table, CSV and JSON; as a picture."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import numpy as np
import pytest

from edge import classify, load_model
from edge.errors import SettingsError, SourceError
from edge.stream import SAMPLE_RATE
from edge.workshop.classify import Classification
from edge.workshop.report import ClassificationPrinter
from tests.fakes import LoudnessModel, silence, tone

RUNTIME = os.environ.get("EDGE_AUDIO_TEST_RUNTIME", "auto")
SOUND = np.concatenate([silence(1.0), tone(1.5), silence(2.0)])


@pytest.fixture
def result() -> Classification:
    return classify(LoudnessModel(), SOUND, hop_seconds=0.48)


def test_every_sample_is_in_a_patch_and_the_hop_is_kept(result: Classification) -> None:
    assert np.allclose(np.diff(result.starts), 0.48)
    assert result.starts[0] == 0.0
    assert result.starts[-1] + 0.975 >= result.duration_seconds == pytest.approx(4.5)
    assert result.starts[-1] - 0.48 + 0.975 < 4.5
    assert result.scores.shape == (len(result.starts), 1)
    assert result.embeddings is not None and result.embeddings.shape[0] == len(result.starts)
    assert result.bands is not None and result.bands.shape == (96 + 48 * (len(result.starts) - 1), 64)


def test_what_is_not_asked_for_is_not_kept(result: Classification) -> None:
    slim = classify(LoudnessModel(), SOUND, hop_seconds=0.48, embeddings=False, bands=False)
    assert slim.embeddings is None and slim.bands is None
    assert np.array_equal(slim.scores, result.scores)


def test_floats_and_channels_are_heard_like_samples(result: Classification) -> None:
    stereo = np.stack([SOUND, SOUND], axis=1)
    for other in (SOUND / 32768.0, stereo, stereo.astype(np.float32) / 32768.0):
        assert np.array_equal(classify(LoudnessModel(), other, hop_seconds=0.48).scores, result.scores)


def test_json_is_the_object_that_scripts_rely_on(result: Classification) -> None:
    out = io.StringIO()
    ClassificationPrinter("json", out).print(result)
    line = json.loads(out.getvalue())
    assert list(line) == ["file", "duration_seconds", "model", "runtime", "hop_seconds", "patches", "events"]
    assert list(line["patches"][0]) == ["start_seconds", "scores"]
    (event,) = line["events"]
    assert list(event) == ["target", "start_seconds", "end_seconds", "probability"]
    assert event["target"] == "loud"
    assert event["start_seconds"] == pytest.approx(1.0, abs=0.5)
    assert event["end_seconds"] == pytest.approx(2.5, abs=0.5)


def test_csv_has_a_row_for_each_score_and_event_and_one_head(result: Classification) -> None:
    out = io.StringIO()
    printer = ClassificationPrinter("csv", out)
    printer.print(result)
    printer.print(result)
    lines = out.getvalue().splitlines()
    assert lines[0] == "file,kind,start_seconds,end_seconds,name,value"
    assert len(lines) == 1 + 2 * (len(result.starts) + 1)


def test_the_table_names_events(result: Classification) -> None:
    out = io.StringIO()
    ClassificationPrinter("table", out).print(result)
    assert "event  loud  " in out.getvalue()


def test_top_threshold_allow_and_deny_choose_labels() -> None:
    result = Classification("x", 1.0, "m", "r", 0.48, 15_600, ("a", "b", "c"), np.zeros(1),
                            np.array([[0.2, 0.9, 0.5]], np.float32), None, None, ())
    assert list(result.best(0, top=0)) == ["b", "c", "a"]
    assert list(result.best(0, top=2)) == ["b", "c"]
    assert list(result.best(0, score_threshold=0.4)) == ["b", "c"]
    assert list(result.best(0, allow=["a", "b"])) == ["b", "a"]
    assert list(result.best(0, deny=["b"])) == ["c", "a"]
    with pytest.raises(SettingsError, match="'d'"):
        result.best(0, deny=["d"])


@pytest.mark.parametrize("array", [np.zeros((2, 2, 2), np.int16), np.zeros(0, np.int16), np.zeros(10, np.int32),
                                   np.zeros((2, 16_000), np.int16)])
def test_an_array_that_is_no_sound_is_refused(array: np.ndarray) -> None:
    with pytest.raises(SourceError, match="array: found"):
        classify(LoudnessModel(), array)


@pytest.mark.parametrize("rate", [0, -1, 44_100.0])
def test_a_rate_that_is_none_is_refused(rate: int) -> None:
    with pytest.raises(SourceError, match="rate"):
        classify(LoudnessModel(), SOUND, rate=rate)


def test_a_few_samples_are_a_patch_too() -> None:
    assert len(classify(LoudnessModel(), np.zeros(2, np.int16), rate=48_000).starts) == 1


def test_progress_counts_the_seconds_heard() -> None:
    seen: list[tuple[float, float]] = []
    classify(LoudnessModel(), SOUND, progress=lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert seen[-1] == (pytest.approx(len(SOUND) / SAMPLE_RATE), pytest.approx(len(SOUND) / SAMPLE_RATE))


@pytest.mark.big
def test_the_picture_is_drawn(result: Classification, tmp_path: Path) -> None:
    plot = pytest.importorskip("edge.workshop.plot", reason="matplotlib is not installed here")
    plot.plot_classification(result, tmp_path / "out.png")
    assert (tmp_path / "out.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(SourceError, match="nowhere"):
        plot.plot_classification(result, tmp_path / "nowhere" / "out.png")


@pytest.mark.big
def test_the_starter_scores_recorded_claps_over_everything_else(shared: Path) -> None:
    model = load_model("starter", runtime=RUNTIME)

    def scores(name: str) -> list[float]:
        clips = sorted((shared / "data" / "train" / name).glob("*"))[:6]
        return [float(classify(model, clip).scores.max(axis=0)[model.labels.index("hand_clap")]) for clip in clips]

    others = [score for name in ("keyboard_typing", "neg_speech", "rain", "siren") for score in scores(name)]
    assert np.median(scores("hand_clap")) > 3 * np.median(others)
