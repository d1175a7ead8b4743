"""The journal: what was written comes back, bounded; broken files are refused in one line."""

from __future__ import annotations

import sqlite3
import stat
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.errors import SettingsError, SinkError
from edge.sinks.journal.entries import PRUNE_EVERY, Entry, Journal, Looks, entry_of, find, recent
from edge.sinks.journal.file import JournalFile, set_aside
from edge.stream import Event, Scores, new_event_id, short_id

START = datetime(2026, 11, 22, 12, 0, 1, 250_000, UTC)
LABELS = ("hand_clap", "typing")


def entry(number: int = 0, columns: int = 1024) -> Entry:
    random = np.random.default_rng(number)
    return Entry(new_event_id(START.timestamp() + number), "hand_clap", "hand_clap", 0.9, 0.8,
                 START + timedelta(seconds=number), None, -20.5,
                 random.integers(-128, 128, columns).astype(np.int8), np.array([1.5, -2.0], np.float16), LABELS,
                 "b" * 64, tuple(random.integers(-128, 128, (2, columns)).astype(np.int8)), (1.5, -0.25, 3.0))


class Written:
    """A journal that commits every time."""

    def __init__(self, path: Path, *, events: int) -> None:
        self.file = JournalFile(path, write=True)
        self.journal = Journal(self.file, events=events)

    def write(self, entries: list[Entry]) -> None:
        with self.file.transaction():
            self.journal.put(entries)

    def close(self) -> None:
        self.file.close()


def packed(embedding: NDArray[np.float32]) -> NDArray[np.int8]:
    return embedding.astype(np.int8)


def test_what_was_written_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "state" / "journal.sqlite3"
    journal = Written(path, events=100)
    written = entry()
    journal.write([written])
    journal.write([replace(written, ended_at=START + timedelta(seconds=3), probability=0.95)])
    journal.write([replace(entry(1), cells=None, logits=None, labels=(), backbone="")])
    bare, back = recent(path, 10)
    journal.close()
    assert bare.cells is None and bare.labels == ()
    assert back.cells is not None and back.logits is not None and written.cells is not None
    np.testing.assert_array_equal(back.cells, written.cells)
    np.testing.assert_array_equal(back.beside, written.beside)
    assert back.logits.tolist() == [1.5, -2.0] and back.labels == LABELS and back.backbone == "b" * 64
    assert back.bare == (1.5, -0.25, 3.0)
    assert back.ended_at == START + timedelta(seconds=3) and back.started_at == START and back.probability == 0.95


