"""`api/events`, `api/events.csv`, `api/heat`, `api/sound/ID`: what was heard before, and how it was judged.

The journal is read in a thread, one reader at a time, so that neither the page's loop nor the appliance waits.
"""

from __future__ import annotations

import asyncio
import contextlib
import csv
import io
import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import web

from edge.errors import SinkError
from edge.model.judged import JudgedEvents
from edge.page.guard import refused
from edge.settings import JournalSettings
from edge.sinks.journal import history
from edge.sinks.journal.event_sounds import FOLDER, sound_path
from edge.sinks.journal.file import journal_path

USUAL, DAYS, MOST_DAYS = 100, 28, 366
"""Events of one answer, and days of the heat map: where nobody says how many, and at most."""
_ID = re.compile(r"[0-9a-f-]{4,36}")
T = TypeVar("T")


class History:
    """Belongs to the loop's thread."""

    def __init__(self, settings: JournalSettings, state_dir: Path, judged: JudgedEvents) -> None:
        """settings: where the journal lies, and whether the owner keeps sounds."""
        self._judged = judged
        self._path = journal_path(settings, state_dir)
        self._sounds = state_dir / FOLDER if settings.sound else None
        self._one = asyncio.Semaphore(1)

    async def events(self, request: web.Request) -> web.StreamResponse:
        """`?target=&since=&until=&before=&limit=`: the newest events, newest first."""
        asked = asked_of(request.query)
        limit = _whole(request.query, "limit", USUAL, 1, history.MOST)
        before = _whole(request.query, "before", 2**62, 0, 2**62)
        rows, names = await self._read(lambda: (
            self._with_judgements(history.events(self._path, asked, limit=limit, before=before)),
            history.targets(self._path)))
        for row in rows:
            row["sound"] = self._sounds is not None and sound_path(self._sounds, row["id"]).exists()
        return web.json_response({"events": rows, "next": rows[-1]["sequence"] if len(rows) == limit else None,
                                  "targets": names})

    async def table(self, request: web.Request) -> web.StreamResponse:
        """The events as CSV, all of them, newest first."""
        asked = asked_of(request.query)
        pages = map(self._with_judgements, history.all_events(self._path, asked))
        first = await self._read(lambda: next(pages, []))
        response = web.StreamResponse(headers={"Content-Type": "text/csv; charset=utf-8",
                                               "Content-Disposition": 'attachment; filename="edge-audio-events.csv"'})
        with contextlib.suppress(ConnectionError):  # whoever asked has gone away
            await response.prepare(request)
            await response.write((",".join((*history.COLUMNS, "judged")) + "\r\n").encode())
            rows = first
            while rows:
                await response.write(csv_of(rows).encode("utf-8"))
                rows = await self._read(lambda: next(pages, []))
            await response.write_eof()
        return response

    async def heat(self, request: web.Request) -> web.StreamResponse:
        """`?days=&target=`: how many events began in each hour of the last days, by this machine's clock."""
        days = _whole(request.query, "days", DAYS, 1, MOST_DAYS)
        today = datetime.now().astimezone().date()
        dates = [today - timedelta(days=back) for back in range(days - 1, -1, -1)]
        since = datetime.combine(dates[0], datetime.min.time()).astimezone(UTC)
        asked = history.Asked(request.query.get("target", ""), since)
        found = await self._read(lambda: history.counts(self._path, asked))
        hours = {date: [0] * 24 for date in dates}
        for moment, count in found.items():
            here = datetime.fromtimestamp(moment.timestamp())  # with the offset that held then
            if here.date() in hours:
                hours[here.date()][here.hour] += count
        return web.json_response({"zone": time.strftime("%Z"), "days": [
            {"date": date.isoformat(), "hours": counted} for date, counted in hours.items()]})

    async def sound(self, request: web.Request) -> web.StreamResponse:
        """The sound of an event as WAV, where the owner keeps sounds."""
        event = request.match_info["id"]
        if self._sounds is None:
            return refused(404, "no sounds", "[journal] sound = true, if the sound of events is to be kept")
        path = sound_path(self._sounds, event)
        if not _ID.fullmatch(event) or not path.is_file():
            return refused(404, "no sound of this event", "one that api/events marks with sound")
        return web.FileResponse(path, headers={"Content-Type": "audio/wav", "Cache-Control": "no-store"})

    def _with_judgements(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The rows with `judged`: "right", "wrong", or None where nothing was said of the event as its own target."""
        said = self._judged.now()
        return [row | {"judged": said.get((row["id"], row["target"]))} for row in rows]

    async def _read(self, read: Callable[[], T]) -> T:
        async with self._one:
            try:
                return await asyncio.to_thread(read)
            except SinkError as error:
                told = f"found {error.thing}: {error.found}; wanted {error.wanted}"
                raise web.HTTPServiceUnavailable(text=told) from error


def asked_of(query: Mapping[str, str]) -> history.Asked:
    """Which events a query asks for. Raises HTTPBadRequest."""
    return history.Asked(query.get("target", "")[:200], _moment(query, "since"), _moment(query, "until"))


def csv_of(rows: list[dict[str, Any]]) -> str:
    """Rows as CSV. A text that a spreadsheet would take for a formula gets an apostrophe in front."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    for row in rows:
        writer.writerow([f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
                         for value in row.values()])
    return out.getvalue()


def _moment(query: Mapping[str, str], name: str) -> datetime | None:
    if not (text := query.get(name, "")):
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC)  # without an offset: by this machine's clock
    except (ValueError, OverflowError, OSError) as error:
        raise _bad(name, text, "a date and time such as 2026-11-29T18:00:00Z") from error


def _whole(query: Mapping[str, str], name: str, otherwise: int, low: int, high: int) -> int:
    text = query.get(name, "")
    if not text:
        return otherwise
    if not (text.isascii() and text.isdecimal()) or len(text) > 18 or not low <= int(text) <= high:
        raise _bad(name, text, f"a whole number from {low} to {high}")
    return int(text)


def _bad(name: str, text: str, wanted: str) -> web.HTTPBadRequest:
    return web.HTTPBadRequest(text=f"found {name} {text[:40]!a}; wanted {wanted}")
