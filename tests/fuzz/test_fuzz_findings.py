"""What fuzzing found, once for each: bytes that ended a program with an error of Python's instead of one of ours, or that
asked for all the memory there is."""

from __future__ import annotations

import io
import json
import math
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from edge.errors import FOUND_LETTERS, ModelError, SettingsError, SinkError, SourceError
from edge.learn.bank import load_room, room_path, save_room
from edge.learn.classes import load_classes
from edge.learn.labelled_clips import find_clips
from edge.model import arrays as arrays_module
from edge.model.arrays import reading_arrays
from edge.model.embedded import embedded_folder
from edge.model.judged import WORDS, judged_in
from edge.model.manifest_file import MANIFEST, load_manifest, parse_manifest
from edge.model.table import Table
from edge.settings_file import load_settings
from edge.sinks.watching.bands import bands_from, bands_messages
from edge.sinks.watching.messages import from_line, message, to_line
from edge.stream import Bands

STARTER = embedded_folder() / "starter"


@pytest.mark.parametrize("value", ["[" * 1_500, "{a=" * 1_500, "9" * 5_000, "0x" + "f" * 9_000, "1" * 400])
@pytest.mark.parametrize("load", [load_settings, load_classes])
def test_toml_that_python_gives_up_on_is_told_as_what_it_is(tmp_path: Path, value: str,
                                                            load: Callable[[Path], object]) -> None:
    """tomllib lets RecursionError and int()'s own ValueError through."""
    (tmp_path / "my.toml").write_text(f"[gate]\nhang_over_seconds = {value}\n")
    with pytest.raises(SettingsError, match=r"my\.toml.*found .*; wanted ") as error:
        load(tmp_path / "my.toml")
    assert len(str(error.value)) < 1_000


@pytest.mark.parametrize("key", ["patch_samples", "sample_rate"])
def test_a_whole_number_of_four_hundred_digits_is_no_number(key: str) -> None:
    """It is no float either: to ask whether it is finite raised OverflowError."""
    manifest = json.loads((STARTER / MANIFEST).read_text()) | {key: 10 ** 400}
    with pytest.raises(ModelError, match=f"manifest: {key}: found 1000.*; wanted a whole number"):
        parse_manifest(json.dumps(manifest), "manifest")


def test_a_value_hundreds_deep_is_told_whatever_the_depth() -> None:
    """Some depths could be read and not be shown."""
    for depth in range(500, 1_500, 3):
        with pytest.raises(ModelError, match="manifest"):
            parse_manifest('{"schema": 1, "name": ' + "[" * depth + "]" * depth + "}", "manifest")


@pytest.mark.parametrize("value", [-math.inf, math.inf, math.nan])
def test_a_list_of_numbers_holds_finite_ones(value: float) -> None:
    with pytest.raises(ModelError, match="logits"):
        Table("", {"logits": [1.0, value]}).get("logits", tuple[float, ...])


