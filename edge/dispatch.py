"""The way out of the listener: detections are dated, numbered, and handed to every sink; so is health."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from edge.decision.detection import Detection
from edge.seams import Sink
from edge.stats import Stats
from edge.stream import SAMPLE_RATE, Event, Level, StreamClock, new_event_id


@dataclass(frozen=True, slots=True)
class _Start:
    """What an event keeps from its start; see Event."""

    id: str
    started_at: datetime
    heard_at: float
    clock_synchronised: bool
    level_dbfs: float


class Dispatcher:
    """Turns detections into events and gives them to the sinks; one id for a sound, one sequence number for a message."""

    def __init__(self, clock: StreamClock, stats: Stats, *, health_seconds: float = 60.0,
                 about: Callable[[], Mapping[str, object]] = dict, number: Callable[[], int] | None = None,
                 synchronised: Callable[[], bool] = lambda: True) -> None:
        """about: what health says beside the counters (model, source state, ...), asked anew every time. number: gives
        sequence numbers; None counts from 1. synchronised: whether UTC can be trusted now.
        """
        self.sinks: Sequence[Sink] = ()
        self._clock = clock
        self._stats = stats
        self._health_seconds = health_seconds
        self._about = about
        self._started = clock.now()
        self._next_health = self._started
        self._number = number or itertools.count(1).__next__
        self._synchronised = synchronised
        self.level_samples = 3 * SAMPLE_RATE
        """How long levels are remembered; an event's start lies up to a patch and a minimum duration behind."""
        self._running: dict[str, _Start] = {}
        self._levels: deque[tuple[int, Level]] = deque()

    def level(self, position: int, level: Level) -> None:
        """Remember how loud the block that ends at `position` (16 kHz) was."""
        self._levels.append((position, level))
        while self._levels[0][0] < position - self.level_samples:
            self._levels.popleft()

    def forget_levels(self) -> None:
        """Nothing is heard: health has no level to tell."""
        self._levels.clear()

    def send(self, detection: Detection) -> Event:
        """Make the event and hand it to every sink; sinks return at once."""
        if detection.phase == "start":
            started_at = self._clock.utc(detection.start)
            self._running[detection.target] = _Start(
                new_event_id(started_at.timestamp()), started_at, self._clock.monotonic(detection.start),
                self._synchronised(), self._loudest_since(detection.start))
            self._stats.events += 1
        # The end keeps the start's date and counts on from it: a wall clock that is set in between must not tear them.
        started = self._running[detection.target]
        ended_at = None
        if detection.end is not None:
            ended_at = started.started_at + timedelta(seconds=(detection.end - detection.start) / SAMPLE_RATE)
        event = Event(
            id=started.id, sequence=self._number(), phase=detection.phase, target=detection.target,
            label=detection.label, probability=detection.probability, score=detection.score, start=detection.start,
            end=detection.end, started_at=started.started_at, ended_at=ended_at, level_dbfs=started.level_dbfs,
            heard_at=started.heard_at, clock_synchronised=started.clock_synchronised, peak=detection.peak,
            beside=detection.beside)
        for sink in self.sinks:
            sink.event(event)
        return event

    def health(self, *, now: bool = False) -> None:
        """Hand health to every sink when it is due, or at once."""
        time = self._clock.now()
        if not now and time < self._next_health:
            return
        self._next_health = time + self._health_seconds
        level = self._levels[-1][1] if self._levels else None
        health: dict[str, object] = {
            "schema": 1, "uptime_seconds": round(time - self._started, 1),
            "level_dbfs": None if level is None else round(level.rms_dbfs, 1),
            "peak_dbfs": None if level is None else round(level.peak_dbfs, 1),
            **self._about(), **self._stats.snapshot()}
        for sink in self.sinks:
            sink.health(health)

    def _loudest_since(self, start: int) -> float:
        """RMS in dBFS of the loudest block that ends after `start`; of the newest one if all are older."""
        since = [level.rms_dbfs for position, level in self._levels if position > start]
        if not since and self._levels:
            since = [self._levels[-1][1].rms_dbfs]
        return max(since, default=-120.0)
