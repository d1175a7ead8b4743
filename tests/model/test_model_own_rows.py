"""Rows of our own behind a known file's: what install makes of them, and what does not fit."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge.errors import ModelError
from edge.model.embedded import embedded_folder
from edge.model.head import Head, save_head
from edge.model.manifest import HeadSpec, Manifest, ModelTarget, file_sha256
from edge.model.manifest_file import load_manifest
from edge.workshop.models.install import Installer
from edge.workshop.models.known import KNOWN, YAMNET_SHA256
from edge.workshop.models.own_rows import ROWS, OwnRows, copy_bank, load_own_rows, with_own_rows

MADE_ON = "a" * 64
PUBLISHED = Head(np.array([[1, 0, 0], [0, 1, 0]], np.float32), np.array([0.5, -0.5], np.float32))
OFFERED = (ModelTarget("clap", ("Clapping",), 0.5, 0.25), ModelTarget("speech", ("Speech",), 0.8, 0.4))
MANIFEST = Manifest(name="known", version="1", kind="split", licence="", description="", sample_rate=16_000,
                    patch_samples=15_600, labels=("Speech", "Clapping"), targets=OFFERED)


@pytest.fixture
def own(tmp_path: Path) -> OwnRows:
    """One row of ours: half of Clapping's, a tenth of Speech's against it, and a little of its own."""
    path = tmp_path / "rows.npz"
    save_head(path, Head(np.array([[0.0, 0.0, 0.25]], np.float32), np.array([1.0], np.float32)))
    target = ModelTarget("clap", ("clap",), 0.7, 0.3, impulsive=True)
    return OwnRows(MADE_ON, HeadSpec("rows.npz", file_sha256(path), path.stat().st_size, 1, 3), ("clap",),
                   {"clap": {"Clapping": 0.5, "Speech": -0.1}}, ("clap",), (target,), None)


def test_a_row_is_ours_and_its_shares_of_the_published_ones(own: OwnRows, tmp_path: Path) -> None:
    manifest, head = with_own_rows(MANIFEST, PUBLISHED, own, tmp_path, MADE_ON)
    assert manifest.labels == ("Speech", "Clapping", "clap") and manifest.experimental == ("clap",)
    assert np.array_equal(head.weights[:2], PUBLISHED.weights) and np.array_equal(head.bias[:2], PUBLISHED.bias)
    assert head.weights[2] == pytest.approx([-0.1, 0.5, 0.25])
    assert head.bias[2] == pytest.approx(1.0 + 0.5 * -0.5 - 0.1 * 0.5)


def test_our_target_takes_the_place_of_the_published_one(own: OwnRows, tmp_path: Path) -> None:
    more = replace(own, targets=(*own.targets, ModelTarget("new", ("clap",), 0.9, 0.5, standard=False)))
    manifest, _ = with_own_rows(MANIFEST, PUBLISHED, more, tmp_path, MADE_ON)
    assert [target.name for target in manifest.targets] == ["clap", "speech", "new"]
    assert manifest.targets[0] == own.targets[0] and manifest.targets[1] == OFFERED[1]


@pytest.mark.parametrize(("changes", "found"), [
    ({"backbone_sha256": "b" * 64}, rf"backbone_sha256: found {'b' * 64}; wanted {MADE_ON}, as was just cut"),
    ({"labels": ("clap", "snap")}, "labels: found 2; wanted 1, as rows.rows"),
    ({"shares": {"clap": {"Claping": 0.5}}}, "shares.clap: found 'Claping'"),
    ({"shares": {"snap": {"Clapping": 0.5}}}, "shares: found 'snap'"),
    ({"rows": HeadSpec("rows.npz", "c" * 64, 1, 1, 3)}, r"rows\.npz: found \d+ bytes; wanted 1 bytes"),
])
def test_rows_that_do_not_fit_are_refused(own: OwnRows, tmp_path: Path, changes: dict[str, object], found: str) -> None:
    with pytest.raises(ModelError, match=found):
        with_own_rows(MANIFEST, PUBLISHED, replace(own, **changes), tmp_path, MADE_ON)


def test_rows_of_another_embedding_are_refused(own: OwnRows, tmp_path: Path) -> None:
    wider = Head(np.zeros((2, 4), np.float32), np.zeros(2, np.float32))
    with pytest.raises(ModelError, match=r"rows\.npz: found weights float32 \[1, 3\].* wanted weights float32 \[1, 4\]"):
        with_own_rows(MANIFEST, wider, own, tmp_path, MADE_ON)


@pytest.mark.parametrize(("key", "value", "found"), [
    ("schema", 2, r"rows\.json: schema: found 2"), ("labels", "clap", r"rows\.json: labels: found \"clap\""),
    ("rows", None, r"rows\.json: rows: found null"), ("shares", {"clap": {"x": "y"}}, r'shares\.clap\.x: found "y"')])
def test_a_list_that_is_wrong_is_named(tmp_path: Path, key: str, value: object, found: str) -> None:
    values = json.loads((embedded_folder() / "yamnet" / ROWS).read_text(encoding="utf-8"))
    (tmp_path / ROWS).write_text(json.dumps(values | {key: value}))
    with pytest.raises(ModelError, match=found):
        load_own_rows(tmp_path)


def test_a_folder_of_rows_is_no_model_of_its_own(store: Installer) -> None:
    assert (embedded_folder() / "yamnet" / ROWS).is_file()
    assert "yamnet" not in [found.name for found in store.list()]


def test_installed_yamnet_has_our_rows_behind_its_521(yamnet: Path) -> None:
    manifest, own = load_manifest(yamnet), load_own_rows(embedded_folder() / "yamnet")
    assert manifest.labels[521:] == own.labels and not set(own.labels) & set(manifest.labels[:521])
    targets = {target.name: target for target in manifest.targets}
    assert [target.name for target in manifest.targets] == [target.name for target in KNOWN[YAMNET_SHA256].targets]
    for target in own.targets:
        assert targets[target.name] == target and target.labels == (target.name,)
    assert {"speech", "dog_bark"} <= {target.name for target in own.targets}


def test_nothing_of_the_published_rows_is_in_ours(yamnet: Path) -> None:
    # What we fitted stays apart from what the owner installs: no row of ours is a multiple of one of YAMNet's.
    folder = embedded_folder() / "yamnet"
    ours = np.load(folder / "rows.npz")["weights"]
    theirs = np.load(yamnet / "head.npz")["weights"][:521]
    alike = (ours @ theirs.T) / np.outer(np.linalg.norm(ours, axis=1), np.linalg.norm(theirs, axis=1))
    assert float(np.abs(alike).max()) < 0.9


@pytest.mark.big
def test_the_bank_its_list_and_the_card_come_with_it_and_travel(yamnet: Path, store: Installer, tmp_path: Path,
                                                                yamnet_pack: Path) -> None:
    directory = store.install(yamnet_pack)
    manifest = load_manifest(directory)
    assert manifest.bank == load_own_rows(embedded_folder() / "yamnet").bank and manifest.bank is not None
    manifest.bank.check(directory)
    listed = json.loads((directory / "bank.json").read_text(encoding="utf-8"))
    assert manifest.backbone is not None
    assert (listed["sha256"], listed["backbone_sha256"]) == (manifest.bank.sha256, manifest.backbone.sha256)
    assert (directory / "MODEL_CARD.md").is_file()


def test_a_bank_that_is_not_as_listed_is_refused(tmp_path: Path) -> None:
    folder, into = tmp_path / "rows", tmp_path / "into"
    shutil.copytree(embedded_folder() / "yamnet", folder)
    into.mkdir()
    (folder / "bank.npz").write_bytes(b"other")
    with pytest.raises(ModelError, match=r"bank\.npz: found 5 bytes"):
        copy_bank(load_own_rows(folder), folder, into)


def test_yamnet_installed_before_there_were_rows_is_still_taken(yamnet: Path, tmp_path: Path, store: Installer) -> None:
    older = tmp_path / "state" / "models" / "yamnet"
    shutil.copytree(yamnet, older)
    values = json.loads((older / "manifest.json").read_text(encoding="utf-8"))
    with np.load(older / "head.npz") as head:
        save_head(older / "head.npz", Head(head["weights"][:521], head["bias"][:521]))
    del values["bank"]
    values |= {"labels": values["labels"][:521], "targets": [], "experimental": []}
    values["head"] |= {"sha256": file_sha256(older / "head.npz"), "bytes": (older / "head.npz").stat().st_size, "rows": 521}
    (older / "manifest.json").write_text(json.dumps(values))
    assert "521 of 521 rows" in store.verify("yamnet")
