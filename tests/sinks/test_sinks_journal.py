"""The journal's sink: nothing waits for the disk, what waits is written, and a broken disk is said."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from edge.settings import JournalSettings
from edge.sinks.journal import sink as module
from edge.sinks.journal import writer as journal_writer
from edge.sinks.journal.entries import recent
from edge.sinks.journal.numbering import Numbering
from edge.sinks.journal.sink import JournalSink
from edge.stats import Stats
from edge.stream import Event, Scores

START = datetime(2026, 11, 22, 12, 0, 0, 0, UTC)


def event(number: int) -> Event:
    scores = Scores(0, np.array([0.9], np.float32), np.array([2.2], np.float32), np.arange(8, dtype=np.float32))
    return Event(f"id-{number:06d}", number, "start", "clap", "clap", 0.9, 0.9, 0, None, START, None, -20.0, scores)


def sink_at(path: Path) -> JournalSink:
    return JournalSink(JournalSettings(events=100), path, pack=lambda embedding: embedding.astype(np.int8), labels=("clap",),
                       backbone="b" * 64, numbering=Numbering(path.parent / "sequence"), stats=Stats())


def eventually(holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + 20.0
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.02)
    return False


def test_what_waits_at_the_end_is_written(tmp_path: Path) -> None:
    sink = sink_at(tmp_path / "journal.sqlite3")
    sink.start()
    for number in range(5):
        sink.event(event(number))
    sink.stop()
    sink.stop()
    entries = recent(tmp_path / "journal.sqlite3", 10)
    assert [entry.id for entry in entries] == [f"id-{number:06d}" for number in (4, 3, 2, 1, 0)]
    assert entries[0].cells is not None and entries[0].cells.tolist() == list(range(8))
    assert sink.state == "ok"


def test_an_event_alone_and_the_next_are_written_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broker hears of an event once it is written: a pattern's event that came just behind its clap's waited 0.2 s."""
    monkeypatch.setattr(module, "GATHER_SECONDS", 3_600.0)
    monkeypatch.setattr(module, "PAUSE_SECONDS", 3_600.0)
    path = tmp_path / "journal.sqlite3"
    sink = sink_at(path)
    sink.start()
    for number in (1, 2):
        sink.event(event(number))
        assert eventually(lambda: path.exists() and len(recent(path, 10)) == number)  # noqa: B023
    sink.event(event(3))  # its write pays for the two before
    sink.stop()
    assert len(recent(path, 10)) == 3


def test_a_file_that_is_no_journal_is_set_aside_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "journal.sqlite3"
    path.write_bytes(b"nothing that sqlite could read, at some length" * 40)
    sink = sink_at(path)
    sink.start()
    sink.event(event(1))
    sink.stop()
    assert len(recent(path, 10)) == 1
    assert [one.read_bytes()[:7] for one in tmp_path.glob("journal.sqlite3.aside-*")] == [b"nothing"]
    assert "set aside" in caplog.text


def test_a_disk_that_fails_is_said_and_written_when_it_is_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_writer, "RETRY_SECONDS", 0.05)
    folder = tmp_path / "state"
    folder.write_text("a file where the folder should be")
    sink = sink_at(folder / "journal.sqlite3")
    sink.start()
    sink.event(event(1))
    assert eventually(lambda: sink.state != "ok")
    assert "File exists" in sink.state
    folder.unlink()
    assert eventually(lambda: sink.state == "ok")
    sink.stop()
    assert len(recent(folder / "journal.sqlite3", 10)) == 1


def test_more_events_than_may_wait_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAITING", 10)
    sink = sink_at(tmp_path / "journal.sqlite3")
    for number in range(25):
        sink.event(event(number))
    assert sink.state == "ok; 15 events not kept"
    sink.start()
    sink.stop()
    assert [entry.id for entry in recent(tmp_path / "journal.sqlite3", 99)][::-1] == [f"id-{n:06d}" for n in range(15, 25)]
