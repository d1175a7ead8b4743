"""Events into the journal, by a thread of its own behind a bounded queue: the listener never waits for the disk."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.errors import SinkError
from edge.journal import Entry, Journal, entry_of
from edge.settings import JournalSettings, TargetSettings
from edge.sinks.event_sounds import FOLDER, EventSounds
from edge.stream import SAMPLE_RATE, Event

LOG = logging.getLogger(__name__)

WAITING = 1_000
"""Events that may wait for a disk; the oldest go first, and are counted."""
GATHER_SECONDS = 1.0
"""How long events are gathered into one write: a card wears with the number of writes, not with their length."""
RETRY_SECONDS = 30.0
STOP_SECONDS = 3.0
SOUNDS_WAITING = 16
"""Sounds that may wait for a disk, 5 MB; the oldest go first, and are counted."""
BEFORE, AFTER, LONGEST = SAMPLE_RATE, SAMPLE_RATE // 2, 10 * SAMPLE_RATE
"""What is kept of an event's sound, in samples: from before its start to after its end, of a long one the last of it."""
SOUND_SECONDS, LATEST_SECONDS = 12.0, 600.0
"""How much of the newest sound the sink must be able to `cut` where ends are told at once; and at most beside (19 MB)."""

Pack = Callable[[NDArray[np.float32]], NDArray[np.int8]]
"""An embedding float32 `(E,)` to the int8 cells that the backbone gave."""


Cut = Callable[[int, int], NDArray[np.int16]]
"""The sound from one position to another, as far as it is still known: int16 `(n,)` at 16 kHz."""


def sound_seconds(targets: Sequence[TargetSettings]) -> float:
    """How much of the newest sound to remember for the events of these targets: an end is told once a pause has been long
    enough, and a pattern may hold events back."""
    late = max((target.release_seconds for target in targets), default=0.0)
    held = max((target.count * target.maximum_gap_seconds + target.quiet_after_seconds
                for target in targets if target.pattern_of), default=0.0)
    return SOUND_SECONDS + min(late + held, LATEST_SECONDS)


