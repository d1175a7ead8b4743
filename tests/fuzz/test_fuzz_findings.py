"""What fuzzing found, once for each: bytes that ended a program with an error of Python's instead of one of ours, or that
asked for all the memory there is."""

from __future__ import annotations

import io
import json
import logging
import math
import os
import sqlite3
import zipfile
from collections.abc import Callable
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
from edge.sinks.journal import history
from edge.sinks.journal.entries import recent
from edge.sinks.journal.file import JournalFile as File
from edge.sinks.journal.file import is_damaged
from edge.sinks.journal.numbering import Numbering
from edge.sinks.messages import Message, is_sound
from edge.sinks.watching.messages import from_line, message, to_line
from tests.fuzz.journal import Run

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


@pytest.mark.parametrize("line", ["9" * 60 + " 00000000000000000007 file  ",
                                  "00000000000000001000 00000000000000000000 file",
                                  "99999999999999999999 00000000000000000007 memory"])
def test_a_line_of_numbers_that_no_device_reaches_says_nothing(tmp_path: Path, line: str) -> None:
    """The next event's number did not fit into SQLite's column, and ended the journal's thread, at each start again."""
    (tmp_path / "sequence").write_text(line)
    numbers = Numbering(tmp_path / "sequence")
    assert numbers.open() and not numbers.in_memory
    numbers.begin(5, whole=True)
    numbers.close()
    assert numbers.next() == 6


# The journal.

@pytest.fixture
def journal(tmp_path: Path) -> Path:
    run = Run(tmp_path)
    assert run.make(3)[0]
    run.writer.close()
    return run.path


def alter(path: Path, statement: str, *values: object) -> None:
    file = sqlite3.connect(path)
    file.execute(statement, values)
    file.commit()
    file.close()


@pytest.mark.parametrize("column", ["started_at", "target", "probability", "level_dbfs"])
def test_a_row_with_bytes_where_a_text_belongs_hides_no_other(journal: Path, column: str) -> None:
    """A TypeError ended `feedback`, and the page's answer could not be written."""
    alter(journal, f"UPDATE events SET {column} = ? WHERE sequence = 2", b"\xff")
    assert [row["sequence"] for row in history.events(journal, history.Asked(), limit=10)] == [3, 1]
    assert history.targets(journal) == ["clap"] and len(recent(journal, 1)) == 1
    with pytest.raises(SinkError, match="wanted a journal that can be read"):
        recent(journal, 3)


@pytest.mark.parametrize(("first", "last"), [(5, "x"), (5, b""), (5, 4), (-1, 4)])
def test_a_range_that_is_none_is_damage_and_the_rest_is_kept(journal: Path, first: int, last: object,
                                                            caplog: pytest.LogCaptureFixture) -> None:
    """A TypeError ended the journal's thread, at each start again."""
    alter(journal, "INSERT INTO dropped (first, last) VALUES (?, ?)", first, last)
    with caplog.at_level(logging.ERROR):
        run = Run(journal.parent)
    assert "malformed" in caplog.text and len(run.outbox) == 3 and run.make(1)[0]
    run.writer.close()


@pytest.mark.parametrize("harm", [
    lambda data: data[:44] + b"\0\0\0\x63" + data[48:],  # "unsupported file format"
    lambda data: data[:18] + b"\3\1" + data[20:],  # "attempt to write a readonly database"
    lambda data: data.replace(b"tabledroppeddropped", b"tabledr\xffppeddropped"),
    lambda data: data.replace(b"CREATE TABLE dropped (", b"CREATE T\xffBLE dropped (")])
def test_whatever_the_header_says_new_events_are_written(journal: Path, harm: Callable[[bytes], bytes]) -> None:
    """Some of SQLite's words were taken for those of a disk that fails: the journal was never written again. And a file
    that could not be opened stayed open."""
    good, before = journal.read_bytes(), len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    assert harm(good) != good
    journal.write_bytes(harm(good))
    for _ in range(5):
        try:
            recent(journal, 1)
        except SinkError as error:
            assert is_damaged(error)
    run = Run(journal.parent)
    assert run.make(1)[0] and not run.writer.fault
    run.writer.close()
    run.numbering.close()
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_a_disk_that_cannot_be_written_is_no_damage(journal: Path) -> None:
    file = File(journal, write=False)
    with pytest.raises(SinkError) as error:
        file.rows("DELETE FROM events")
    file.close()
    assert "readonly" in str(error.value) and not is_damaged(error.value)


@pytest.mark.parametrize("field", [{"heard_at": 1e300}, {"heard_at": math.inf}])
def test_a_message_from_before_the_big_bang_is_damaged(journal: Path, field: dict[str, float]) -> None:
    run = Run(journal.parent)
    kept = run.outbox.messages(unsaved=False)[0]
    run.writer.close()
    assert is_sound(kept)
    assert not is_sound(Message(kept.sequence, kept.target, kept.phase, kept.body, **field))  # type: ignore[arg-type]
    far = json.loads(kept.body) | {"duration_seconds": 1e300}
    assert not is_sound(Message(kept.sequence, kept.target, kept.phase, json.dumps(far)))


# The watch socket.

@pytest.mark.parametrize("told", [
    message("about", None, device="kitchen"), message("about", None, device="kitchen", about={"sinks": []}),
    message("lost", None, messages="x"), message("lost", None, messages=1e999),
    message("health", None, health={"blocks": "7"}),
    message("hearing", "yesterday", start=0), message("pins", None, pins=["17"]), message("answer", None, ok=1),
    message("event", None, start=0, end=None, event={"id": [], "started_at": "9999-12-31T23:59:59-23:59"}),
    message("x", None, deep=[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]])])
def test_a_message_that_lacks_what_its_kind_has_is_refused_at_the_door(told: dict[str, object]) -> None:
    """`edge-audio watch`, `teach` and the page each stumbled over one or the other."""
    line = json.dumps(told).encode()
    with pytest.raises(SinkError, match="same edge-audio on both sides"):
        from_line(line)


@pytest.mark.parametrize("line", [b"[" * 200_000, b'{"schema":1,"kind":5}', b'{"schema":1,"kind":"x","device":"\\ud800"}',
                                  b'{"schema":' + b"[" * 900 + b"]" * 900 + b"}"])
def test_nor_does_what_no_encoder_writes_come_in(line: bytes) -> None:
    with pytest.raises(SinkError, match="same edge-audio on both sides"):
        from_line(line)


def test_a_kind_and_a_name_of_a_later_version_are_let_in() -> None:
    for told in (message("weather", None, rain=True), message("lost", None, messages=3, since="noon")):
        assert from_line(to_line(told)) == told
