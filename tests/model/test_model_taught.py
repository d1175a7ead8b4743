"""What was taught, on the disk: back as it was, one step at a time; for its own model only; behind the model's own rows."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from edge.control.loading import load_model, model_folder
from edge.errors import ModelError
from edge.model import taught_file
from edge.model.foreseen import Foreseen, Tally
from edge.model.manifest import Manifest
from edge.model.manifest_file import load_manifest
from edge.model.taught import Judgement, Taught, TaughtCorrection, TaughtSound
from edge.model.taught_file import KEPT, load_taught, save_taught, start_afresh, undo_taught
from edge.model.taught_look import TaughtLook
from edge.model.taught_steps import taught_folder

ARRAYS = ("row", "cells", "clip", "kind")


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    return load_manifest(model_folder("starter", tmp_path))


TALLY = Tally((-1.5, 2.25), (0.5, -0.5), (1.0, 0.25), 1.0, 40.0, 2.5)


def sound(name: str, columns: int, seed: int = 1) -> TaughtSound:
    random = np.random.default_rng(seed)
    return TaughtSound(
        name, random.normal(0, 1, columns).astype(np.float32), -0.5, 1.5, 0.25, 0.6, 0.3, True,
        random.integers(-128, 128, (12, columns)).astype(np.int8), np.repeat(np.arange(6), 2).astype(np.uint8),
        np.zeros(12, np.uint8), 2.0, Foreseen(5, 6, 1.5, 4.0, ("door_slam",), tally=TALLY), "2026-11-22T12:00:00+00:00",
        ("like",), True)


def full(manifest: Manifest) -> Taught:
    empty = Taught.nothing(manifest)
    cells = np.arange(empty.columns).astype(np.uint8).view(np.int8)
    judged = Judgement("event", "hand_clap", False, cells, "2026-11-22", (cells[::-1], cells), ("hand_clap",))
    correction = TaughtCorrection(np.ones((2, empty.columns), np.float32), np.array([0.0, -1.0], np.float32),
                                  ("hand_clap", "x"))
    looked = Judgement("other", "hand_clap", True, cells[:9], "2026-11-29", (cells[9:18],), ("hand_clap",), "n" * 64,
                       (1.5, -0.25))
    beside = TaughtCorrection(np.full((3, 9), 0.5, np.float32), np.arange(3, dtype=np.float32), ("hand_clap",), "n" * 64)
    taught = replace(empty, judgements=(judged, looked), corrections={"hand_clap": correction},
                     look_corrections={"hand_clap": beside})
    return taught.with_sound(sound("kettle", empty.columns), "taught kettle")


def words(one: TaughtSound | TaughtLook) -> dict[str, object]:
    """All but the arrays: from Python 3.13 on a dataclass asks arrays whether they are equal, even an array itself."""
    return {key: value for key, value in asdict(one).items() if key not in ARRAYS}


def test_what_was_saved_comes_back(tmp_path: Path, manifest: Manifest) -> None:
    taught = full(manifest)
    save_taught(tmp_path, taught)
    back = load_taught(tmp_path, manifest)
    mine, theirs = taught.sounds[0], back.sounds[0]
    for key in ARRAYS:
        np.testing.assert_array_equal(getattr(mine, key), getattr(theirs, key))
    assert words(theirs) == words(mine)
    np.testing.assert_array_equal(back.judgements[0].cells, taught.judgements[0].cells)
    np.testing.assert_array_equal(back.judgements[0].beside, taught.judgements[0].beside)
    np.testing.assert_array_equal(back.corrections["hand_clap"].weights, np.ones((2, back.columns)))
    assert (back.judgements[0].labels, back.corrections["hand_clap"].labels) == (("hand_clap",), ("hand_clap", "x"))
    looked, beside = back.judgements[1], back.look_corrections["hand_clap"]
    np.testing.assert_array_equal(looked.cells, taught.judgements[1].cells)
    np.testing.assert_array_equal(looked.beside, taught.judgements[1].beside)
    assert (looked.network, looked.bare, back.judgements[0].bare) == ("n" * 64, (1.5, -0.25), ())
    assert (beside.network, beside.weights.tolist(), beside.bias.tolist()) == ("n" * 64, [[0.5] * 9] * 3, [0.0, 1.0, 2.0])
    assert (back.change, back.corrections["hand_clap"].bias.tolist()) == ("taught kettle", [0.0, -1.0])


def test_a_file_of_before_there_were_looks_is_read_and_one_of_a_newer_program_refused(
        tmp_path: Path, manifest: Manifest, monkeypatch: pytest.MonkeyPatch) -> None:
    taught = replace(full(manifest), look_corrections={}, judgements=full(manifest).judgements[:1])
    arrays = taught_file._arrays

    def of_schema(schema: int) -> None:
        def older(taught: Taught) -> dict[str, object]:
            about = json.loads(str(arrays(taught)["about"])) | {"schema": schema}
            for each in (*about["corrections"], *about["judgements"]) if schema == 1 else ():
                for key in ("network", "bare"):
                    each.pop(key, None)
            return arrays(taught) | {"about": np.array(json.dumps(about))}

        monkeypatch.setattr(taught_file, "_arrays", older)
        save_taught(tmp_path, taught)

    of_schema(1)
    back = load_taught(tmp_path, manifest)
    assert (back.judgements[0].network, back.corrections["hand_clap"].network, back.look_corrections) == ("", "", {})
    of_schema(3)
    with pytest.raises(ModelError, match="schema: found 3; wanted 2"):
        load_taught(tmp_path, manifest)


def test_a_lesson_of_before_there_were_tallies_is_read_and_so_is_one_that_says_more(
        tmp_path: Path, manifest: Manifest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs of before read what this one writes in the same way: they leave alone what they do not know."""
    taught, arrays = full(manifest), taught_file._arrays
    for change, tally in ((lambda foreseen: foreseen.pop("tally"), None),
                          (lambda foreseen: foreseen.update(later=[1]), TALLY)):
        def other(taught: Taught, change: Callable[[dict[str, object]], object] = change) -> dict[str, object]:
            about = json.loads(str(arrays(taught)["about"]))
            change(about["sounds"][0]["foreseen"])
            return arrays(taught) | {"about": np.array(json.dumps(about))}

        monkeypatch.setattr(taught_file, "_arrays", other)
        save_taught(tmp_path, taught)
        back = load_taught(tmp_path, manifest).sounds[0].foreseen
        assert (back.tally, back.heard, back.collisions) == (tally, 5, ("door_slam",))