def test_the_oldest_go_first_and_the_file_stays_bounded(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    journal = Written(path, events=50)
    sizes = []
    for start in range(0, 1200, 40):
        journal.write([entry(number) for number in range(start, start + 40)])
        sizes.append(path.stat().st_size)
    assert len(recent(path, 10_000)) <= 50 + PRUNE_EVERY
    assert recent(path, 1)[0].started_at == START + timedelta(seconds=1199)
    journal.close()
    assert path.stat().st_size < 600_000 and sizes[-1] <= sizes[len(sizes) // 2] + 4096


@pytest.mark.big
@pytest.mark.parametrize(("columns", "labels", "most"), [(256, 25, 1_200), (632, 25, 2_600), (1024, 521, 5_200)])
def test_how_much_an_event_takes(tmp_path: Path, columns: int, labels: int, most: int) -> None:
    path = tmp_path / "journal.sqlite3"
    journal = Written(path, events=5000)
    names = tuple(f"label {number}" for number in range(labels))
    journal.write([replace(entry(number, columns), logits=np.zeros(labels, np.float16), labels=names)
                   for number in range(2000)])
    journal.close()
    print(f"an event of {columns} values and {labels} labels: {path.stat().st_size / 2000:.0f} bytes")
    assert path.stat().st_size / 2000 < most


def test_events_are_found_by_the_beginning_or_the_end_of_their_ids(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    journal = Written(path, events=100)
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
        JournalFile(broken, write=True)
    with pytest.raises(SinkError):
        recent(broken, 1)
    newer = tmp_path / "newer.sqlite3"
    with sqlite3.connect(newer) as file:
        file.execute("PRAGMA user_version = 9")
    file.close()
    with pytest.raises(SinkError, match="version 9"):
        JournalFile(newer, write=True)
    with pytest.raises(SinkError):
        JournalFile(tmp_path, write=True)


def test_the_empty_file_that_a_full_disk_leaves_holds_no_event(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite3").touch()
    assert recent(tmp_path / "journal.sqlite3", 5) == []
    with pytest.raises(SettingsError, match="no journal"):
        find(tmp_path / "journal.sqlite3", "4f1c9a")


def test_events_of_one_minute_are_told_apart_by_the_ends_of_their_ids(tmp_path: Path) -> None:
    """Ids begin with the time. Whoever gave the beginning of one met all events of its minute."""
    journal = Written(tmp_path / "journal.sqlite3", events=100)
    entries = [entry(number) for number in range(3)]
    journal.write(entries)
    journal.close()
    with pytest.raises(SettingsError, match=r"found 3 events .*; wanted more of one's end: ") as refused:
        find(tmp_path / "journal.sqlite3", entries[0].id[:8])
    ends = refused.value.wanted.rpartition(": ")[2].split(", ")
    assert sorted(ends) == sorted(short_id(one.id) for one in entries) and len(set(ends)) == 3
    assert [find(tmp_path / "journal.sqlite3", short_id(one.id)).id for one in entries] == [one.id for one in entries]


def test_an_entry_takes_the_peak_of_its_event() -> None:
    scores = Scores(0, np.array([0.9, 0.1], np.float32), np.array([2.2, -2.2], np.float32), np.ones(4, np.float32))
    event = Event("id", 1, "start", "t", "l", 0.9, 0.9, 0, None, START, None, -20.0, scores)
    more = replace(event, beside=(replace(scores, embedding=np.full(4, 2.0, np.float32)),))
    made = entry_of(more, pack=packed, labels=LABELS, backbone="b")
    assert made.logits is not None and made.logits.dtype == np.float16 and made.labels == LABELS
    assert made.cells is not None and made.cells.tolist() == [1] * 4 and [each.tolist() for each in made.beside] == [[2] * 4]
    for bare in (entry_of(replace(event, peak=None), pack=packed, labels=LABELS, backbone="b"),
                 entry_of(replace(event, peak=replace(scores, logits=None)), pack=None, labels=LABELS, backbone="b")):
        assert bare.logits is None and bare.labels == () and bare.backbone == "" and bare.cells is None


def test_an_entry_of_a_look_says_how_high_its_target_came_with_each(tmp_path: Path) -> None:
    first, second = (Scores(9, np.ones(3, np.float32), np.zeros(3, np.float32), np.full(4, value, np.float32),
                            network="n" * 64, bare=bare) for value, bare in ((2.0, -0.5), (3.0, 1.25)))
    event = Event("id", 1, "end", "t", "l", 0.9, 0.9, 0, 5, START, START, -20.0, second, (first,))
    looks = Looks(packed, ("clap", "snap", "other"), "n" * 64)
    made = entry_of(event, pack=lambda embedding: embedding.astype(np.int8)[:2], labels=LABELS, backbone="b", looks=looks)
    assert (made.backbone, made.labels, made.bare) == ("n" * 64, looks.labels, (1.25, -0.5))
    assert made.cells is not None and made.cells.tolist() == [3] * 4 and made.beside[0].tolist() == [2] * 4
    older = entry_of(replace(event, peak=replace(second, bare=None)), pack=None, labels=LABELS, backbone="b", looks=looks)
    assert older.bare == () and older.cells is not None, "half of it would be of the wrong look"


@pytest.mark.parametrize(("version", "lacking"), [(1, ("beside", "bare")), (3, ("bare",)), (0, ("bare",))])
def test_a_journal_of_an_earlier_version_is_read_as_it_is_and_written_on(
        tmp_path: Path, version: int, lacking: tuple[str, ...]) -> None:
    path = tmp_path / "journal.sqlite3"
    journal = Written(path, events=100)
    journal.write([replace(entry(number), beside=(), bare=()) for number in range(3)])
    journal.close()
    with sqlite3.connect(path) as file:  # as that version made it; 0: the power went before the version was written
        for column in lacking:
            file.execute(f"ALTER TABLE events DROP COLUMN {column}")
        file.execute(f"PRAGMA user_version = {version}")
    file.close()
    before = recent(path, 10)
    assert [(one.beside, one.bare) for one in before] == [((), ())] * 3 and find(path, before[1].id).probability == 0.9
    journal = Written(path, events=100)
    fresh = entry(3)
    journal.write([fresh])
    newest, *older = recent(path, 10)
    journal.close()
    assert [one.id for one in older] == [one.id for one in before] and (older[0].beside, older[0].bare) == ((), ())
    assert newest.bare == fresh.bare
    for one, other in zip(older, before, strict=True):
        assert one.cells is not None and other.cells is not None and one.cells.tobytes() == other.cells.tobytes()
    assert [cells.tobytes() for cells in newest.beside] == [cells.tobytes() for cells in fresh.beside]
    Written(path, events=100).close()


def test_what_is_committed_survives_a_power_cut(tmp_path: Path) -> None:
    """As far as SQLite promises: a write-ahead log that is synchronised at every commit."""
    for _ in range(2):
        file = JournalFile(tmp_path / "j", write=True)
        assert file.rows("PRAGMA journal_mode") == [("wal",)] and file.rows("PRAGMA synchronous") == [(2,)]
        assert not file.harmed
        file.close()


def test_it_is_for_its_user_only_and_of_damaged_ones_the_last_stay(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    for number in range(5):
        journal = Written(path, events=100)
        journal.write([entry()])
        assert {stat.S_IMODE(part.stat().st_mode) for part in tmp_path.glob("journal.sqlite3*")} == {0o600}
        journal.close()
        path.write_bytes(b"damage %d" % number)
        time.sleep(0.002)  # names are of milliseconds
        set_aside(path)
    assert sorted(part.read_bytes() for part in tmp_path.iterdir()) == [b"damage 2", b"damage 3", b"damage 4"]


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="this kernel does not tell its locks")
def test_opening_it_again_leaves_the_locks_of_who_reads_it(tmp_path: Path) -> None:
    """POSIX takes all of a process's locks from a file of which it closes any handle."""
    Written(tmp_path / "j", events=10).close()
    reader = JournalFile(tmp_path / "j", write=False)
    reader.rows("SELECT COUNT(*) FROM events")
    inode = f":{(tmp_path / 'j').stat().st_ino} "
    assert inode in Path("/proc/locks").read_text()
    writer = JournalFile(tmp_path / "j", write=True)
    assert inode in Path("/proc/locks").read_text()
    for file in (writer, reader):
        file.close()
