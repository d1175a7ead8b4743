"""The sound of events as WAV files, where the owner asked for them: bounded, and readable by the appliance's
user only."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from edge.backoff import Fault
from edge.errors import SinkError
from edge.state import private_folder
from edge.stream import SAMPLE_RATE, Event

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LOG = logging.getLogger(__name__)

FOLDER = "sounds"
"""In the state directory."""
MEGABYTE = 1_000_000
_UNFINISHED = "unfinished"
"""Name of the file that is being written. What a power cut leaves of it, the next sound overwrites."""

WAITING = 16
"""Sounds that may wait for a disk, 5 MB in all. Where there are more, the oldest are dropped and counted."""
BEFORE, AFTER, LONGEST = SAMPLE_RATE, SAMPLE_RATE // 2, 10 * SAMPLE_RATE
"""The sound of an event begins BEFORE samples before its start and ends AFTER samples after its end; of a
longer sound than LONGEST samples only the last part is kept."""

Cut: TypeAlias = "Callable[[int, int], NDArray[np.int16]]"
"""The sound from one position to another, as far as it is still known: int16 `(n,)` at 16 kHz."""


def sound_path(folder: Path, event: str) -> Path:
    """Where the sound of the event with this id lies, if it was kept."""
    return folder / f"{event}.wav"


class EventSounds:
    """Writes the sound of events into a folder. Belongs to one thread."""

    def __init__(self, folder: Path, *, megabytes: int) -> None:
        """megabytes: room for all files; where they need more, the oldest are removed."""
        self._folder, self._room = folder, megabytes * MEGABYTE

    def write(self, event: str, samples: NDArray[np.int16]) -> None:
        """Keep the sound of one event, int16 `(n,)` at 16 kHz, and make room. Raises SinkError where the disk fails."""
        import wave  # few owners keep sound

        try:
            private_folder(self._folder)
            path = sound_path(self._folder, event)
            part = self._folder / _UNFINISHED
            try:
                handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                with os.fdopen(handle, "wb") as file, wave.open(file, "wb") as sound:
                    sound.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
                    sound.writeframes(samples.astype("<i2").tobytes())
                part.replace(path)
            finally:
                part.unlink(missing_ok=True)
            self._make_room(path)
        except OSError as error:
            raise SinkError(str(self._folder), found=error.strerror or str(error),
                            wanted="a folder for the sound of events that can be written") from error

    def _make_room(self, newest: Path) -> None:
        """Remove the oldest files until the rest fit. Ids begin with their time, so names sort by age;
        `newest` stays even where a clock that was set back makes it look old."""
        with contextlib.suppress(FileNotFoundError):  # the owner may remove a file meanwhile
            held = {path: path.stat().st_size for path in sorted(self._folder.glob("*.wav"))}
            total = sum(held.values())
            del held[newest]
            for path, size in held.items():
                if total <= self._room:
                    break
                path.unlink(missing_ok=True)
                total -= size


class SoundKeeper:
    """Takes the sound of events in the listener's thread, writes it in the journal's."""

    def __init__(self, folder: Path, cut: Cut, *, megabytes: int) -> None:
        """cut: gives the sound; megabytes: room for all files."""
        self.folder, self._cut = folder, cut
        self._sounds = EventSounds(folder, megabytes=megabytes)
        self._waiting: deque[tuple[str, NDArray[np.int16]]] = deque()
        self._lock = threading.Lock()
        self._fault = Fault(LOG, "journal", "hearing goes on")
        self._lost = 0

    @property
    def state(self) -> str:
        """For health: whether sound is kept, and how many sounds were not."""
        kept = "keeps no sound now" if self.fault else "keeps the sound of events"
        return kept + (f", {self._lost} not kept" if self._lost else "")

    @property
    def fault(self) -> str:
        """For health: why sounds cannot be written; empty where they can."""
        return self._fault.text

    def event(self, event: Event) -> None:
        """Take the sound of an event that has ended. One whose sound is no longer remembered is counted as
        lost."""
        if event.end is None:
            return
        sound = self._cut(max(event.start - BEFORE, event.end + AFTER - LONGEST), event.end + AFTER)
        with self._lock:
            if len(sound):
                self._waiting.append((event.id, sound))
            self._lost += 0 if len(sound) else 1
            if len(self._waiting) > WAITING:
                self._waiting.popleft()
                self._lost += 1

    def write(self) -> None:
        """Write the sounds that wait. One that cannot be written is counted and dropped, for sound takes much
        memory."""
        with self._lock:
            sounds = list(self._waiting)
            self._waiting.clear()
        for event, sound in sounds:
            try:
                self._sounds.write(event, sound)
            except SinkError as error:
                self._fault.found(str(error))
                with self._lock:
                    self._lost += 1
                continue
            self._fault.over("the sound of events is kept again")
