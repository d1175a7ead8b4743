"""A model directory opened: scores out, or one clear error."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from model_tiny import SAMPLES

from edge.errors import ModelError
from edge.model.classifier import Model, open_model
from edge.model.manifest import bytes_sha256
from edge.stream import Patch
from edge.workshop.models.install import Installer

OWN = json.loads((Path(__file__).resolve().parents[2] / "models" / "yamnet" / "rows.json").read_text())["labels"]
ROWS = 521 + len(OWN)
"""As published, and our own behind them."""


@pytest.fixture
def copy(yamnet: Path, tmp_path: Path) -> Path:
    """YAMNet's directory, to be spoilt."""
    return Path(shutil.copytree(yamnet, tmp_path / "copy"))


def _edit(directory: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the manifest."""
    values = json.loads((directory / "manifest.json").read_text())
    change(values)
    (directory / "manifest.json").write_text(json.dumps(values))


def _noise(seed: int = 1) -> Patch:
    return Patch(np.random.default_rng(seed).normal(-2, 2, (96, 64)).astype(np.float32), position=4_800, first=True)


def test_a_split_model_gives_scores_logits_and_the_embedding(yamnet_model: Model) -> None:
    scores = yamnet_model.score(_noise())
    assert scores.position == 4_800 and scores.first
    assert scores.logits is not None and scores.embedding is not None
    assert scores.values.shape == scores.logits.shape == (ROWS,) and scores.embedding.shape == (1024,)
    assert {scores.values.dtype, scores.logits.dtype, scores.embedding.dtype} == {np.dtype(np.float32)}
    assert np.allclose(scores.values, 1 / (1 + np.exp(-scores.logits)), atol=1e-6)


def test_a_model_says_what_it_wants_and_offers(yamnet_model: Model) -> None:
    assert (yamnet_model.wants, yamnet_model.patch_samples, yamnet_model.embedding_size) == ("bands", 15_600, 1024)
    assert yamnet_model.labels[0] == "Speech" and len(yamnet_model.labels) == ROWS
    assert {"hand_clap", "typing", "finger_snap", "smoke_alarm"} <= {each.name for each in yamnet_model.targets}
    assert yamnet_model.describe().startswith(
        f"model yamnet 1 (split, {ROWS} of {ROWS} rows); {yamnet_model.runtime_name}, ")


def test_the_same_patch_scores_the_same_whatever_came_before(yamnet_model: Model) -> None:
    first = yamnet_model.score(_noise(1)).values
    yamnet_model.score(_noise(2))
    assert np.array_equal(yamnet_model.score(_noise(1)).values, first)


def test_scores_already_given_stay_as_they_are(yamnet_model: Model) -> None:
    given = yamnet_model.score(_noise(1))
    assert given.embedding is not None
    kept = given.values.copy(), given.embedding.copy()
    yamnet_model.score(_noise(2))
    assert np.array_equal(given.values, kept[0]) and np.array_equal(given.embedding, kept[1])


def test_rows_in_use_score_as_they_do_among_all(yamnet: Path, yamnet_model: Model, runtime: str) -> None:
    rows = ("Typing", "Clapping", "Finger snapping")
    few = open_model(yamnet, runtime=runtime, rows=rows)
    assert few.labels == rows and f"3 of {ROWS} rows" in few.describe()
    everything = yamnet_model.score(_noise()).values[[yamnet_model.labels.index(label) for label in rows]]
    assert np.allclose(few.score(_noise()).values, everything, rtol=1e-5)


def test_an_unknown_row_names_the_nearest_label(yamnet: Path, runtime: str) -> None:
    with pytest.raises(ModelError, match=f"found 'Claping'; wanted one of its {ROWS} labels, such as 'Clapping'"):
        open_model(yamnet, runtime=runtime, rows=("Claping",))


@pytest.mark.parametrize(("data", "found"), [
    (np.zeros((96, 63), np.float32), r"shape \[96, 63\]; wanted \[96, 64\]"),
    (np.zeros(15_600, np.int16), "int16; wanted float32 bands"),
    (np.zeros((96, 64)), "float64"),
])
def test_a_patch_of_another_kind_is_refused(yamnet_model: Model, data: np.ndarray, found: str) -> None:
    with pytest.raises(ModelError, match=found):
        yamnet_model.score(Patch(data, 0))


# One spoilt thing at a time.

@pytest.mark.parametrize("name", ["manifest.json", "backbone.tflite", "head.npz"])
def test_a_missing_file_is_named(copy: Path, runtime: str, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(ModelError, match=f"{name}: found No such file or directory"):
        open_model(copy, runtime=runtime)


@pytest.mark.parametrize("name", ["backbone.tflite", "head.npz"])
def test_a_changed_byte_is_found_by_its_digest(copy: Path, runtime: str, name: str) -> None:
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(ModelError, match=f"{name}: found sha256 [0-9a-f]{{64}}; wanted [0-9a-f]{{64}}, as in manifest"):
        open_model(copy, runtime=runtime)


@pytest.mark.parametrize("name", ["backbone.tflite", "head.npz"])
def test_a_truncated_file_is_found_by_its_size(copy: Path, runtime: str, name: str) -> None:
    content = (copy / name).read_bytes()
    (copy / name).write_bytes(content[:-1000])
    with pytest.raises(ModelError, match=f"found {len(content) - 1000} bytes; wanted {len(content)} bytes"):
        open_model(copy, runtime=runtime)


def test_a_folder_where_a_file_should_be_is_said(copy: Path, runtime: str) -> None:
    (copy / "head.npz").unlink()
    (copy / "head.npz").mkdir()
    with pytest.raises(ModelError, match="head"):
        open_model(copy, runtime=runtime)


@pytest.mark.parametrize(("way", "key", "value", "found"), [
    ("input", "shape", [96, 64], r"int8 \[1, 96, 64, 1\].*wanted int8 \[96, 64\]"),
    ("input", "dtype", "uint8", "int8 .* wanted uint8"),
    ("input", "scale", 0.05, "scale 0.0480206"),
    ("output", "zero_point", 0, "zero point -128; .* zero point 0"),
])
def test_tensors_that_differ_from_the_manifest_are_refused(copy: Path, runtime: str, way: str, key: str,
                                                           value: object, found: str) -> None:
    _edit(copy, lambda values: values["backbone"][way].__setitem__(key, value))
    with pytest.raises(ModelError, match=f"backbone.tflite: {way}: found .*{found}"):
        open_model(copy, runtime=runtime)


def test_a_head_of_other_rows_is_refused(copy: Path, runtime: str) -> None:
    def change(values: dict[str, Any]) -> None:
        values["labels"].append("one more")
        values["head"]["rows"] += 1
    _edit(copy, change)
    with pytest.raises(ModelError, match=rf"head.npz: found .*\[{ROWS}, 1024\].*wanted .*\[{ROWS + 1}, 1024\]"):
        open_model(copy, runtime=runtime)


def test_a_label_too_few_is_refused(copy: Path, runtime: str) -> None:
    _edit(copy, lambda values: values.update(labels=values["labels"][:-1], targets=[], experimental=[]))
    with pytest.raises(ModelError, match=f"labels: found {ROWS - 1}; wanted {ROWS}"):
        open_model(copy, runtime=runtime)


def test_a_text_called_tflite_is_refused_even_if_the_digest_fits(copy: Path, runtime: str) -> None:
    text = b"these words are no model"
    (copy / "backbone.tflite").write_bytes(text)
    _edit(copy, lambda values: values["backbone"].update(sha256=bytes_sha256([text]), bytes=len(text)))
    with pytest.raises(ModelError, match="tflite: found a file beginning b'these wo'"):
        open_model(copy, runtime=runtime)


# Models taken whole.

@pytest.fixture
def waveform() -> np.ndarray:
    samples = np.zeros(SAMPLES, np.int16)
    samples[:3] = 4096, -8192, 16384
    return samples


@pytest.mark.big
@pytest.mark.parametrize("name", ["float", "flat", "int16", "uint8"])
def test_a_whole_model_hears_samples_and_gives_scores(tiny: Path, store: Installer, runtime: str,
                                                      waveform: np.ndarray, name: str) -> None:
    model = open_model(store.install(tiny / f"{name}.tflite"), runtime=runtime)
    assert (model.wants, model.patch_samples, model.embedding_size) == ("samples", SAMPLES, 0)
    scores = model.score(Patch(waveform, 320, first=True))
    assert (scores.position, scores.first, scores.logits, scores.embedding) == (320, True, None, None)
    wanted = 1 / (1 + np.exp(-8 * np.array([0.125, -0.25, 0.5])))
    assert scores.values.dtype == np.float32
    assert np.allclose(scores.values, wanted, atol=1 / 256 if name == "uint8" else 1e-6)


@pytest.mark.big
def test_rows_of_a_whole_model_are_picked_from_its_scores(tiny: Path, store: Installer, runtime: str,
                                                          waveform: np.ndarray) -> None:
    directory = store.install(tiny / "float.tflite")
    everything = open_model(directory, runtime=runtime).score(Patch(waveform, 0)).values
    few = open_model(directory, runtime=runtime, rows=("third", "first"))
    assert few.labels == ("third", "first")
    assert np.array_equal(few.score(Patch(waveform, 0)).values, everything[[2, 0]])


@pytest.mark.big
def test_a_whole_model_refuses_other_lengths_and_bands(tiny: Path, store: Installer, runtime: str) -> None:
    model = open_model(store.install(tiny / "float.tflite"), runtime=runtime)
    with pytest.raises(ModelError, match=r"found shape \[1599\]; wanted \[1600\]"):
        model.score(Patch(np.zeros(SAMPLES - 1, np.int16), 0))
    with pytest.raises(ModelError, match="found float32; wanted int16 samples"):
        model.score(Patch(np.zeros((96, 64), np.float32), 0))
