"""Event lines read back: the bundled ones, a log's, and lines that are none."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy.fleet.recording import BUNDLED, load_recording
from edge.errors import SettingsError
from edge.topics import encode, event_payload

ROOT = Path(__file__).resolve().parents[2]
LINE = json.loads(BUNDLED.read_text().splitlines()[0])


@pytest.mark.big
def test_the_bundled_recording_is_what_the_starter_hears_in_the_bundled_sounds() -> None:
    again = subprocess.run([ROOT / "deploy" / "fleet" / "record.sh", sys.executable, "-m", "edge"], cwd=ROOT,
                           capture_output=True, text=True, check=True).stdout

    def heard(lines: str) -> list[tuple[str, str, str]]:
        return [(told["phase"], told["target"], told["label"]) for told in map(json.loads, lines.splitlines())]

    assert heard(again) == heard(BUNDLED.read_text())


def test_a_sound_heard_again_has_a_new_id_and_date_and_is_as_long() -> None:
    typing = next(sound for sound in load_recording(BUNDLED) if sound.start.target == "typing")
    again = typing.again(1_800_000_000.0, 5.0)
    assert again.start.id == again.end.id != typing.start.id
    assert again.start.started_at == again.end.started_at == datetime.fromtimestamp(1_800_000_000, UTC)
    assert (again.end.ended_at - again.start.started_at).total_seconds() == pytest.approx(typing.seconds)
    told = [event_payload(event, device="d", late=False) for event in (again.start, again.end)]
    assert [one["phase"] for one in told] == ["start", "end"]
    assert told[1]["duration_seconds"] == pytest.approx(typing.seconds, abs=0.001)
    assert told[1]["probability"] == typing.end.probability


def test_a_sound_that_was_cut_is_left_out(tmp_path: Path) -> None:
    lines = BUNDLED.read_text().splitlines()
    file = tmp_path / "events.jsonl"
    file.write_text("\n".join([*lines[1:], "", ""]))  # the first start is missing
    assert len(load_recording(file)) == len(load_recording(BUNDLED)) - 1
    file.write_text(lines[0] + "\n")
    with pytest.raises(SettingsError, match=r"--events .*: found no whole event; wanted lines of `edge-audio run`"):
        load_recording(file)


@pytest.mark.parametrize(("line", "found"), [
    ("{", "something else"), ("[]", "something else"), ("7", "something else"), ("{}", "no 'schema'"),
    (encode(LINE | {"schema": 2}), "schema 2, phase 'start'"), (encode(LINE | {"phase": "middle"}), "phase 'middle'"),
    (encode(LINE | {"probability": "high"}), "something else"), (encode(LINE | {"started_at": "today"}), "something else"),
    (encode(LINE | {"target": "a/b"}), "'a/b'"), (encode(LINE | {"started_at": 5}), "something else"),
    (encode({key: value for key, value in LINE.items() if key != "id"}), "no 'id'"),
])
def test_a_line_that_is_no_event_is_named(tmp_path: Path, line: str, found: str) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text(encode(LINE) + "\n" + line + "\n")
    with pytest.raises(SettingsError, match=r"--events .* line 2") as told:
        load_recording(file)
    assert found in str(told.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="found no such file or directory; wanted a file of event lines"):
        load_recording(tmp_path / "none")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="found bytes that are not UTF-8"):
        load_recording(tmp_path / "binary")
