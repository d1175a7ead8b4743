"""The journal: the last events, each with what made it, so that the owner can say what was right.

Bounded in events. An entry holds the logits at the event's peak and three embeddings at most, 1.1 kB for 256
values and 25 labels, 4.4 kB for YAMNet; no sound. Sinks write the journal, the workshop reads it; the outbox
lies in the same file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import SettingsError, SinkError
from edge.sinks.journal.file import FILE as FILE
from edge.sinks.journal.file import JournalFile, are_sound, begun
from edge.stream import Event, short_id

TOGETHER_SECONDS = 10.0
"""A pattern and the sounds that it counts start at most so far apart, but for patterns of many sounds."""
PRUNE_EVERY = 64
"""Events between two prunings. The file may hold so many more than the bound."""
Pack = Callable[[NDArray[np.float32]], NDArray[np.int8]]
"""An embedding float32 `(E,)` to the int8 cells that the backbone gave."""


@dataclass(frozen=True, slots=True)
class Looks:
    """What makes embeddings of looks: how they become int8 cells, the labels of the logits, the network's digest."""

    pack: Pack
    labels: tuple[str, ...]
    sha256: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One event. cells: int8 `(E,)`, None where no patch made it; logits: float16, one for each of `labels`.

    backbone: sha256 of what made the embeddings, a backbone or the look network; "" where there are none. beside:
    cells of two more patches or looks at most (`Event.beside`). bare: of looks, `Scores.bare` of each, the peak's first;
    an entry of an earlier version has none.
    """

    id: str
    target: str
    label: str
    probability: float
    score: float
    started_at: datetime
    ended_at: datetime | None
    level_dbfs: float
    cells: NDArray[np.int8] | None = None
    logits: NDArray[np.float16] | None = None
    labels: tuple[str, ...] = ()
    backbone: str = ""
    beside: tuple[NDArray[np.int8], ...] = ()
    bare: tuple[float, ...] = ()


def entry_of(event: Event, *, pack: Pack | None, labels: tuple[str, ...], backbone: str,
             looks: Looks | None = None) -> Entry:
    """What the journal keeps of an event. pack: turns an embedding back into the int8 cells that the backbone
    gave; looks: stands in its place, and that of labels and backbone, for an event that a look made."""
    peak = event.peak
    if peak is not None and peak.network:
        pack, labels, backbone = (looks.pack, looks.labels, looks.sha256) if looks is not None else (None, (), "")
    cells, bare = [], []
    if pack is not None and peak is not None:
        cells = [pack(each.embedding) for each in (peak, *event.beside) if each.embedding is not None]
        bare = [each.bare for each in (peak, *event.beside) if each.embedding is not None and each.bare is not None]
    logits = None if peak is None or peak.logits is None else peak.logits.astype(np.float16)
    return Entry(event.id, event.target, event.label, event.probability, event.score, event.started_at, event.ended_at,
                 event.level_dbfs, cells[0] if cells else None, logits, labels if logits is not None else (),
                 backbone if cells else "", tuple(cells[1:]), tuple(bare) if len(bare) == len(cells) else ())


class Journal:
    """The events in an open file."""

    def __init__(self, file: JournalFile, *, events: int) -> None:
        """events: how many are kept."""
        self._file, self._most = file, events
        self._until_pruned = 0

    def put(self, entries: Sequence[Entry]) -> None:
        """Write entries within the caller's transaction. An entry whose id is known already replaces the old
        one in place.

        Raises SinkError where the disk fails.
        """
        for entry in entries:
            self._put(entry)
        self._until_pruned -= len(entries)
        if self._until_pruned <= 0:
            self._until_pruned = PRUNE_EVERY
            self._file.rows("DELETE FROM events WHERE sequence <= (SELECT MAX(sequence) FROM events) - ?", (self._most,))

    def _put(self, entry: Entry) -> None:
        head = None
        if entry.cells is not None:
            key = (entry.backbone, json.dumps(entry.labels, ensure_ascii=False))
            self._file.rows("INSERT OR IGNORE INTO heads (backbone, labels) VALUES (?, ?)", key)
            head = self._file.rows("SELECT head FROM heads WHERE backbone = ? AND labels = ?", key)[0][0]
        self._file.rows(
            "INSERT INTO events (id, target, label, probability, score, started_at, ended_at, level_dbfs, head, cells,"
            " logits, beside, bare) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
            " label = excluded.label, probability = excluded.probability, score = excluded.score,"
            " ended_at = excluded.ended_at, head = excluded.head, cells = excluded.cells, logits = excluded.logits,"
            " beside = excluded.beside, bare = excluded.bare",
            (entry.id, entry.target, entry.label, entry.probability, entry.score, entry.started_at.isoformat(),
             entry.ended_at.isoformat() if entry.ended_at else None, entry.level_dbfs, head,
             None if entry.cells is None else entry.cells.tobytes(),
             None if entry.logits is None else entry.logits.astype("<f2").tobytes(),
             b"".join(each.tobytes() for each in entry.beside),
             np.array(entry.bare, "<f4").tobytes() if entry.bare else None))


def recent(path: Path, count: int) -> list[Entry]:
    """The newest `count` events, newest first; none where there is no journal. Raises SinkError."""
    return _read(path, "1 ORDER BY sequence DESC LIMIT ?", (count,)) if begun(path) else []


def find(path: Path, beginning: str) -> Entry:
    """The event whose id begins or ends with `beginning`. Ids that were made in the same minute begin alike.

    Raises SettingsError where there is none, or more than one; SinkError where the journal cannot be read.
    """
    wanted = "an event's id (edge-audio feedback --list shows the newest)"
    if not begun(path):
        raise SettingsError("EVENT-ID", found=f"no journal {path}", wanted=wanted)
    size = len(beginning)
    found = _read(path, "length(?) > 3 AND (substr(id, 1, ?) = ? OR substr(id, -?) = ?) LIMIT 3",
                  (beginning, size, beginning, size, beginning))
    if len(found) != 1:
        raise SettingsError("EVENT-ID", found=f"{len(found) or 'no'} event{'s' if len(found) > 1 else ''} {beginning!r}",
                            wanted=f"more of one's end: {', '.join(short_id(one.id) for one in found)}" if found else wanted)
    return found[0]


def newest(path: Path) -> Entry:
    """The newest event that feedback can judge. Where the newest of all is one that it cannot (a pattern, plain loudness),
    the event before counts only if that one is part of what was heard just then (TOGETHER_SECONDS).

    Raises SettingsError where there is none; SinkError where the journal cannot be read.
    """
    last = recent(path, 1)
    judged = _read(path, "head IS NOT NULL ORDER BY sequence DESC LIMIT 1", ()) if last else []
    if not judged or (last[0].started_at - judged[0].started_at).total_seconds() > TOGETHER_SECONDS:
        found = f"one of {last[0].target} that no patch made" if last else "none in the journal"
        raise SettingsError("newest event", found=found, wanted="an event of a sound")
    return judged[0]


def _read(path: Path, where: str, values: tuple[Any, ...]) -> list[Entry]:
    try:
        with closing(JournalFile(path, write=False)) as file:
            if not file.made:
                return []
            lacks = file.lacks()
            beside, bare = ("NULL" if column in lacks else column for column in ("beside", "bare"))
            rows = file.rows(
                "SELECT id, target, label, probability, score, started_at, ended_at, level_dbfs, cells, logits, labels,"
                f" backbone, {beside}, {bare} FROM events LEFT JOIN heads USING (head) WHERE {where}", values)
        return [_entry(row) for row in rows]
    except (ValueError, TypeError, RecursionError) as error:  # in a damaged row a value of any kind may stand
        raise SinkError(str(path), found=str(error), wanted="a journal that can be read") from error


def _entry(row: tuple[Any, ...]) -> Entry:
    id_, target, label, probability, score, started, ended, level, cells, logits, labels, backbone, beside, bare = row
    if not are_sound((id_, target, label), (probability, score, level)):
        raise ValueError("an event with values of other kinds")
    more = np.frombuffer(beside or b"", np.int8).reshape(-1, len(cells or b"."))
    return Entry(id_, target, label, probability, score, datetime.fromisoformat(started),
                 datetime.fromisoformat(ended) if ended else None, level,
                 None if cells is None else np.frombuffer(cells, np.int8),
                 None if logits is None else np.frombuffer(logits, "<f2").astype(np.float16),
                 tuple(json.loads(labels)) if labels else (), backbone or "", tuple(more),
                 tuple(np.frombuffer(bare or b"", "<f4").tolist()))
