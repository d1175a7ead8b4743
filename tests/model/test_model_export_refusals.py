"""Exports of models taken whole, and what is refused: by one clear error, with nothing written."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from model_taught import STARTER
from model_tiny import LABELS
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.model.classifier import Split, open_model
from edge.model.head import Head
from edge.model.whole import packed_labels
from edge.workshop.models.export import Exported, export
from edge.workshop.models.install import Installer
from edge.workshop.models.metadata import audio_properties, label_files, with_labels
from edge.workshop.models.split import SchemaMissing

HAS_LITERT = importlib.util.find_spec("ai_edge_litert") is not None
needs_litert = pytest.mark.skipif(not HAS_LITERT, reason="a new file needs LiteRT's schema")


@pytest.fixture
def starter(runtime: str) -> Split:
    model = open_model(STARTER, runtime=runtime)
    assert isinstance(model, Split)
    return model


def _export(store: Installer, name: str, output: Path, runtime: str) -> Exported:
    directory = store.find(name)
    return export(open_model(directory, runtime=runtime), directory, output, runtime=runtime)


# Models taken whole.

@pytest.mark.big
@needs_litert
@pytest.mark.parametrize("name", ["float", "flat", "uint8"])
def test_a_whole_model_gets_its_labels_and_metadata(tiny: Path, store: Installer, tmp_path: Path, runtime: str,
                                                    name: str) -> None:
    store.install(tiny / f"{name}.tflite")
    made = _export(store, name, tmp_path / "out.tflite", runtime)
    content = (tmp_path / "out.tflite").read_bytes()
    assert (made.labels, made.bytes, made.difference) == (3, len(content), 0.0)
    assert audio_properties(content, name) == (16_000, 1) and label_files(content, name) == ("labels.txt",)
    assert packed_labels(content, name) == LABELS
    assert store.show(store.install(tmp_path / "out.tflite").name).labels == LABELS


@pytest.mark.big
@needs_litert
def test_labels_that_were_named_beside_the_file_are_inside_its_export(tiny: Path, store: Installer, tmp_path: Path,
                                                                      runtime: str) -> None:
    (tmp_path / "labels.txt").write_text("ein\nzwei\ndrei\n")
    store.install(tiny / "float.tflite", labels=tmp_path / "labels.txt")
    _export(store, "float", tmp_path / "out.tflite", runtime)
    assert packed_labels((tmp_path / "out.tflite").read_bytes(), "out") == ("ein", "zwei", "drei")


@pytest.mark.big
def test_a_file_that_says_it_all_already_is_exported_as_it_is(exports: Path, store: Installer, tmp_path: Path,
                                                              runtime: str) -> None:
    store.install(exports / "starter.tflite", name="ears")
    _export(store, "ears", tmp_path / "again.tflite", runtime)
    assert (tmp_path / "again.tflite").read_bytes() == (exports / "starter.tflite").read_bytes()


def test_yamnet_as_published_says_it_all(yamnet_file: Path) -> None:
    content = yamnet_file.read_bytes()
    assert audio_properties(content, "yamnet") == (16_000, 1)
    assert label_files(content, "yamnet") == ("yamnet_label_list.txt",)


@pytest.mark.parametrize("name", ["float", "16khz"])
def test_a_file_that_names_no_labels_has_none(tiny: Path, name: str) -> None:
    assert label_files((tiny / f"{name}.tflite").read_bytes(), name) == ()


@pytest.mark.big
def test_a_model_that_takes_integers_is_refused(tiny: Path, store: Installer, tmp_path: Path, runtime: str) -> None:
    store.install(tiny / "int16.tflite")
    with pytest.raises(ModelError, match=r"whole\.tflite: input: found int16 \[1, 1600\].*; wanted float32"):
        _export(store, "int16", tmp_path / "out.tflite", runtime)
    assert not (tmp_path / "out.tflite").exists()


# What is refused.

class _OtherHead(Head):
    """Scores that its weights do not give."""

    def logits(self, embedding: NDArray[np.float32]) -> NDArray[np.float32]:
        return super().logits(embedding) + np.float32(1.0)


@pytest.mark.big
@needs_litert
def test_a_file_that_scores_otherwise_than_the_appliance_is_not_written(starter: Split, tmp_path: Path,
                                                                        runtime: str) -> None:
    (tmp_path / "out.tflite").write_text("what was there")
    starter.head = _OtherHead(starter.head.weights, starter.head.bias)
    with pytest.raises(ModelError, match=r"out\.tflite: found scores 0\.2\d+ off the appliance's own; wanted 0\.05 at most"):
        export(starter, STARTER, tmp_path / "out.tflite", runtime=runtime)
    assert [path.name for path in tmp_path.iterdir()] == ["out.tflite"]
    assert (tmp_path / "out.tflite").read_text() == "what was there"


def test_a_head_without_a_row_for_each_label_is_refused(starter: Split, tmp_path: Path, runtime: str) -> None:
    rows, columns = starter.head.weights.shape
    starter.labels = starter.labels[:-1]
    with pytest.raises(ModelError, match=rf"head: found \[{rows}, {columns}\]; wanted \[{rows - 1}, {columns}\]"):
        export(starter, STARTER, tmp_path / "out.tflite", runtime=runtime)


@pytest.mark.big
@pytest.mark.parametrize(("output", "found"), [("nowhere/out.tflite", "No such file or directory"), (".", "a folder"),
                                               ("pipe", "a device or pipe"), ("x" * 300, "File name too long")])
def test_a_place_that_cannot_be_written_to_is_named(tiny: Path, exports: Path, store: Installer, tmp_path: Path,
                                                    runtime: str, output: str, found: str) -> None:
    store.install(exports / "starter.tflite", name="ears")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ModelError, match=f"found {found}; wanted a file"):
        _export(store, "ears", tmp_path / output, runtime)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pipe", "state"]


@pytest.mark.big
def test_an_export_is_written_where_a_link_leads(exports: Path, store: Installer, tmp_path: Path, runtime: str) -> None:
    store.install(exports / "starter.tflite", name="ears")
    (tmp_path / "link.tflite").symlink_to("real.tflite")
    for _ in range(2):
        _export(store, "ears", tmp_path / "link.tflite", runtime)
        assert (tmp_path / "link.tflite").is_symlink() and (tmp_path / "real.tflite").read_bytes()[4:8] == b"TFL3"


def test_without_litert_a_new_file_asks_for_a_machine_that_has_it(starter: Split, tmp_path: Path, runtime: str,
                                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert", None)
    with pytest.raises(SchemaMissing, match=r"found no LiteRT on this machine.*; wanted a machine with LiteRT"):
        export(starter, STARTER, tmp_path / "out.tflite", runtime=runtime)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("wrong", ["two\nlines", " around ", "", "a\u2028b"])
def test_a_label_that_would_not_be_read_back_is_named(wrong: str) -> None:
    with pytest.raises(ModelError, match=r"labels: found .*; wanted one line"):
        with_labels(b"model", ["one", wrong, "two"])


def test_labels_behind_a_model_leave_its_bytes_alone() -> None:
    content = with_labels(b"0123TFL3 and so on", ["Sprache", "Geräusch"])
    assert content.startswith(b"0123TFL3 and so on") and packed_labels(content, "model") == ("Sprache", "Geräusch")