class JournalSink:
    """Writes the journal. A file that is none is set aside; one that cannot be written is tried again: both are said."""

    name = "journal"

    def __init__(self, settings: JournalSettings, path: Path, *, pack: Pack | None, labels: tuple[str, ...],
                 backbone: str, cut: Cut | None = None) -> None:
        """pack: None for a model without embeddings. labels: of the logits; backbone: sha256 of what makes embeddings.

        cut: gives the sound of events to be kept; None keeps none.
        """
        self._most, self._path, self._pack = settings.events, path, pack
        self._labels, self._backbone = labels, backbone
        self._waiting: list[Entry] = []
        self._cut, self._sounds_waiting = cut, deque[tuple[str, NDArray[np.int16]]]()
        self._sounds = EventSounds(path.parent / FOLDER, megabytes=settings.sound_megabytes)
        self._sound_fault, self._sounds_dropped = "", 0
        self._wake = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._journal: Journal | None = None
        self._fault, self._dropped = "", 0

    @property
    def state(self) -> str:
        """"ok", or what is wrong, for health."""
        lost = f"; {self._dropped} events not kept" if self._dropped else ""
        if self._cut is not None:
            lost += f"; {self._sound_fault or 'keeps the sound of events'}"
            lost += f", {self._sounds_dropped} not kept" if self._sounds_dropped else ""
        return f"{self._fault or 'ok'}{lost}"

    def start(self) -> None:
        """Begin to write; a disk that fails is no reason not to hear."""
        if self._cut is not None:
            LOG.warning("the sound of events is kept in %s ([journal] sound)", self._path.parent / FOLDER)
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def event(self, event: Event) -> None:
        """Take it; the disk comes later."""
        cells = None
        if self._pack is not None and event.peak is not None and event.peak.embedding is not None:
            cells = self._pack(event.peak.embedding)
        entry = entry_of(event, cells=cells, labels=self._labels, backbone=self._backbone)
        sound = None
        if self._cut is not None and event.end is not None:
            sound = self._cut(max(event.start - BEFORE, event.end + AFTER - LONGEST), event.end + AFTER)
        with self._wake:
            self._waiting.append(entry)
            if sound is not None:
                self._sounds_waiting.append((event.id, sound))
                if len(self._sounds_waiting) > SOUNDS_WAITING:
                    self._sounds_waiting.popleft()
                    self._sounds_dropped += 1
            if len(self._waiting) > WAITING:
                self._dropped += len(self._waiting) - WAITING
                del self._waiting[: len(self._waiting) - WAITING]
            self._wake.notify()

    def health(self, health: Mapping[str, object]) -> None:
        """The journal keeps no health."""

    def stop(self) -> None:
        """Write what waits and close. Safe twice, bounded in time."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(STOP_SECONDS)
            if thread.is_alive():
                LOG.error("journal: the disk has not answered for %g s; the newest events may be missing", STOP_SECONDS)

    def _run(self) -> None:
        try:
            while self._step():
                pass
        finally:
            if self._journal is not None:
                self._journal.close()

    def _step(self) -> bool:
        """Wait for events, gather for a moment, write them; False once all is written and it is time to stop."""
        with self._wake:
            self._wake.wait_for(lambda: self._waiting or self._stopping)
            self._wake.wait_for(lambda: self._stopping, GATHER_SECONDS)
            entries, self._waiting = self._waiting, []
            sounds = list(self._sounds_waiting)
            self._sounds_waiting.clear()
            stopping = self._stopping
        for event, sound in sounds:
            self._keep_sound(event, sound)
        if entries and not self._write(entries):
            with self._wake:  # what cannot be written now waits, in front of what came meanwhile
                self._waiting = [*entries, *self._waiting][-WAITING:]
                self._wake.wait_for(lambda: self._stopping, RETRY_SECONDS)
                if self._stopping:
                    self._dropped += len(self._waiting)
                    return False
        return not stopping

    def _keep_sound(self, event: str, sound: NDArray[np.int16]) -> None:
        """Write it; what cannot be written is counted and gone, for sound is large. So is what was forgotten before the end
        was told."""
        if not len(sound):
            with self._wake:  # the listener counts, too
                self._sounds_dropped += 1
            return
        try:
            self._sounds.write(event, sound)
        except SinkError as error:
            if str(error) != self._sound_fault:
                LOG.error("journal: %s; hearing goes on", error)
            self._sound_fault = str(error)
            with self._wake:
                self._sounds_dropped += 1
            return
        if self._sound_fault:
            LOG.warning("journal: the sound of events is kept again")
        self._sound_fault = ""

    def _write(self, entries: list[Entry]) -> bool:
        try:
            if self._journal is None:
                self._journal = self._open()
            self._journal.write(entries)
        except SinkError as error:
            if str(error) != self._fault:
                LOG.error("journal: %s; hearing goes on, events wait", error)
            self._fault = str(error)
            if self._journal is not None:
                self._journal.close()
                self._journal = None
            return False
        if self._fault:
            LOG.warning("journal: %s is written again", self._path)
        self._fault = ""
        return True

    def _open(self) -> Journal:
        try:
            return Journal(self._path, events=self._most)
        except SinkError as error:
            if "not a database" not in error.found and "malformed" not in error.found and "version" not in error.found:
                raise
            aside = self._path.with_name(f"{self._path.name}.aside-{int(time.time())}")
            try:
                for ending in ("", "-wal", "-shm"):
                    part = self._path.with_name(self._path.name + ending)
                    if part.exists():
                        part.rename(aside.with_name(aside.name + ending))
            except OSError as failed:
                raise SinkError(str(self._path), found=failed.strerror or str(failed),
                                wanted="a journal that can be set aside") from failed
            LOG.error("journal: %s; set aside as %s, a new one is begun", error, aside.name)
            return Journal(self._path, events=self._most)
