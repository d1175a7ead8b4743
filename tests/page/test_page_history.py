"""What was heard before: events, table, heat map and sounds, from a real journal that its appliance goes on writing."""

from __future__ import annotations

import csv
import io
import logging
import socket
import sqlite3
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.control.loading import model_folder
from edge.model.manifest_file import load_manifest
from edge.model.taught import Judgement, Taught
from edge.model.taught_file import save_taught, undo_taught
from edge.settings import JournalSettings, Settings
from edge.sinks.journal import history
from edge.sinks.journal.entries import Entry, Journal, entry_of, recent
from edge.sinks.journal.event_sounds import FOLDER, EventSounds
from edge.sinks.journal.file import JournalFile, journal_path
from edge.sinks.journal.history import MOST, Asked, all_events, counts, events, targets
from tests.page.browser import PATIENCE_SECONDS, Browser
from tests.page.made import event

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)


def entries(count: int, *, target: str = "hand_clap", first: datetime = NOW, step: float = 600.0) -> list[Entry]:
    """Events one after another, `step` seconds apart."""
    return [entry_of(event(target, at=first + timedelta(seconds=number * step)), pack=None, labels=(), backbone="")
            for number in range(count)]


def write(state_dir: Path, made: list[Entry]) -> None:
    with closing(JournalFile(journal_path(JournalSettings(), state_dir), write=True)) as file, file.transaction():
        Journal(file, events=100_000).put(made)


@pytest.fixture
def clock_of_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The board's own time zone, whatever this machine's is."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_who_leaves_before_the_table_comes_is_no_error_of_the_servers(
        browser: Browser, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """The log had a trace of it; fuzzing found that."""
    left = threading.Event()

    def later(*_: object) -> Iterator[list[dict[str, Any]]]:
        assert left.wait(PATIENCE_SECONDS)
        yield []

    monkeypatch.setattr(history, "all_events", later)
    with socket.create_connection((browser.at, browser.port), PATIENCE_SECONDS) as ours:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # hangs up at once
        ours.sendall(b"GET /api/events.csv HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert browser.ask("/").status == 200  # so what was sent before has been read
    assert browser.ask("/").status == 200  # and that it has hung up is known
    left.set()
    assert browser.ask("/api/events.csv").status == 200
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_the_newest_come_first_and_the_rest_page_by_page(state_dir: Path, browser: Browser) -> None:
    made = entries(25)
    write(state_dir, made)
    seen: list[Any] = []
    where = "/api/events?limit=10"
    while True:
        told = browser.ask(where).told
        seen += told["events"]
        if told["next"] is None:
            break
        where = f"/api/events?limit=10&before={told['next']}"
    assert [each["id"] for each in seen] == [each.id for each in reversed(made)]
    assert told["targets"] == ["hand_clap"]
    newest = seen[0]
    assert newest["probability"] == 0.9 and newest["level_dbfs"] == -31.25
    assert newest["started_at"].startswith("2026-11-29T16:00")
    assert newest["sound"] is False and newest["judgeable"] is False and newest["ended_at"] > newest["started_at"]


def test_by_target_and_time(state_dir: Path, browser: Browser, clock_of_berlin: None) -> None:
    write(state_dir, [*entries(10), *entries(5, target="typing", first=NOW + timedelta(hours=5))])
    assert len(browser.ask("/api/events?target=typing").told["events"]) == 5
    assert browser.ask("/api/events?target=no_such").told["events"] == []
    until = browser.ask("/api/events?since=2026-11-29T12:10:00Z&until=2026-11-29T12:30:00Z").told["events"]
    assert [each["started_at"][11:16] for each in until] == ["12:20", "12:10"]
    assert browser.ask("/api/events?since=2026-11-29T13:10&until=2026-11-29T13:30").told["events"] == until  # Berlin's clock
    assert browser.ask("/api/events?since=2026-11-29T13:10%2B01:00&until=2026-11-29T12:30:00Z").told["events"] == until


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "before=-1", "since=yesterday", "until=2026-13-01",
                                   "limit=99999999999999999999", "since=0001-01-01T00:00:00%2B14:00"])
def test_what_cannot_be_asked_is_named(state_dir: Path, browser: Browser, query: str) -> None:
    write(state_dir, entries(1))
    answer = browser.ask(f"/api/events?{query}")
    assert answer.status == 400 and answer.told["found"].startswith(query.partition("=")[0]) and answer.told["wanted"]


def test_without_a_journal_there_is_nothing_and_none_is_made(state_dir: Path, browser: Browser) -> None:
    assert browser.ask("/api/events").told == {"events": [], "next": None, "targets": []}
    assert sum(sum(day["hours"]) for day in browser.ask("/api/heat").told["days"]) == 0
    assert browser.ask("/api/events.csv").body.count(b"\n") == 1
    assert list(state_dir.iterdir()) == []


def test_a_journal_without_tables_yet_is_empty(state_dir: Path, browser: Browser) -> None:
    """Its writer makes the file, and a moment later what is in it: who asked just then was answered 503, and `feedback`
    failed."""
    path = journal_path(JournalSettings(), state_dir)
    with closing(sqlite3.connect(path)) as made:
        made.execute("PRAGMA journal_mode = WAL")
        assert path.stat().st_size > 0 and recent(path, 1) == []
        assert browser.ask("/api/events").told == {"events": [], "next": None, "targets": []}
        assert browser.ask("/api/heat").status == browser.ask("/api/events.csv").status == 200


