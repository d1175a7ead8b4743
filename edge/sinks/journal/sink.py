"""Events into the journal and its outbox, by a thread of its own behind a bounded queue: nobody waits for the disk.

An event is *made* when it is committed; only then is it offered to whoever talks to the broker. While the disk fails events
are offered from memory, which health says: a disk that is full delays nothing and loses nothing that memory can hold.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path

from edge.settings import JournalSettings
from edge.sinks.journal.entries import Entry, Pack, entry_of
from edge.sinks.journal.event_sounds import SoundKeeper
from edge.sinks.journal.numbering import Numbering
from edge.sinks.journal.writer import JournalWriter
from edge.sinks.messages import Message, message_of
from edge.sinks.outbox import Outbox
from edge.stats import Stats
from edge.stream import Event

LOG = logging.getLogger(__name__)

WAITING = 1_000
"""Events that may wait for a disk; the oldest go first, and are counted."""
GATHER_SECONDS, PAUSE_SECONDS = 0.01, 0.2
"""How long events are gathered into one write, and the least time between two: a card wears with the number of writes."""
ACKNOWLEDGED_SECONDS = 10.0
"""How long what the broker has taken may stay in the file, unless another event is written before."""
STOP_SECONDS = 3.0


class JournalSink:
    """Writes the journal. A file that is none is set aside; one that cannot be written is tried again: both are said."""

    name = "journal"

    def __init__(self, settings: JournalSettings, path: Path, *, pack: Pack | None, labels: tuple[str, ...],
                 backbone: str, numbering: Numbering, stats: Stats, outbox: Outbox | None = None, device: str = "",
                 boot: str = "", sounds: SoundKeeper | None = None) -> None:
        """pack: None for a model without embeddings. labels: of the logits; backbone: sha256 of what makes embeddings.

        outbox: gets what is made for the broker, under the name `device`; boot: which boot's monotonic clock events have.
        sounds: keeps the sound of events; None: nobody does.
        """
        self._pack, self._labels, self._backbone = pack, labels, backbone
        self._device, self._boot, self._stats = device, boot, stats
        self._outbox = outbox
        self._writer = JournalWriter(path, events=settings.events, outbox=outbox, numbering=numbering)
        self._most = settings.events
        self._waiting: deque[tuple[Event, tuple[str, ...]]] = deque()
        self._entries: list[Entry] = []
        self._sounds = sounds
        self._wake = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._acknowledged_at: float | None = None
        self._lost = 0

    @property
    def state(self) -> str:
        """"ok", or what is wrong, for health."""
        lost = f"; {self._lost} events not kept" if self._lost else ""
        sounds = f"; {self._sounds.state}" if self._sounds is not None else ""
        return f"{self._writer.fault or 'ok'}{lost}{sounds}"

    def start(self) -> None:
        """Take up what the last process left, and begin to write; a disk that fails is no reason not to hear."""
        if self._sounds is not None:
            LOG.warning("the sound of events is kept in %s ([journal] sound)", self._sounds.folder)
        self._writer.open()
        if self._outbox is not None:
            self._outbox.on_gone = self._on_gone
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def event(self, event: Event) -> None:
        """Take it; the disk comes later."""
        if self._sounds is not None:
            self._sounds.event(event)
        with self._wake:
            self._waiting.append((event, self._labels))
            if self._outbox is not None:
                self._outbox.expect(event.sequence)
            if len(self._waiting) > WAITING:
                self._drop(self._waiting.popleft()[0])
            self._wake.notify()

    def relabel(self, labels: tuple[str, ...]) -> None:
        """The logits of the events to come are of these labels; in the thread that gives the events."""
        self._labels = labels

    def health(self, health: Mapping[str, object]) -> None:
        """The journal keeps no health."""

    def stop(self) -> None:
        """Write what waits and close. Safe twice, bounded in time."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        thread, self._thread = self._thread, None
        if thread is None:
            return
        thread.join(STOP_SECONDS)
        if thread.is_alive():
            LOG.error("journal: the disk has not answered for %g s; the newest events may be missing", STOP_SECONDS)
        if self._outbox is None:
            return
        unsaved = self._outbox.unsaved
        if len(self._outbox) > unsaved:
            LOG.warning("journal: %d messages that the broker has not taken wait for the next start",
                        len(self._outbox) - unsaved)
        if unsaved:
            LOG.error("journal: %d messages that neither the disk nor the broker took are lost", unsaved)

    def _on_gone(self) -> None:
        with self._wake:
            if self._acknowledged_at is None:
                self._acknowledged_at = time.monotonic()
                self._wake.notify()

    def _drop(self, event: Event) -> None:
        self._lost += 1
        if self._outbox is not None:
            self._stats.dropped_events += 1
            self._outbox.drop(event.sequence, event.sequence)

    def _run(self) -> None:
        try:
            while self._step():
                pass
        finally:
            self._writer.close()

    def _step(self) -> bool:
        """Wait for something to write, gather for a moment, write it; False once all is written and it is time to stop."""
        with self._wake:
            while not self._waiting and not self._stopping and (due := self._due()) != 0.0:
                self._wake.wait(due)
            self._wake.wait_for(lambda: self._stopping, GATHER_SECONDS)
            events = list(self._waiting)
            self._waiting.clear()
            self._acknowledged_at = None
            stopping = self._stopping
        if self._most:
            self._entries += [entry_of(event, pack=self._pack, labels=labels, backbone=self._backbone)
                              for event, labels in events]
        messages: list[Message] = []
        if self._outbox is not None:
            messages = [message_of(event, device=self._device, boot=self._boot) for event, _ in events]
        done = self._writer.write(self._entries, messages, at_once=stopping)
        if self._outbox is not None and messages:
            self._outbox.offer(messages, saved=done)
        if done:
            self._entries = []
        elif len(self._entries) > WAITING or stopping:
            kept = 0 if stopping else WAITING
            self._lost += len(self._entries) - kept
            self._entries = self._entries[len(self._entries) - kept:]
        if self._sounds is not None:
            self._sounds.write()  # after what is told: sound is large
        with self._wake:
            self._wake.wait_for(lambda: self._stopping, PAUSE_SECONDS)
        return not stopping

    def _due(self) -> float | None:
        """Seconds until something is to be written though no event came; None: nothing is."""
        unsaved = self._outbox.unsaved if self._outbox is not None else 0
        if self._writer.fault and (self._entries or unsaved):
            return self._writer.retry_seconds
        if self._acknowledged_at is None:
            return None
        return max(self._acknowledged_at + ACKNOWLEDGED_SECONDS - time.monotonic(), 0.0)
