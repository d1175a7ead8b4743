"""The way out of the listener: detections are dated, numbered, and handed to every sink; so is health."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from edge.decision.detection import Detection
from edge.stats import Stats
from edge.stream import SAMPLE_RATE, Event, Level, StreamClock, new_event_id

if TYPE_CHECKING:
    from edge.listener import Sink


class Dispatcher:
    """Turns detections into events and gives them to the sinks; one id for a sound, one sequence number for a message."""

    def __init__(self, clock: StreamClock, stats: Stats, *, monotonic: Callable[[], float],
                 health_seconds: float = 60.0, about: Callable[[], Mapping[str, object]] = dict,
                 level_samples: int = 3 * SAMPLE_RATE) -> None:
        """about: what health says beside the counters (model, source state, ...), asked anew every time.

        level_samples: how long levels are remembered; an event's start lies up to a patch and a minimum duration behind.
        """
        self.sinks: Sequence[Sink] = ()
        self._clock = clock
        self._stats = stats
        self._health_seconds = health_seconds
        self._monotonic = monotonic
        self._about = about
        self._started = monotonic()
        self._next_health = self._started
        self._sequence = 0
        self._level_samples = level_samples
        self._running: dict[str, tuple[str, datetime, float]] = {}
        self._levels: deque[tuple[int, Level]] = deque()

    def level(self, position: int, level: Level) -> None:
        """Remember how loud the block that ends at `position` (16 kHz) was."""
        self._levels.append((position, level))
        while self._levels[0][0] < position - self._level_samples:
            self._levels.popleft()

    def send(self, detection: Detection) -> Event:
        """Make the event and hand it to every sink; sinks return at once."""
        if detection.phase == "start":
            started = self._clock.utc(detection.start)
            self._running[detection.target] = (new_event_id(started.timestamp()), started,
                                               self._loudest_since(detection.start))
            self._stats.events += 1
        # The end keeps the start's date and counts on from it: a wall clock that is set in between must not tear them.
        id_, started, level_dbfs = self._running[detection.target]
        ended = None
        if detection.end is not None:
            ended = started + timedelta(seconds=(detection.end - detection.start) / SAMPLE_RATE)
        self._sequence += 1
        event = Event(
            id=id_, sequence=self._sequence, phase=detection.phase, target=detection.target,
            label=detection.label, probability=detection.probability, score=detection.score, start=detection.start,
            end=detection.end, started_at=started, ended_at=ended, level_dbfs=level_dbfs, peak=detection.peak,
            beside=detection.beside)
        for sink in self.sinks:
            sink.event(event)
        return event

    def health(self, *, now: bool = False) -> None:
        """Hand health to every sink when it is due, or at once."""
        time = self._monotonic()
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
