"""The journal: what was written comes back, bounded; broken files are refused in one line."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from edge.errors import SettingsError, SinkError
from edge.journal import PRUNE_EVERY, Entry, Journal, entry_of, find, recent
from edge.stream import Event, Scores, new_event_id

START = datetime(2026, 11, 22, 12, 0, 1, 250_000, UTC)
LABELS = ("hand_clap", "typing")


def entry(number: int = 0, columns: int = 1024) -> Entry:
    random = np.random.default_rng(number)
    return Entry(new_event_id(START.timestamp() + number), "hand_clap", "hand_clap", 0.9, 0.8,
                 START + timedelta(seconds=number), None, -20.5,
                 random.integers(-128, 128, columns).astype(np.int8), np.array([1.5, -2.0], np.float16), LABELS,
                 "b" * 64)


def test_what_was_written_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "state" / "journal.sqlite3"
    journal = Journal(path, events=100)
    written = entry()
    journal.write([written])
    journal.write([replace(written, ended_at=START + timedelta(seconds=3), probability=0.95)])
    journal.write([replace(entry(1), cells=None, logits=None, labels=(), backbone="")])
    bare, back = recent(path, 10)
    journal.close()
    assert bare.cells is None and bare.labels == ()
    assert back.cells is not None and back.logits is not None and written.cells is not None
    np.testing.assert_array_equal(back.cells, written.cells)
    assert back.logits.tolist() == [1.5, -2.0] and back.labels == LABELS and back.backbone == "b" * 64
    assert back.ended_at == START + timedelta(seconds=3) and back.started_at == START and back.probability == 0.95


def test_the_oldest_go_first_and_the_file_stays_bounded(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    journal = Journal(path, events=50)
    sizes = []
    for start in range(0, 1200, 40):
        journal.write([entry(number) for number in range(start, start + 40)])
        sizes.append(path.stat().st_size)
    assert len(recent(path, 10_000)) <= 50 + PRUNE_EVERY
    assert recent(path, 1)[0].started_at == START + timedelta(seconds=1199)
    journal.close()
    assert path.stat().st_size < 400_000 and sizes[-1] <= sizes[len(sizes) // 2] + 4096


def test_an_event_takes_about_a_kilobyte(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    journal = Journal(path, events=5000)
    journal.write([entry(number) for number in range(2000)])
    journal.close()
    assert path.stat().st_size / 2000 < 1600


def test_events_are_found_by_the_beginning_or_the_end_of_their_ids(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    journal = Journal(path, events=100)
    entries = [entry(number) for number in range(3)]
    journal.write(entries)
    journal.close()
    assert find(path, entries[1].id).id == find(path, entries[1].id[-10:]).id == entries[1].id
    with pytest.raises(SettingsError, match="3 events"):
        find(path, entries[0].id[:6])
    for none in ("ffffffff", "", "a", "' OR 1=1 --"):
        with pytest.raises(SettingsError, match="found no"):
            find(path, none)
    with pytest.raises(SettingsError, match="no journal"):
        find(tmp_path / "none", "abcd")
    assert recent(tmp_path / "none", 5) == []


def test_a_file_that_is_no_journal_is_refused_in_one_line(tmp_path: Path) -> None:
    broken = tmp_path / "journal.sqlite3"
    broken.write_bytes(b"no database at all, but long enough to look at" * 50)
    with pytest.raises(SinkError, match="not a database"):
        Journal(broken, events=10)
    with pytest.raises(SinkError):
        recent(broken, 1)
    newer = tmp_path / "newer.sqlite3"
    with sqlite3.connect(newer) as file:
        file.execute("PRAGMA user_version = 9")
    file.close()
    with pytest.raises(SinkError, match="version 9"):
        Journal(newer, events=10)
    with pytest.raises(SinkError):
        Journal(tmp_path, events=10)


def test_an_entry_takes_the_peak_of_its_event() -> None:
    scores = Scores(0, np.array([0.9, 0.1], np.float32), np.array([2.2, -2.2], np.float32), np.ones(4, np.float32))
    event = Event("id", 1, "start", "t", "l", 0.9, 0.9, 0, None, START, None, -20.0, scores)
    made = entry_of(event, cells=np.zeros(4, np.int8), labels=LABELS, backbone="b")
    assert made.logits is not None and made.logits.dtype == np.float16 and made.labels == LABELS
    bare = entry_of(replace(event, peak=None), cells=None, labels=LABELS, backbone="b")
    assert bare.logits is None and bare.labels == () and bare.backbone == ""