def test_to_forget_a_target_forgets_what_was_said_of_its_looks_too(manifest: Manifest) -> None:
    left = full(manifest).without("hand_clap", "removed hand_clap")
    assert (left.judgements, left.corrections, left.look_corrections) == ((), {}, {}) and left.sounds


def test_undo_brings_back_the_last_step_exactly(tmp_path: Path, manifest: Manifest) -> None:
    taught = full(manifest)
    first = save_taught(tmp_path, taught)
    before = first.read_bytes()
    save_taught(tmp_path, taught.without("kettle", "removed kettle"))
    assert load_taught(tmp_path, manifest).sounds == ()
    assert undo_taught(tmp_path, "starter") == "removed kettle"
    assert [path.read_bytes() for path in taught_folder(tmp_path, "starter").iterdir()] == [before]
    assert undo_taught(tmp_path, "starter") == "taught kettle"
    assert load_taught(tmp_path, manifest).sounds == ()
    with pytest.raises(ModelError, match="nothing taught"):
        undo_taught(tmp_path, "starter")


def test_a_byte_that_the_disk_changed_is_told_and_undone(tmp_path: Path, manifest: Manifest) -> None:
    """An SD card gave back one byte otherwise: the deflated rows broke, and zlib's error ended `run` and `teach --undo`."""
    save_taught(tmp_path, Taught.nothing(manifest))
    path = save_taught(tmp_path, full(manifest))
    content = path.read_bytes()
    told = 0
    for place in range(0, len(content), max(len(content) // 400, 1)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1:])
        try:
            load_taught(tmp_path, manifest)
        except ModelError:
            told += 1
    assert told > 100
    path.write_bytes(content[:200] + b"\xff" * 100 + content[300:])
    assert undo_taught(tmp_path, "starter") == f"{path.name}, which could not be read"
    assert load_taught(tmp_path, manifest).change == ""


def test_steps_are_bounded(tmp_path: Path, manifest: Manifest) -> None:
    for _ in range(KEPT + 5):
        save_taught(tmp_path, Taught.nothing(manifest))
    assert len(list(taught_folder(tmp_path, "starter").iterdir())) == KEPT
    for _ in range(KEPT - 1):
        undo_taught(tmp_path, "starter")
    with pytest.raises(ModelError, match="no step before"):
        undo_taught(tmp_path, "starter")


@pytest.mark.parametrize(("key", "value"), [("backbone_sha256", "0" * 64), ("front_end", 9)])
def test_another_models_sounds_are_refused_with_the_way_out(tmp_path: Path, manifest: Manifest, key: str,
                                                            value: object, caplog: pytest.LogCaptureFixture) -> None:
    save_taught(tmp_path, replace(full(manifest), **{key: value}))
    with pytest.raises(ModelError, match="--start-afresh"):
        load_taught(tmp_path, manifest)
    assert load_model(state_dir=tmp_path).labels == manifest.labels and "--start-afresh" in caplog.text
    aside = start_afresh(tmp_path, "starter")
    assert aside.is_dir() and load_model(state_dir=tmp_path).labels == manifest.labels


def test_a_name_that_is_a_label_and_a_broken_file_are_refused(tmp_path: Path, manifest: Manifest) -> None:
    taught = full(manifest)
    path = save_taught(tmp_path, taught.with_sound(sound("typing", taught.columns), "taught typing"))
    with pytest.raises(ModelError, match="a label of the model too"):
        load_taught(tmp_path, manifest)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ModelError, match="--undo"):
        load_taught(tmp_path, manifest)
    assert "could not be read" in undo_taught(tmp_path, "starter")


def test_taught_rows_follow_the_models_own(tmp_path: Path, manifest: Manifest) -> None:
    taught = full(manifest)
    save_taught(tmp_path, taught)
    model = load_model(state_dir=tmp_path)
    assert model.labels == (*manifest.labels, "kettle")
    np.testing.assert_array_equal(model.head.weights[-1], taught.sounds[0].row)  # type: ignore[attr-defined]
    target = model.targets[-1]
    assert (target.name, target.standard, target.impulsive, target.threshold) == ("kettle", True, True, 0.6)
    assert load_model(state_dir=tmp_path, rows=["kettle"]).labels == ("kettle",)
