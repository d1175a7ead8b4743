"""The look network's bank: read whole, or refused with what was found; the one that ships is what it says."""

from __future__ import annotations

import csv
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from look_network import write_network

from edge.errors import ModelError
from edge.learn.look_bank import load_look_bank
from edge.model.embedded import embedded_folder
from edge.model.head import logistic
from edge.model.impulse import ImpulseManifest, load_impulse_manifest
from edge.model.manifest import FileSpec, file_sha256
from models.impulse.bank import label_of


def arrays(made_on: str) -> dict[str, Any]:
    """Three onsets of two sounds from two sources; embeddings of three values."""
    return {
        "cells": np.arange(-9, 9, dtype=np.int8).reshape(3, 2, 3), "scale": np.float32(0.5), "zero_point": np.int32(-9),
        "classes": np.array(["hand_clap", "neg_speech"]), "class_index": np.array([1, 0, 1], np.uint16),
        "class_labels": np.array(["hand_clap", ""]), "class_lone": np.array([True, False]),
        "sources": np.array(["somebody", "somebody else"]), "source_index": np.array([0, 1, 0], np.uint16),
        "onsets": np.array([2.0, 1.0, 0.0], np.float32), "altered": np.array([False, False, True]),
        "hours": np.float32(0.25), "network_sha256": np.array(made_on),
    }


def manifest_with(folder: Path, **changes: Any) -> ImpulseManifest:
    """The manifest of a look network with a bank of these arrays."""
    manifest = write_network(folder)
    path = folder / "bank.npz"
    with path.open("wb") as file:
        np.savez_compressed(file, **(arrays(manifest.network.sha256) | changes))
    return replace(manifest, bank=FileSpec("bank.npz", file_sha256(path), path.stat().st_size))


def test_a_bank_says_what_each_onset_is_of(tmp_path: Path) -> None:
    bank = load_look_bank(tmp_path, manifest_with(tmp_path))
    assert bank.names.tolist() == ["neg_speech", "hand_clap", "neg_speech"]
    assert bank.labels.tolist() == ["", "hand_clap", ""]
    assert bank.sources.tolist() == ["somebody", "somebody else", "somebody"]
    assert bank.embeddings.dtype == np.float32 and bank.embeddings[0].tolist() == [[0.0, 0.5, 1.0], [1.5, 2.0, 2.5]]
    assert bank.lone.tolist() == [False, True, False]
    assert (bank.hours, bank.onsets.tolist(), bank.altered.tolist()) == (0.25, [2.0, 1.0, 0.0], [False, False, True])


@pytest.mark.parametrize(("changes", "found"), [
    ({"network_sha256": np.array("c" * 64)}, "embeddings of look network cccccccccccc; wanted "),
    ({"cells": np.zeros((3, 3), np.int8)}, r"wanted cells int8 \(n, 2, 3\)"),
    ({"cells": np.zeros((3, 2, 3), np.float32)}, r"float32.*wanted cells int8"),
    ({"onsets": np.zeros(2, np.float32)}, r"wanted cells int8 \(n, 2, 3\)"),
    ({"class_index": np.array([0, 0, 2], np.uint16)}, "no bank .*out of bounds"),
    ({"hours": np.float32(0.0)}, "hours: found 0.0; wanted over 0"),
])
def test_a_bank_that_does_not_fit_is_refused(tmp_path: Path, changes: dict[str, Any], found: str) -> None:
    manifest = manifest_with(tmp_path, **changes)
    with pytest.raises(ModelError, match=found):
        load_look_bank(tmp_path, manifest)


def test_a_network_without_a_bank_and_a_changed_bank_are_refused(tmp_path: Path) -> None:
    manifest = manifest_with(tmp_path)
    with pytest.raises(ModelError, match="bank: found none; wanted one"):
        load_look_bank(tmp_path, replace(manifest, bank=None))
    content = bytearray((tmp_path / "bank.npz").read_bytes())
    content[-30] ^= 1
    (tmp_path / "bank.npz").write_bytes(content)
    with pytest.raises(ModelError, match=r"bank\.npz: found sha256 "):
        load_look_bank(tmp_path, manifest)


def test_the_bank_that_ships_is_what_its_list_says() -> None:
    folder = embedded_folder() / "impulse"
    manifest = load_impulse_manifest(folder)
    bank = load_look_bank(folder, manifest)
    listed = json.loads((folder / "bank.json").read_text(encoding="utf-8"))
    assert manifest.bank is not None and manifest.bank.bytes < 1_500_000
    assert (listed["sha256"], listed["network_sha256"]) == (manifest.bank.sha256, manifest.network.sha256)
    assert listed["classes"] == dict(sorted(Counter(bank.names.tolist()).items()))
    assert listed["onsets"] == len(bank.names) == sum(each["embeddings"] for each in listed["sources"])
    assert (listed["altered"], listed["hours_that_go_on"]) == (bank.altered.sum(), pytest.approx(bank.hours, abs=1e-3))
    assert bank.onsets.sum() == pytest.approx(listed["recorded_onsets"]) and not bank.onsets[bank.altered].any()
    assert [label_of(name) for name in bank.names] == bank.labels.tolist()
    assert set(bank.labels) - {""} <= set(manifest.labels)


def test_a_third_of_it_at_least_is_hard() -> None:
    """Onsets of none of its labels to which the network itself gives one of its targets a chance of one in ten."""
    folder = embedded_folder() / "impulse"
    manifest = load_impulse_manifest(folder)
    bank = load_look_bank(folder, manifest)
    with np.load(folder / manifest.head.file) as head:
        logits = bank.embeddings @ head["weights"].T + head["bias"]
    chance = np.zeros(len(logits))
    for offer in manifest.offers():
        others = np.delete(logits, offer.row, axis=2)
        own = logits[..., offer.row] - np.logaddexp.reduce(others, axis=2)
        powers = [stage.scale * own[:, number] + stage.offset for number, stage in enumerate(offer.stages)]
        chance = np.maximum(chance, logistic(np.max(powers, axis=0)))
    assert ((chance > 0.1) & (bank.labels == "")).mean() > 1 / 3


def test_only_sources_that_may_train_are_in_it(shared: Path) -> None:
    with (shared / "data" / "manifest.csv").open(newline="", encoding="utf-8") as file:
        licences = {(row["source_repo"], row["licence"]) for row in csv.DictReader(file) if row["split"] == "train"}
    listed = json.loads((embedded_folder() / "impulse" / "bank.json").read_text(encoding="utf-8"))
    assert {(each["source"], each["licence"]) for each in listed["sources"]} <= licences
