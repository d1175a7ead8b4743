"""Events into the journal and its outbox, by a thread of its own behind a bounded queue: nobody waits for the
disk.

An event is offered to whoever talks to the broker once it is committed. While the disk fails, events are
offered from memory, and health says so. A full disk delays no event, and loses none that memory can hold.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from pathlib import Path

from edge.settings import JournalSettings
from edge.sinks.journal.entries import Entry, Looks, Pack, entry_of
from edge.sinks.journal.event_sounds import SoundKeeper
from edge.sinks.journal.numbering import Numbering
from edge.sinks.journal.writer import JournalWriter
from edge.sinks.messages import Message, message_of
from edge.sinks.outbox import Outbox
from edge.sinks.worker import Worker
from edge.stats import Stats
from edge.stream import Event

LOG = logging.getLogger(__name__)

WAITING = 1_000
"""Events that may wait for a disk. Where there are more, the oldest are dropped and counted."""
GATHER_SECONDS, PAUSE_SECONDS = 0.01, 0.2
"""How long events are gathered into one write where more than one waits, and the mean time between writes at least: a card
wears with their number. After a rest two writes may follow at once, so that no event waits behind another's end."""
ACKNOWLEDGED_SECONDS = 10.0
"""How long messages that the broker has acknowledged may stay in the file, if no event is written before."""
STOP_SECONDS = 3.0


class JournalSink:
    """Writes the journal. A file that is no journal is set aside. A file that cannot be written is tried
    again. The log is told of both."""

    name = "journal"
    waiting_messages = 0

    def __init__(self, settings: JournalSettings, path: Path, *, pack: Pack | None, labels: tuple[str, ...],
                 backbone: str, numbering: Numbering, stats: Stats, outbox: Outbox | None = None, device: str = "",
                 boot: str = "", sounds: SoundKeeper | None = None, looks: Looks | None = None) -> None:
        """pack: None for a model without embeddings. labels: of the logits; backbone: sha256 of the backbone,
        "" for a model without. looks: the same of the look network.

        outbox: gets the messages for the broker, None where there is none; device: the name that messages
        carry; boot: the boot whose monotonic clock dates the events. sounds: keeps the sound of events; None:
        no sound is kept.
        """
        self._pack, self._labels, self._backbone = pack, labels, backbone
        self._looks = looks
        self._device, self._boot = device, boot
        self._most, self._sounds = settings.events, sounds
        self._stats, self._outbox = stats, outbox
        self._writer = JournalWriter(path, events=settings.events, outbox=outbox, numbering=numbering)
        self._worker: Worker[tuple[Event, tuple[str, ...]]] = Worker(
            self.name, self._step, most=WAITING, gather_seconds=GATHER_SECONDS, due=self._due,
            open=self._writer.open, close=self._writer.close)
        self._entries: list[Entry] = []
        self._newest = 0
        self._acknowledged_at: float | None = None
        self._paid_until = 0.0
        """Monotonic seconds up to which pauses are owed for the writes so far."""
        self._lost = 0

    @property
    def state(self) -> str:
        """For health: what is wrong, or "ok"; then what was lost, and whether sound is kept."""
        sounds = self._sounds
        wrong = self._writer.fault or (sounds.fault if sounds is not None else "")
        lost = f"{self._lost} events not kept" if self._lost else ""
        return "; ".join(each for each in (wrong or "ok", lost, sounds.state if sounds is not None else "") if each)

    def start(self) -> None:
        """Take up what the last process left, and begin to write. A disk that fails is no error: hearing goes
        on.

        Raises SinkError where the last run's write has not come back from the disk.
        """
        if self._sounds is not None:
            LOG.warning("the sound of events is kept in %s ([journal] sound)", self._sounds.folder)
        if self._outbox is not None:
            self._outbox.on_gone = self._on_gone
        self._worker.start()

    def event(self, event: Event) -> None:
        """Queue the event for the disk; returns at once."""
        if self._sounds is not None:
            self._sounds.event(event)
        if self._outbox is not None:
            self._outbox.expect(event.sequence)
        if self._newest and event.sequence > self._newest + 1:  # they came while this sink was down
            self._drop(self._newest + 1, event.sequence - 1)
        self._newest = event.sequence
        if (dropped := self._worker.put((event, self._labels))) is not None:
            self._drop(dropped[0].sequence, dropped[0].sequence)

    def relabel(self, labels: tuple[str, ...]) -> None:
        """Take over other labels for the logits of the events to come; in the listener's thread."""
        self._labels = labels

    def health(self, health: Mapping[str, object]) -> None:
        """The journal keeps no health."""

    def stop(self) -> None:
        """Write what waits and close. Safe twice, bounded in time."""
        running = self._worker.running
        if not self._worker.stop(STOP_SECONDS):
            LOG.error("journal: the disk has not answered for %g s; the newest events may be missing", STOP_SECONDS)
        if self._outbox is None or not running:
            return
        unsaved = self._outbox.unsaved
        if len(self._outbox) > unsaved:
            LOG.warning("journal: %d messages that the broker has not taken wait for the next start",
                        len(self._outbox) - unsaved)
        if unsaved:
            LOG.error("journal: %d messages that neither the disk nor the broker took are lost", unsaved)

    def _on_gone(self) -> None:
        if self._acknowledged_at is None:
            self._acknowledged_at = time.monotonic()
            self._worker.wake()

    def _drop(self, first: int, last: int) -> None:
        """Events of these sequence numbers, ends included, are not kept; the broker is told so."""
        self._lost += last - first + 1
        if self._outbox is not None:
            self._stats.dropped_events += last - first + 1
            self._outbox.drop(first, last)

    def _step(self, taken: list[tuple[Event, tuple[str, ...]]]) -> None:
        """Write what came, and what the broker has acknowledged; offer what is written."""
        stopping = self._worker.stopping
        self._acknowledged_at = None
        if self._most:
            self._entries += [entry_of(event, pack=self._pack, labels=labels, backbone=self._backbone, looks=self._looks)
                              for event, labels in taken]
        messages: list[Message] = []
        if self._outbox is not None:
            messages = [message_of(event, device=self._device, boot=self._boot) for event, _ in taken]
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
            self._sounds.write()  # after the messages were offered, for writing sound takes longest
        now = time.monotonic()
        self._paid_until = max(self._paid_until, now) + PAUSE_SECONDS
        self._worker.pause(self._paid_until - now - PAUSE_SECONDS)

    def _due(self) -> float | None:
        """Seconds until something must be written even if no event comes; None where nothing must."""
        unsaved = self._outbox.unsaved if self._outbox is not None else 0
        if self._writer.fault and (self._entries or unsaved):
            return self._writer.retry_seconds
        if self._acknowledged_at is None:
            return None
        return max(self._acknowledged_at + ACKNOWLEDGED_SECONDS - time.monotonic(), 0.0)
