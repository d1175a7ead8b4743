"""Recorded events: the lines that `edge-audio run` prints, read back as sounds that a board can hear again."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from edge.errors import SettingsError
from edge.stream import SAMPLE_RATE, Event, new_event_id
from edge.topics import SCHEMA, check_level

BUNDLED = Path(__file__).with_name("events.jsonl")
"""The bundled sounds as the starter hears them; deploy/fleet/record.sh writes it."""


@dataclass(frozen=True, slots=True)
class Sound:
    """One recorded event: what was told when it started and when it ended. Ids, dates and numbers are the recording's."""

    start: Event
    end: Event

    @property
    def seconds(self) -> float:
        """From start to end."""
        return self.end.duration_seconds or 0.0

    def again(self, unix_seconds: float, monotonic: float, *, synchronised: bool = True) -> Sound:
        """The same sound heard at another time, under a new id; its sequence numbers are the board's to give.

        unix_seconds, monotonic: that time, by UTC (known to be right or not) and by the monotonic clock.
        """
        id_, started = new_event_id(unix_seconds), datetime.fromtimestamp(unix_seconds, UTC)
        ended = started + timedelta(seconds=self.seconds)
        start, end = (replace(event, id=id_, started_at=started, heard_at=monotonic, clock_synchronised=synchronised)
                      for event in (self.start, self.end))
        return Sound(start, replace(end, ended_at=ended))


def load_recording(path: Path) -> tuple[Sound, ...]:
    """The whole sounds of a file of event lines, in the order of their starts.

    A sound whose start or end the file lacks (it was cut) is left out. Raises SettingsError naming file and line.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        found = (error.strerror or str(error)).lower() if isinstance(error, OSError) else "bytes that are not UTF-8"
        raise SettingsError(f"--events {path}", found=found, wanted="a file of event lines") from error
    sounds = tuple(_whole(_event(line, f"--events {path} line {number}")
                          for number, line in enumerate(lines, 1) if line.strip()))
    if not sounds:
        raise SettingsError(f"--events {path}", found="no whole event",
                            wanted="lines of `edge-audio run`, phase start and phase end")
    return sounds


def _whole(events: Iterable[Event]) -> Iterable[Sound]:
    starts: dict[str, Event] = {}
    ends: dict[str, Event] = {}
    for event in events:
        (starts if event.phase == "start" else ends).setdefault(event.id, event)
    return (Sound(start, ends[id_]) for id_, start in starts.items() if id_ in ends)


def _event(line: str, thing: str) -> Event:
    wanted = f"an event line of schema {SCHEMA}, as `edge-audio run` prints it"
    try:
        told = json.loads(line)
        if told["schema"] != SCHEMA or told["phase"] not in ("start", "end"):
            raise SettingsError(thing, found=f"schema {told['schema']!r}, phase {told['phase']!r}", wanted=wanted)
        seconds = 0.0 if told["duration_seconds"] is None else float(told["duration_seconds"])
        ended = told["phase"] == "end"
        started_at = datetime.fromisoformat(told["started_at"])
        return Event(
            id=str(told["id"]), sequence=0, phase=told["phase"],
            target=check_level(str(told["target"]), thing=f"{thing}, target"), label=str(told["label"]),
            probability=float(told["probability"]), score=float(told["score"]), start=0,
            end=round(seconds * SAMPLE_RATE) if ended else None, started_at=started_at,
            ended_at=started_at + timedelta(seconds=seconds) if ended else None,
            level_dbfs=float(told["level_dbfs"]))
    except SettingsError:
        raise
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        found = f"no {error}" if isinstance(error, KeyError) else "something else"
        raise SettingsError(thing, found=found, wanted=wanted) from error