def test_a_journal_that_is_none_is_named(state_dir: Path, browser: Browser) -> None:
    (state_dir / "journal.sqlite3").write_bytes(b"no journal" * 1_000)
    answer = browser.ask("/api/events")
    assert answer.status == 503 and "not a database" in answer.told["found"]


def test_the_table_has_all_events_and_no_formula(state_dir: Path, browser: Browser) -> None:
    made = entries(MOST + 5, step=1.0) + entries(1, target='=1+1,"x"', first=NOW + timedelta(days=1))
    write(state_dir, made)
    answer = browser.ask("/api/events.csv")
    assert answer.headers["Content-Type"].startswith("text/csv") and "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.body.decode())))
    assert [row["id"] for row in rows] == [each.id for each in reversed(made)]
    assert rows[0]["target"] == "'=1+1,\"x\"" and rows[1]["target"] == "hand_clap" and rows[1]["level_dbfs"] == "-31.25"
    assert len(list(csv.reader(io.StringIO(browser.ask("/api/events.csv?target=typing").body.decode())))) == 1


def test_hours_are_those_of_the_boards_clock(state_dir: Path, browser: Browser, clock_of_berlin: None) -> None:
    now = datetime.now().astimezone()
    at = (now - timedelta(days=1)).replace(hour=0, minute=15, second=0, microsecond=0)
    write(state_dir, [*entries(3, first=at.astimezone(UTC)), *entries(2, target="typing", first=at.astimezone(UTC)),
                      *entries(4, first=at.astimezone(UTC) - timedelta(days=40))])
    told = browser.ask("/api/heat?days=2").told
    assert [day["date"] for day in told["days"]] == [at.date().isoformat(), now.date().isoformat()]
    assert told["days"][0]["hours"] == [5, *[0] * 23] and sum(told["days"][1]["hours"]) == 0
    assert told["zone"] in ("CET", "CEST")
    assert sum(browser.ask("/api/heat?days=2&target=typing").told["days"][0]["hours"]) == 2
    assert sum(sum(day["hours"]) for day in browser.ask("/api/heat?days=60").told["days"]) == 9
    assert browser.ask("/api/heat?days=400").status == 400


def test_how_an_event_was_judged_is_said_and_taken_back_by_an_undo(state_dir: Path, browser: Browser) -> None:
    """As its own target: that a clap was typing says nothing of the clap. The page reads the file that `feedback` wrote."""
    made = entries(4)
    write(state_dir, made)
    taught = Taught.nothing(load_manifest(model_folder("starter", state_dir)))

    def said(event: Entry, right: bool, target: str = "hand_clap") -> Judgement:
        return Judgement(event.id, target, right, np.zeros(taught.columns, np.int8), "2026-11-29", labels=(target,))

    def judged() -> list[str | None]:
        return [each["judged"] for each in reversed(browser.ask("/api/events").told["events"])]

    assert judged() == [None] * 4
    first = (said(made[0], True), said(made[2], True, "typing"))
    save_taught(state_dir, replace(taught, judgements=first))
    save_taught(state_dir, replace(taught, judgements=(*first, said(made[1], False))))
    assert judged() == ["right", "wrong", None, None]
    rows = list(csv.DictReader(io.StringIO(browser.ask("/api/events.csv").body.decode())))
    assert [row["judged"] for row in reversed(rows)] == ["right", "wrong", "", ""] and "None" not in rows[0]
    undo_taught(state_dir, "starter")
    assert judged() == ["right", None, None, None]
    (state_dir / "taught" / "starter" / "000001.npz").write_bytes(b"damaged")
    assert judged() == [None] * 4, "and the history is still there"


def test_a_sound_is_given_only_where_it_is_kept(state_dir: Path, start_page: Callable[..., Browser]) -> None:
    (made,) = entries(1)
    write(state_dir, [made])
    EventSounds(state_dir / FOLDER, megabytes=1).write(made.id, np.arange(1_600, dtype=np.int16))
    keeps = start_page(settings=Settings(journal=JournalSettings(sound=True)))
    answer = keeps.ask(f"/api/sound/{made.id}")
    assert answer.status == 200 and answer.headers["Content-Type"] == "audio/wav" and answer.body[:4] == b"RIFF"
    assert keeps.ask("/api/events").told["events"][0]["sound"] is True
    for path in ("0000", "..%2fjournal.sqlite3", f"{made.id}.wav", "%2e%2e/x"):
        assert keeps.ask(f"/api/sound/{path}").status == 404
    assert start_page().ask(f"/api/sound/{made.id}").status == 404


def test_a_reader_makes_the_writer_wait_for_nothing(state_dir: Path) -> None:
    """While a reader is in the middle of the file, a writer with no patience at all commits."""
    write(state_dir, entries(200))
    path = journal_path(JournalSettings(), state_dir)
    with closing(sqlite3.connect(path, timeout=0.0)) as writer, closing(JournalFile(path, write=False)) as reader:
        rows = reader.until_it_fails("SELECT id FROM events")
        assert next(rows)
        writer.execute("DELETE FROM events WHERE sequence = (SELECT MAX(sequence) FROM events)")
        writer.commit()
        assert len(list(rows)) == 199
        assert len(events(path, Asked(), limit=MOST)) == 199
    assert sum(counts(path, Asked()).values()) == 199 and targets(path) == ["hand_clap"]
    assert [len(rows) for rows in all_events(path, Asked())] == [199]
