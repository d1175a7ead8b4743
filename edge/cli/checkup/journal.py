"""The journal as `edge-audio check` looks at it: can it be written, is there room, what waits in it for the broker."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from edge.cli.checkup.finding import Finding
from edge.errors import SinkError
from edge.settings import Settings
from edge.sinks.journal.event_sounds import FOLDER, MEGABYTE
from edge.sinks.journal.file import journal_path
from edge.sinks.journal.messages import count_waiting

EVENT_BYTES = 4_500
"""What an event of the largest model takes."""


def check_journal(settings: Settings, state_dir: Path) -> Iterator[Finding]:
    """Findings; nothing is written."""
    journal, sends = settings.journal, bool(settings.mqtt.host)
    if not journal.events and not sends:
        yield Finding("journal", True, "none in the settings: no feedback")
        return
    path = journal_path(journal, state_dir)
    nearest = next(folder for folder in path.absolute().parents if folder.exists())
    if not nearest.is_dir() or not os.access(path if path.exists() else nearest, os.W_OK):
        yield Finding("journal", False, f"{path} cannot be written: events wait in memory, a restart loses them",
                      "[journal] directory or --state-dir: a folder that can be written")
        return
    wanted = journal.events * EVENT_BYTES + (2 * settings.mqtt.queue_bytes if sends else 0)
    held = path.stat().st_size if path.exists() else 0
    room = os.statvfs(nearest)
    free = room.f_bavail * room.f_frsize
    if free + held < wanted:
        yield Finding("journal", False, f"{path} may grow to {wanted / MEGABYTE:.0f} MB, {free / MEGABYTE:.0f} MB are free",
                      "make room, or lower [journal] events and [mqtt] queue_megabytes")
    else:
        yield Finding("journal", True, f"{path}, {free / MEGABYTE:.0f} MB free" + _waiting(path, sends))
    if journal.sound:
        yield Finding("journal", True, f"keeps the sound of events in {state_dir / FOLDER}, at most "
                      f"{journal.sound_megabytes} MB")


def _waiting(path: Path, sends: bool) -> str:
    try:
        waiting = count_waiting(path)
    except SinkError as error:
        return f"; {error.found}: it will be set aside"
    if not waiting:
        return ""
    return f"; {waiting} messages wait for " + ("the broker" if sends else "a broker, which the settings do not name")
