"""The look network's directory: written, read, opened, and refused with file, found and wanted."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from edge.control.loading import open_looks
from edge.errors import ModelError
from edge.features.look import BEFORE, LOOK_ROWS
from edge.model.impulse import load_impulse_manifest
from edge.stream import BANDS
from tests.look_network import LABELS, TARGETS, write_network

pytest.importorskip("flatbuffers", reason="the network of these tests is written with LiteRT's schema")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_network(tmp_path / "impulse")
    return tmp_path / "impulse"


def changed(folder: Path, **changes: object) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_what_is_written_is_read_again(folder: Path) -> None:
    manifest = load_impulse_manifest(folder)
    assert manifest.labels == LABELS
    assert {one.name: (one.threshold, (one.first.scale, one.first.offset), (one.second.scale, one.second.offset))
            for one in manifest.targets} == TARGETS
    assert [offer.row for offer in manifest.offers()] == [0, 1, 2]


def test_a_look_gives_the_logits_of_the_weights(folder: Path) -> None:
    network = open_looks(folder, load_impulse_manifest(folder))
    cells = np.zeros((LOOK_ROWS, BANDS, 2), np.float32)
    cells[BEFORE: BEFORE + 12, 32:] = 4.0
    scores = network.see(cells, 800)
    assert scores.embedding is not None and scores.logits is not None
    assert scores.embedding[:2] == pytest.approx([4.0, 0.0], abs=0.08)
    values = [3 * scores.embedding[0] - 3 * scores.embedding[1] - 1.0,
              scores.embedding[0] - scores.embedding[1] + 2 * scores.embedding[2] - 9.0,
              3 * scores.embedding[1] - 3 * scores.embedding[0] - 1.0, 0.0]
    assert scores.values == pytest.approx(np.exp(values) / np.exp(values).sum(), abs=1e-5)
    assert (scores.position, scores.network) == (800, network.sha256)
    assert scores.values == pytest.approx(1 / (1 + np.exp(-scores.logits)), abs=1e-6)
    assert network.sha256[:12] in network.describe()


def test_a_calibration_belongs_to_network_head_and_stages(folder: Path, tmp_path: Path) -> None:
    before = {offer.name: offer.digest for offer in load_impulse_manifest(folder).offers()}
    targets = json.loads((folder / "manifest.json").read_text())["targets"]
    targets[0]["second"]["offset"] = 0.75
    targets[1]["threshold"] = 0.9
    changed(folder, targets=targets)
    after = {offer.name: offer.digest for offer in load_impulse_manifest(folder).offers()}
    assert [name for name in before if before[name] != after[name]] == ["hand_clap"]
    targets[2]["rise"] = 0.1
    changed(folder, targets=targets)
    risen = {offer.name: offer.digest for offer in load_impulse_manifest(folder).offers()}
    assert [name for name in before if after[name] != risen[name]] == ["door_knock"]
    other = write_network(tmp_path / "other", clap_bias=-3.0)
    assert all(offer.digest != before[offer.name] for offer in other.offers())


@pytest.mark.parametrize(("name", "damage", "said"), [
    ("look.tflite", None, "No such file"), ("look.tflite", b"TFL3", "4 bytes; wanted"), ("head.npz", None, "No such file"),
    ("manifest.json", None, "No such file"), ("manifest.json", b"{", "no JSON")])
def test_a_file_that_is_missing_or_damaged_is_named(folder: Path, name: str, damage: bytes | None, said: str) -> None:
    if damage is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(damage)
    with pytest.raises(ModelError) as raised:
        open_looks(folder, load_impulse_manifest(folder))
    assert str(folder / name) in str(raised.value) and said in str(raised.value)


def test_a_byte_that_changed_is_found(folder: Path) -> None:
    path = folder / "look.tflite"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(ModelError, match=r"as in manifest\.json"):
        open_looks(folder, load_impulse_manifest(folder))


@pytest.mark.parametrize(("changes", "said"), [
    ({"look_version": 99}, "look_version: found 99; wanted 1"),
    ({"front_end": {"name": "logmel", "version": 2}}, "front_end.version: found 2; wanted 1"),
    ({"labels": ["a", "b", "c"]}, "labels: found 3; wanted 4, as head.rows"),
    ({"labels": ["a", "a", "b", "c"]}, "labels: found 'a' twice"),
    ({"labels": ["hand_clap", "b", "c", "d"]}, "targets: found 'finger_snap'"),
    ({"targets": [{"name": "hand_clap", "threshold": 1.5, "first": {"scale": 1, "offset": 0},
                   "second": {"scale": 1, "offset": 0}}]}, "threshold"),
    ({"targets": [{"name": "hand_clap", "threshold": 0.5, "first": {"scale": 0, "offset": 0},
                   "second": {"scale": 1, "offset": 0}}]}, "scale"),
])
def test_a_manifest_that_contradicts_itself_or_us_is_refused(folder: Path, changes: dict[str, object], said: str) -> None:
    changed(folder, **changes)
    with pytest.raises(ModelError) as raised:
        open_looks(folder, load_impulse_manifest(folder))
    assert said in str(raised.value) and "manifest.json" in str(raised.value)


def test_a_look_of_another_shape_is_refused(folder: Path) -> None:
    network = open_looks(folder, load_impulse_manifest(folder))
    with pytest.raises(ModelError, match=r"found shape \[40, 64, 2\]; wanted \[48, 64, 2\]"):
        network.see(np.zeros((40, BANDS, 2), np.float32), 0)


def test_patches_count_beside_looks_for_the_backbone_that_they_were_fitted_with(folder: Path) -> None:
    beside = {"backbone": "ab" * 32, "name": "hand_clap", "look": 0.8, "patch": 1.1, "offset": 0.5}
    changed(folder, besides=[beside])
    manifest = load_impulse_manifest(folder)
    with_it, without = manifest.offers("ab" * 32), manifest.offers("cd" * 32)
    assert with_it[0].beside is not None and with_it[0].beside.patch == 1.1 and with_it[1].beside is None
    assert all(offer.beside is None for offer in (*without, *manifest.offers()))
    assert with_it[0].digest != without[0].digest and with_it[1].digest == without[1].digest
    changed(folder, besides=[beside | {"name": "clap"}])
    with pytest.raises(ModelError, match=r"besides.*'clap'.*one of the targets"):
        load_impulse_manifest(folder)


def test_a_series_serves_the_backbone_that_it_was_fitted_with(folder: Path) -> None:
    assert load_impulse_manifest(folder).series == ()
    series = {"backbone": "ab" * 32, "target": "typing", "label": "door_knock", "patch": 1.5, "onset": 0.4, "look": 0.1,
              "offset": -0.5}
    changed(folder, series=[series])
    manifest = load_impulse_manifest(folder)
    assert [one.label for one in manifest.series_for("ab" * 32)] == ["door_knock"]
    assert manifest.series_for("cd" * 32) == () == manifest.series_for("")
    for wrong, said in (([series | {"label": "key"}], r"series.*'key'.*one of the labels"),
                        ([series, series], r"series.*'typing' twice for one backbone"),
                        ([series | {"look": -1.0}], "look")):
        changed(folder, series=wrong)
        with pytest.raises(ModelError, match=said):
            load_impulse_manifest(folder)


def test_a_manifest_written_again_keeps_its_series(folder: Path) -> None:
    from models.impulse.manifest import write_manifest

    changed(folder, series=[{"backbone": "ab" * 32, "target": "typing", "label": "door_knock", "patch": 1.5, "onset": 0.4,
                             "look": 0.1, "offset": -0.5}])
    before = load_impulse_manifest(folder)
    write_manifest(folder, before.labels, {"hand_clap": (0.6, (1.0, 0.0), (1.0, 0.5))}, rises={"hand_clap": 0.25})
    after = load_impulse_manifest(folder)
    assert after.series == before.series and len(after.targets) == 1 and after.offers()[0].rise == 0.25
