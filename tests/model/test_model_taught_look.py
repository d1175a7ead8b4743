"""Sounds that looks were taught: on the disk and back; offered beside the network's own targets; for one network only."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from look_network import write_network

from edge.control.loading import find_model, impulse_folder, model_folder, open_looks
from edge.errors import ModelError
from edge.model.foreseen import Foreseen
from edge.model.impulse import load_impulse_manifest
from edge.model.look_offer import Stage
from edge.model.manifest_file import load_manifest
from edge.model.taught import Taught, TaughtSound
from edge.model.taught_file import load_taught, save_taught
from edge.model.taught_look import TaughtLook, offered, rows_of
from tests.model.test_model_taught import words

ROW = np.linspace(-1.0, 1.0, 128).astype(np.float32)


def look(name: str, *, adds: bool = False, network: str | None = None) -> TaughtLook:
    network = network or load_impulse_manifest(impulse_folder()).network.sha256
    return TaughtLook(
        name=name, adds=adds, row=ROW, bias=-0.5, first=Stage(1.0, 0.25), second=Stage(2.0, 0.0), threshold=0.6,
        cells=np.arange(-128, 128, dtype=np.int8).reshape(1, 2, 128), clip=np.zeros(1, np.uint8), kind=np.zeros(1, np.uint8),
        network=network, look_version=1, budget_per_hour=2.0, foreseen=Foreseen(4, 5, 1.0, 4.0, ("neg_tap",), 2),
        taught_at="2026-11-29T18:00:00+00:00", like=("neg_tap",))


def starter() -> Taught:
    return Taught.nothing(load_manifest(model_folder("starter", Path("/nowhere"))))


def sound(name: str) -> TaughtSound:
    return TaughtSound(
        name=name, row=np.zeros(632, np.float32), bias=0.0, scale=1.0, offset=0.0, threshold=0.5, release_threshold=0.3,
        impulsive=True, cells=np.zeros((1, 632), np.int8), clip=np.zeros(1, np.uint8), kind=np.zeros(1, np.uint8),
        budget_per_hour=2.0, foreseen=Foreseen(5, 5, 0.0, 1.0), taught_at="2026-11-29T18:00:00+00:00")


def test_a_look_comes_back_as_it_was(tmp_path: Path) -> None:
    taught = starter().with_sound(look("my_clap"), "my_clap").with_sound(look("hand_clap", adds=True), "hand_clap")
    save_taught(tmp_path, taught)
    read = load_taught(tmp_path, load_manifest(model_folder("starter", tmp_path)))
    assert read.names == ("my_clap", "hand_clap")
    for one, other in zip(taught.looks, read.looks, strict=True):
        assert np.array_equal(one.row, other.row) and np.array_equal(one.cells, other.cells)
        assert words(one) == words(other)


def test_a_file_of_before_has_no_looks(tmp_path: Path) -> None:
    path = save_taught(tmp_path, starter().with_sound(sound("bell"), "taught bell"))
    with np.load(path) as file:
        arrays = dict(file)
    about = json.loads(str(arrays["about"]))
    del about["looks"]
    with path.open("wb") as file:
        np.savez(file, **(arrays | {"about": np.array(json.dumps(about | {"schema": 1}))}))
    assert load_taught(tmp_path, load_manifest(model_folder("starter", tmp_path))).names == ("bell",)


def test_a_damaged_look_is_refused_by_name(tmp_path: Path) -> None:
    path = save_taught(tmp_path, starter().with_sound(look("my_clap"), "taught my_clap"))
    with np.load(path) as file:
        arrays = dict(file) | {"look0row": np.full(128, np.nan, np.float32)}
    with path.open("wb") as file:
        np.savez(file, **arrays)
    with pytest.raises(ModelError, match="look0row: found float32"):
        load_taught(tmp_path, load_manifest(model_folder("starter", tmp_path)))


def test_a_sound_of_the_other_kind_takes_a_names_place() -> None:
    both = starter().with_sound(sound("bell"), "one").with_sound(look("bell"), "two")
    assert not both.sounds and both.look("bell") is not None
    back = both.with_sound(sound("bell"), "three")
    assert not back.looks and back.sound("bell") is not None
    assert back.without("bell", "gone").names == both.without("bell", "gone").names == ()


def test_looks_of_another_network_are_set_aside_and_said_and_other_lessons_stay(tmp_path: Path) -> None:
    taught = starter().with_sound(sound("bell"), "bell").with_sound(look("my_clap", network="e" * 64), "my_clap")
    save_taught(tmp_path, taught.with_sound(look("hand_clap", adds=True, network="e" * 64), "hand_clap"))
    named = find_model("starter", tmp_path)
    assert named.taught is not None and named.taught.names == ("bell",)
    assert len(named.problems) == 2
    assert named.problems[0].startswith("taught sound my_clap: made for another look network (sha256 eeeeeeeeeeee, here ")
    assert named.problems[0].endswith("(teach it again, or edge-audio teach --remove my_clap --model starter)")
    assert named.unheard == ("my_clap",), "the model's own hand_clap is heard without what was added"
    assert next(offer for offer in named.offers if offer.name == "hand_clap").added is None


def test_a_taught_look_is_offered_beside_the_networks_own(tmp_path: Path) -> None:
    pytest.importorskip("flatbuffers", reason="the network of this test is written with LiteRT's schema")
    own = write_network(tmp_path).offers()
    found = {offer.name: offer for offer in offered(own, [look("my_clap"), look("hand_clap", adds=True)], 4)}
    assert list(found) == ["hand_clap", "finger_snap", "door_knock", "my_clap"]
    assert (found["my_clap"].row, found["my_clap"].threshold, found["my_clap"].standard) == (4, 0.6, True)
    clap, before = found["hand_clap"], own[0]
    assert clap.added is not None and clap.added.row == 5 and not clap.standard
    assert (clap.row, clap.stages, clap.threshold) == (before.row, before.stages, before.threshold)
    assert clap.digest != before.digest and found["finger_snap"] == own[1]
    other = offered(own, [look("my_clap"), replace(look("hand_clap", adds=True), bias=0.0)], 4)[0]
    assert other.digest != clap.digest, "a calibration belongs to the added row too"


def test_the_network_says_what_taught_rows_make_of_a_look() -> None:
    folder, taught = impulse_folder(), [look("my_clap"), look("hand_clap", adds=True)]
    manifest = load_impulse_manifest(folder)
    bare, more = (open_looks(folder, manifest, more=rows) for rows in (None, rows_of(taught, 128)))
    assert more.labels == (*manifest.labels, "my_clap", "hand_clap (taught)")
    embedding = np.random.default_rng(1).random(128).astype(np.float32)
    before, after = bare.say(embedding, 7), more.say(embedding, 7)
    assert before.logits is not None and after.logits is not None
    assert np.array_equal(after.logits[: len(manifest.labels)], before.logits)
    assert after.logits[-2:] == pytest.approx(float(embedding @ ROW) - 0.5, abs=1e-5)
