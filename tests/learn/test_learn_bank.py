"""The bank of negative embeddings: read whole, or refused with what was found."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.errors import ModelError
from edge.learn.bank import load_bank
from edge.model.manifest import FileSpec, FrontEndSpec, GraphSpec, HeadSpec, Manifest, TensorSpec, file_sha256
from edge.model.manifest_file import load_manifest

MADE_ON = "a" * 64


def arrays() -> dict[str, Any]:
    """Three embeddings of two sounds from two sources."""
    return {
        "cells": np.array([[-128, 0, 127], [1, 2, 3], [-5, -6, -7]], np.int8),
        "scale": np.float32(0.5), "zero_point": np.int32(-128),
        "classes": np.array(["neg_speech", "noise"]), "class_index": np.array([0, 0, 1], np.uint16),
        "sources": np.array(["somebody/speech", "noise"]), "source_index": np.array([0, 0, 1], np.uint16),
        "seconds": np.array([0.48, 1.44, 0.0], np.float32), "altered": np.array([False, False, True]),
        "backbone_sha256": np.array(MADE_ON),
    }


def manifest_for(folder: Path, values: dict[str, Any]) -> Manifest:
    """The manifest of a split model whose bank holds these arrays."""
    path = folder / "bank.npz"
    with path.open("wb") as file:
        np.savez_compressed(file, **values)
    bands, embedding = TensorSpec((1, 96, 64), "int8", 0.05, 16), TensorSpec((1, 3), "int8", 0.5, -128)
    return Manifest(
        name="three", version="1", kind="split", licence="none", description="", sample_rate=16_000,
        patch_samples=15_600, labels=("one",), front_end=FrontEndSpec("logmel", 1),
        backbone=GraphSpec("backbone.tflite", MADE_ON, 1, bands, embedding),
        head=HeadSpec("head.npz", "b" * 64, 1, 1, 3),
        bank=FileSpec("bank.npz", file_sha256(path), path.stat().st_size))


def test_a_bank_says_what_each_embedding_is_of(tmp_path: Path) -> None:
    bank = load_bank(tmp_path, manifest_for(tmp_path, arrays()))
    assert bank.names.tolist() == ["neg_speech", "neg_speech", "noise"]
    assert bank.sources.tolist() == ["somebody/speech", "somebody/speech", "noise"]
    assert bank.embeddings.dtype == np.float32
    assert bank.embeddings[0].tolist() == [0.0, 64.0, 127.5]
    assert bank.hours == pytest.approx(1.92 / 3600)
    assert bank.altered.tolist() == [False, False, True]


def test_a_model_without_a_bank_is_said_to_have_none(tmp_path: Path) -> None:
    manifest = replace(manifest_for(tmp_path, arrays()), bank=None)
    with pytest.raises(ModelError, match="model three: bank: found none; wanted one"):
        load_bank(tmp_path, manifest)


def test_a_bank_that_was_changed_is_refused_by_its_digest(tmp_path: Path) -> None:
    manifest = manifest_for(tmp_path, arrays())
    content = bytearray((tmp_path / "bank.npz").read_bytes())
    content[-30] ^= 1
    (tmp_path / "bank.npz").write_bytes(content)
    with pytest.raises(ModelError, match=r"bank\.npz: found sha256 "):
        load_bank(tmp_path, manifest)


@pytest.mark.parametrize(("changes", "found"), [
    ({"backbone_sha256": np.array("c" * 64)}, "embeddings of backbone cccccccccccc; wanted aaaaaaaaaaaa"),
    ({"cells": np.zeros((3, 4), np.int8)}, r"wanted cells int8 \(n, 3\)"),
    ({"cells": np.zeros((3, 3), np.float32)}, r"float32.*wanted cells int8"),
    ({"seconds": np.zeros(2, np.float32)}, r"wanted cells int8 \(n, 3\)"),
    ({"class_index": np.array([0, 0, 2], np.uint16)}, "no bank .*out of bounds"),
    ({"class_index": np.array([0, 0, -1], np.int16)}, "no bank .*int16"),
    ({"classes": None}, "no bank"),
    ({"cells": np.zeros((0, 3), np.int8)}, "wanted cells int8"),
])
def test_a_bank_that_does_not_fit_is_refused(tmp_path: Path, changes: dict[str, Any], found: str) -> None:
    values = {key: value for key, value in (arrays() | changes).items() if value is not None}
    with pytest.raises(ModelError, match=found):
        load_bank(tmp_path, manifest_for(tmp_path, values))


def test_a_file_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    manifest = manifest_for(tmp_path, arrays())
    (tmp_path / "bank.npz").write_bytes(b"no archive")
    spec = FileSpec("bank.npz", file_sha256(tmp_path / "bank.npz"), 10)
    with pytest.raises(ModelError, match=r"bank\.npz: found no bank"):
        load_bank(tmp_path, replace(manifest, bank=spec))


def test_the_embedded_models_bank_lists_what_is_in_it() -> None:
    folder = Path(__file__).resolve().parents[2] / "models" / "starter"
    manifest, listed = load_manifest(folder), json.loads((folder / "bank.json").read_text(encoding="utf-8"))
    bank = load_bank(folder, manifest)
    assert manifest.bank is not None and listed["sha256"] == manifest.bank.sha256
    assert bank.cells.shape == (listed["embeddings"], listed["columns"])
    assert dict(Counter(bank.names.tolist())) == listed["classes"]
    assert bank.hours == pytest.approx(listed["hours"], abs=0.001)
    # Made noise is nobody's; everything else has a source with a licence.
    assert sum(source["embeddings"] for source in listed["sources"]) == int((bank.names != "noise").sum())
    assert all(source["licence"] and source["as_stated_in"] for source in listed["sources"])
