"""The way out of the listener: detections are dated, numbered, and handed to sinks, each behind a guard."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from edge.backoff import Backoff, Fault
from edge.clock import StreamClock
from edge.decision.detection import Detection
from edge.seams import Sink
from edge.stats import Stats
from edge.stream import SAMPLE_RATE, SILENCE_DBFS, Event, Level, new_event_id

log = logging.getLogger("edge")

LONGEST_SECONDS = 60.0
"""The longest pause before a sink that failed is started again."""

TROUBLE_SECONDS = 1.0
"""A trouble that comes and goes is told no more often."""

STOP_SECONDS = 5.0
"""How long `stop` waits for a sink that is just being started again; no sink takes longer to stop."""


class Guard:
    """Keeps one sink's failure from the others. A sink that raises is stopped, and started again after a
    pause, in a thread of the guard's.

    Meanwhile `state` says what was raised, and the log has said so once. The events that come are counted,
    not kept.
    """

    def __init__(self, sink: Sink) -> None:
        """sink: not started yet; started, used and stopped through this guard only."""
        self.name = sink.name
        self._sink = sink
        self._fault = Fault(log, f"sink {sink.name}", "the others go on, and it is started again after a pause")
        self._failed_in = ""
        self._down = False
        self._missed = 0
        self._backoff = Backoff(LONGEST_SECONDS)
        self._started_at = time.monotonic()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._mending: threading.Thread | None = None

    @property
    def state(self) -> str:
        """The sink's own, or how it failed, for health."""
        if not self._down:
            try:
                return self._sink.state
            except Exception as error:
                self.failed(error, "health")
        return f"{self._fault.text}; {self._missed} events missed"

    @property
    def waiting_messages(self) -> int:
        """The sink's own; 0 while it is stopped."""
        return 0 if self._down else self._sink.waiting_messages

    def start(self) -> None:
        """Start the sink. What the sink raises now ends the appliance's start: nothing is tried again."""
        self._started_at = time.monotonic()
        self._sink.start()

    def event(self, event: Event) -> None:
        """Hand the event to the sink."""
        if not self._hand("event", lambda: self._sink.event(event)):
            self._missed += 1

    def health(self, health: Mapping[str, object]) -> None:
        """Hand health to the sink."""
        self._hand("health", lambda: self._sink.health(health))

    def _hand(self, what: str, action: Callable[[], None]) -> bool:
        if self._down:
            return False
        try:
            action()
        except Exception as error:
            self.failed(error, what)
            return False
        if self._failed_in == what:  # not before: a sink that fails every time is said once
            self._works_again()
        return True

    def failed(self, error: BaseException, what: str = "") -> None:
        """Stop the sink, which has raised `error`, and start it again after a pause. From any thread.

        what: the method that raised; "" where a thread of the sink's own ended.
        """
        with self._lock:
            if self._down or self._stopping.is_set():
                return
            self._down, self._failed_in = True, what
            self._fault.found(_words(error), error)
            self._mending = threading.Thread(target=self._mend, name=f"mending {self.name}", daemon=True)
            self._mending.start()

    def stop(self) -> None:
        """Stop the sink; what it raises is logged. Bounded in time as the sink is. Safe twice."""
        with self._lock:
            self._stopping.set()
        if self._mending is not None:
            self._mending.join(STOP_SECONDS)
        self._stop()

    def _mend(self) -> None:
        while True:
            self._stop()  # pins safe, files closed, before anything else
            if self._stopping.wait(self._backoff.pause_seconds(time.monotonic() - self._started_at)):
                return
            self._started_at = time.monotonic()
            try:
                self._sink.start()
            except Exception as error:
                self._fault.found(_words(error), error)
                continue
            self._down = False
            if not self._failed_in:
                self._works_again()
            return

    def _works_again(self) -> None:
        self._fault.over(f"works again; {self._missed} events were missed")
        self._failed_in, self._missed = "", 0

    def _stop(self) -> None:
        try:
            self._sink.stop()
        except Exception as error:  # the sinks behind it must be stopped too
            log.error("sink %s cannot be stopped: %s", self.name, _words(error), exc_info=error)


def _words(error: BaseException) -> str:
    return f"failed: {type(error).__name__}: {error}"


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
                 synchronised: Callable[[], bool] = lambda: True, trouble: Callable[[], str] = str) -> None:
        """about: what health says beside the counters (model, source state, ...), asked anew every time. number: gives
        sequence numbers; None counts from 1. synchronised: whether UTC can be trusted now. trouble: what ails the hearing,
        in a word; health is due at once when that changes.
        """
        self.sinks: Sequence[Sink] = ()
        self._clock = clock
        self._stats = stats
        self._health_seconds = health_seconds
        self._about = about
        self._started = clock.now()
        self._told_at, self._next_health = float("-inf"), self._started
        self._trouble, self._told_trouble = trouble, ""
        self._number = number or itertools.count(1).__next__
        self._synchronised = synchronised
        self.level_samples = 3 * SAMPLE_RATE
        """How long levels are remembered; an event's start lies up to a patch and a minimum duration behind."""
        self._running: dict[str, _Start] = {}
        self._levels: deque[tuple[int, Level]] = deque()

    @property
    def clock(self) -> StreamClock:
        """What dates positions."""
        return self._clock

    def level(self, position: int, level: Level) -> None:
        """Remember how loud the block that ends at `position` (16 kHz) was."""
        self._levels.append((position, level))
        while self._levels[0][0] < position - self.level_samples:
            self._levels.popleft()

    def forget_levels(self) -> None:
        """Forget all levels: nothing is heard, so health has no level to tell."""
        self._levels.clear()

    def send(self, detection: Detection) -> Event:
        """Make the event and hand it to every sink; sinks return at once."""
        if detection.phase == "start":
            started_at = self._clock.utc(detection.start)
            self._running[detection.target] = _Start(
                new_event_id(started_at.timestamp()), started_at, self._clock.monotonic(detection.start),
                self._synchronised(), self._loudest_since(detection.start))
            self._stats.events += 1
        # The end is dated from the start, so a wall clock that is set in between changes no duration.
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
        seconds, trouble = self._clock.now(), self._trouble()
        changed = trouble != self._told_trouble and seconds >= self._told_at + TROUBLE_SECONDS
        if not (now or changed or seconds >= self._next_health):
            return
        self._told_at, self._told_trouble = seconds, trouble
        self._next_health = seconds + self._health_seconds
        level = self._levels[-1][1] if self._levels else None
        health: dict[str, object] = {
            "schema": 1, "uptime_seconds": round(seconds - self._started, 1),
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
        return max(since, default=SILENCE_DBFS)
