"""`check` on the journal: whether there is room, and what waits in it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from edge.cli.checkup.finding import Finding
from edge.cli.checkup.journal import check_journal
from edge.settings import JournalSettings, MqttSettings, Settings
from edge.sinks.journal.file import FILE, JournalFile
from edge.sinks.journal.messages import put_messages
from edge.sinks.messages import Message
from edge.sinks.outbox import Changes

SENDS = Settings(mqtt=MqttSettings(host="broker"))


def found(settings: Settings, state: Path) -> list[Finding]:
    return list(check_journal(settings, state))


def leave_waiting(path: Path, count: int) -> None:
    file = JournalFile(path, write=True)
    with file.transaction():
        put_messages(file, [Message(number, "clap", "start", "{}") for number in range(1, count + 1)], Changes())
    file.close()


def test_what_waits_for_the_broker_is_counted(tmp_path: Path) -> None:
    (finding,) = found(SENDS, tmp_path)
    assert finding.ok and finding.text.startswith(f"{tmp_path / FILE}, ") and finding.text.endswith("MB free")
    leave_waiting(tmp_path / FILE, 3)
    assert found(SENDS, tmp_path)[0].text.endswith("; 3 messages wait for the broker")
    assert "a broker, which the settings do not name" in found(Settings(), tmp_path)[0].text
    elsewhere = replace(SENDS, journal=JournalSettings(directory=str(tmp_path / "ram")))
    assert str(tmp_path / "ram" / FILE) in found(elsewhere, tmp_path)[0].text


def test_a_disk_without_room_is_found_before_it_is_full(tmp_path: Path) -> None:
    room = os.statvfs(tmp_path)
    events = min(room.f_bavail * room.f_frsize // 4_000, 10**15)
    (finding,) = found(replace(SENDS, journal=JournalSettings(events=events)), tmp_path)
    assert not finding.ok and "MB are free" in finding.text and "queue_megabytes" in finding.advice


def test_a_damaged_journal_and_a_place_that_is_none_are_said(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database" * 100)
    assert "not a database: it will be set aside" in found(SENDS, tmp_path)[0].text
    (tmp_path / "file").write_text("where a folder should be")
    (finding,) = found(SENDS, tmp_path / "file" / "state")
    assert not finding.ok and "cannot be written" in finding.text


def test_without_journal_and_broker_there_is_nothing_to_look_at(tmp_path: Path) -> None:
    (finding,) = found(Settings(journal=JournalSettings(events=0)), tmp_path)
    assert finding.ok and "no feedback" in finding.text


@pytest.mark.parametrize("left", [0, 5])
def test_looking_changes_nothing(tmp_path: Path, left: int) -> None:
    leave_waiting(tmp_path / FILE, left)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    found(SENDS, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
