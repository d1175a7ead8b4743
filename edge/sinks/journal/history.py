"""What was heard, read back for the page: events by target and time, and how many there were. Reads only.

The appliance's writer never waits for a reader: in a WAL a reader sees what was committed before it began.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from edge.errors import SinkError
from edge.sinks.journal.file import JournalFile, are_sound, begun

COLUMNS = ("sequence", "id", "target", "label", "probability", "score", "started_at", "ended_at", "level_dbfs", "judgeable")
"""What a row of `events` has, in this order. sequence: counts up in the journal; judgeable: whether feedback has what it
needs."""
MOST = 1_000
"""Rows of one `events`: a reader that takes longer keeps the write-ahead log from being cut."""
QUARTER = timedelta(minutes=15)
"""Every time zone's hours begin at one of these."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which events: of a target, from one moment (to the second) until before another; empty or None: all."""

    target: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def where(self) -> tuple[str, list[Any]]:
        """As SQL's condition and its values."""
        parts: list[tuple[str, Any]] = []
        if self.target:
            parts.append(("target = ?", self.target))
        if self.since is not None:
            parts.append(("started_at >= ?", _text(self.since)))
        if self.until is not None:
            parts.append(("started_at < ?", _text(self.until)))
        return " AND ".join(["1", *(part for part, _ in parts)]), [value for _, value in parts]


def events(path: Path, asked: Asked, *, limit: int, before: int | None = None) -> list[dict[str, Any]]:
    """The newest events, newest first, with COLUMNS; none where there is no journal.

    limit: at most so many, and MOST. before: of those with a lower `sequence` than this. Raises SinkError.
    """
    where, values = asked.where()
    if before is not None:
        where, values = f"{where} AND sequence < ?", [*values, before]
    rows = _rows(path, "SELECT sequence, id, target, label, probability, score, started_at, ended_at, level_dbfs,"
                       f" head IS NOT NULL FROM events WHERE {where} ORDER BY sequence DESC LIMIT ?",
                 [*values, max(min(limit, MOST), 0)])
    return [dict(zip(COLUMNS, (*row[:9], bool(row[9])), strict=True)) for row in rows
            if are_sound((*row[1:4], row[6], row[7] or ""), (row[4], row[5], row[8]))]  # a damaged row hides no other


def all_events(path: Path, asked: Asked) -> Iterator[list[dict[str, Any]]]:
    """Every event, newest first, MOST at a time: between two of them nothing is held open. Raises SinkError."""
    before = None
    while rows := events(path, asked, limit=MOST, before=before):
        yield rows
        before = rows[-1]["sequence"]


def counts(path: Path, asked: Asked) -> dict[datetime, int]:
    """How many events began in each quarter of an hour (its beginning, UTC) in which one did. Raises SinkError."""
    where, values = asked.where()
    rows = _rows(path, "SELECT substr(started_at, 1, 13), CAST(substr(started_at, 15, 2) AS INTEGER) / 15, COUNT(*)"
                       f" FROM events WHERE {where} GROUP BY 1, 2", values)
    found: dict[datetime, int] = {}
    for hour, quarter, count in rows:
        try:
            found[datetime.fromisoformat(f"{hour}:00:00+00:00") + quarter * QUARTER] = count
        except ValueError:  # a damaged row hides no other
            continue
    return found


def targets(path: Path) -> list[str]:
    """Names of all targets of which the journal has events. Raises SinkError."""
    names = _rows(path, "SELECT DISTINCT target FROM events ORDER BY target", [])
    return [name for name, in names if isinstance(name, str)]


def _rows(path: Path, statement: str, values: list[Any]) -> list[tuple[Any, ...]]:
    if not begun(path):
        return []
    try:
        with closing(JournalFile(path, write=False)) as file:
            return file.rows(statement, values) if file.made else []
    except ValueError as error:
        raise SinkError(str(path), found=str(error), wanted="a journal that can be read") from error


def _text(moment: datetime) -> str:
    """As the journal spells the first letters of a date: it may or may not have parts of a second."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")[:19]