def archive(path: Path, **parts: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, part in parts.items():
            made.writestr(f"{name}.npy", part)
    return path


def test_an_array_that_says_it_has_a_billion_values_takes_no_memory(tmp_path: Path) -> None:
    """NumPy makes room for what the header says, before it reads any of it."""
    made = io.BytesIO()
    np.save(made, np.zeros(3, np.float64))
    claims = made.getvalue().replace(b"(3,), }" + b" " * 15, b"(" + b"9" * 16 + b",), }", 1)
    assert len(claims) == len(made.getvalue()) and claims != made.getvalue()
    path = archive(tmp_path / "large.npz", values=claims)
    with pytest.raises(ModelError, match=r"found nothing \(.*allocate.*\); wanted arrays"), \
            reading_arrays(path, found="nothing", wanted="arrays") as arrays:
        arrays["values"]


def test_a_small_archive_cannot_unpack_to_more_than_a_board_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = io.BytesIO()
    np.save(made, np.zeros(1_000_000, np.int8))
    path = archive(tmp_path / "bomb.npz", values=made.getvalue())
    assert path.stat().st_size < 10_000
    monkeypatch.setattr(arrays_module, "MOST_BYTES", 999_999)
    with pytest.raises(ModelError, match=r"found 1000128 bytes of arrays; wanted arrays, of 999999 at most"), \
            reading_arrays(path, found="nothing", wanted="arrays"):
        pass


def test_nor_can_the_words_of_what_was_taught(tmp_path: Path) -> None:
    path = archive(tmp_path / "000001.npz", **{WORDS.removesuffix(".npy"): bytes(40 << 20)})
    with pytest.raises(ModelError, match="41943040 bytes of words"):
        judged_in(path)


def test_a_part_that_is_no_array_is_damage(tmp_path: Path) -> None:
    """NumPy gives its bytes, which have no shape."""
    manifest = load_manifest(STARTER)
    assert manifest.backbone is not None
    save_room(tmp_path, manifest, np.zeros((0, manifest.backbone.output.size), np.float32), 60.0)
    path = room_path(tmp_path, "starter")
    with zipfile.ZipFile(path) as found:
        parts = {name: found.read(name) for name in found.namelist()}
    with zipfile.ZipFile(path, "w") as changed:
        for name, content in parts.items():
            changed.writestr(name, content if name != "cells.npy" else b"")
    with pytest.raises(ModelError, match=r"no room \(cells is no array\)"):
        load_room(tmp_path, manifest)


@pytest.mark.parametrize("seconds", [math.nan, math.inf, -1.0])
def test_a_room_of_no_length_is_no_room(tmp_path: Path, seconds: float) -> None:
    manifest = load_manifest(STARTER)
    assert manifest.backbone is not None
    save_room(tmp_path, manifest, np.zeros((4, manifest.backbone.output.size), np.float32), 4 * 60.0)
    room = load_room(tmp_path, manifest)
    assert room is not None and room.hours == pytest.approx(240 / 3600)
    path = room_path(tmp_path, "starter")
    with np.load(path) as found:
        parts = dict(found)
    parts["seconds"][2] = seconds
    np.savez(path, **parts)
    with pytest.raises(ModelError, match="no room"):
        load_room(tmp_path, manifest)


def test_a_row_of_a_hundred_thousand_letters_is_not_echoed_whole(tmp_path: Path) -> None:
    (tmp_path / "clips.csv").write_text("x," * 50_000 + "\n")
    with pytest.raises(SourceError) as error:
        find_clips(tmp_path / "clips.csv")
    assert FOUND_LETTERS < len(str(error.value)) < FOUND_LETTERS + 500


def test_nor_is_a_name_of_a_hundred_thousand_letters_that_would_do(tmp_path: Path) -> None:
    (tmp_path / "clips.csv").write_text("path,class,split\na.wav,clap," + "x" * 100_000 + "\n")
    with pytest.raises(SourceError, match="no such row") as error:
        find_clips(tmp_path / "clips.csv", split="eval")
    assert FOUND_LETTERS < len(str(error.value)) < FOUND_LETTERS + 500


# The watch socket.

@pytest.mark.parametrize("told", [
    message("about", None, device="kitchen"), message("about", None, device="kitchen", about={"sinks": []}),
    message("lost", None, messages="x"), message("lost", None, messages=1e999),
    message("health", None, health={"blocks": "7"}),
    message("hearing", "yesterday", start=0), message("pins", None, pins=["17"]), message("answer", None, ok=1),
    message("answer", None, command="mute", request=None, ok=False),
    message("event", None, start=0, end=None, event={"id": [], "started_at": "9999-12-31T23:59:59-23:59"}),
    message("x", None, deep=[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]])])
def test_a_message_that_lacks_what_its_kind_has_is_refused_at_the_door(told: dict[str, object]) -> None:
    """`edge-audio watch`, `teach` and the page each stumbled over one or the other."""
    line = json.dumps(told).encode()
    with pytest.raises(SinkError, match="same edge-audio on both sides"):
        from_line(line)


@pytest.mark.parametrize("line", [b"[" * 200_000, b'{"schema":1,"kind":5}', b'{"schema":1,"kind":"x","device":"\\ud800"}',
                                  b'{"schema":1,"kind":"x","device":"\xed\xa0\x80"}',
                                  b'{"schema":' + b"[" * 900 + b"]" * 900 + b"}"])
def test_nor_does_what_no_encoder_writes_come_in(line: bytes) -> None:
    with pytest.raises(SinkError, match="same edge-audio on both sides"):
        from_line(line)


def test_a_kind_and_a_name_of_a_later_version_are_let_in() -> None:
    for told in (message("weather", None, rain=True), message("lost", None, messages=3, since="noon")):
        assert from_line(to_line(told)) == told


@pytest.mark.parametrize("name", ["step_db", "offset_db"])
def test_bands_of_a_step_that_no_float_holds_are_none(name: str) -> None:
    told = next(bands_messages(Bands(np.zeros((2, 64), np.float32), 0, datetime(2026, 11, 30, tzinfo=UTC)), None))
    assert np.abs(bands_from(told)).max() < 0.03
    with pytest.raises(SinkError, match="watch: bands"):
        bands_from({**told, name: 5e37})
