"""Rules over events: a double clap, a triple knock, the three beeps of a smoke alarm. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from edge.decision.detection import Detection
from edge.decision.targets import PatternTarget

LEAST_DURATION = 1_600
"""Samples (0.1 s) that a pattern's event lasts beyond its last event's start, at least."""


class _Chain:
    """One pattern: the events that may become it, oldest first."""

    def __init__(self, pattern: PatternTarget) -> None:
        self.pattern = pattern
        self.reset()

    def reset(self) -> None:
        """Back to the state after construction."""
        self.events: list[Detection] = []
        self._before: int | None = None

    def start(self, event: Detection) -> None:
        """The source's next event has begun."""
        pattern, before = self.pattern, self._before
        self._before = event.start
        gap = event.start - self.events[-1].start if self.events else 0
        if self.events and len(self.events) < pattern.count and pattern.minimum_gap <= gap <= pattern.maximum_gap:
            self.events.append(event)
            return
        quiet = before is None or event.start - before >= pattern.quiet_before
        self.events = [event] if quiet else []

    @property
    def complete(self) -> bool:
        """All events of the pattern have come; the quiet after them may not be over yet."""
        return len(self.events) == self.pattern.count

    def settle(self, settled: int) -> bool:
        """Every event that starts before `settled` is known: True where the pattern fires now."""
        if self.complete:
            return settled >= self.events[-1].start + self.pattern.quiet_after
        if self.events and settled > self.events[-1].start + self.pattern.maximum_gap:
            self.events = []
        return False


class InOrder:
    """Detections in the order of their events' starts, for a source that may name a later sound before an earlier one."""

    def __init__(self) -> None:
        self._early: list[Detection] = []

    def push(self, detections: Sequence[Detection], settled: int | None) -> list[Detection]:
        """Take the newest; those of events before which every event is known, in order.

        settled: every event that starts before this position is known; None: all are.
        """
        waiting = sorted((*self._early, *detections), key=lambda detection: detection.start)
        self._early = [] if settled is None else [each for each in waiting if each.start > settled]
        return waiting[: len(waiting) - len(self._early)]


class PatternDetector:
    """All patterns over one source target: its detections in; theirs and the patterns' out.

    A pattern fires once, when its last event has come and the quiet after it is over. No event counts twice for
    it. A suppressing pattern holds back the events that may become part of it, and lets them go when they do not.
    """

    def __init__(self, source: str, patterns: Sequence[PatternTarget], *, sent: bool) -> None:
        """sent: False where the source is heard for its patterns only, and is not sent itself."""
        self.source = source
        self._chains = [_Chain(pattern) for pattern in patterns]
        self._sent = sent
        self._held: list[Detection] = []
        self._used: set[int] = set()

    @property
    def busy(self) -> bool:
        """Events are held back, or a pattern waits for quiet."""
        return bool(self._held) or any(chain.complete for chain in self._chains)

    def push(self, detections: Sequence[Detection], settled: int) -> list[Detection]:
        """Take the source's new detections, in order.

        settled: every event of the source that starts before this position is known.
        """
        if not (detections or self._held or any(chain.events for chain in self._chains)):
            return []
        found: list[Detection] = []
        for detection in detections:
            if detection.phase == "end":
                if detection.start in self._used:  # its start was suppressed
                    self._used.discard(detection.start)
                else:
                    self._held.append(detection)
                continue
            # A complete pattern that waits for quiet fires only if the quiet lasted up to this event.
            found += self._settle(detection.start)
            for chain in self._chains:
                chain.start(detection)
            self._held.append(detection)
        found += self._settle(settled)
        return found + self._release()

    def interrupt(self, detections: Sequence[Detection]) -> list[Detection]:
        """The stream broke: take the source's last ends, let go what was held back, begin patterns afresh."""
        self._held += [detection for detection in detections if detection.start not in self._used]
        self._used.clear()
        for chain in self._chains:
            chain.reset()
        return self._release()

    def _settle(self, settled: int) -> list[Detection]:
        found: list[Detection] = []
        for chain in self._chains:
            if chain.settle(settled):
                found += self._fire(chain)
        return found

    def _fire(self, chain: _Chain) -> list[Detection]:
        events, chain.events = chain.events, []
        starts = {event.start for event in events}
        ends = [held.end for held in self._held if held.start == events[-1].start and held.end is not None]
        if chain.pattern.suppress:
            ended = {held.start for held in self._held if held.phase == "end"}
            self._used |= starts - ended
            self._held = [held for held in self._held if held.start not in starts]
            for other in self._chains:
                other.events = [event for event in other.events if event.start not in starts]
        weakest = min(events, key=lambda event: event.probability)
        start = replace(weakest, target=chain.pattern.name, start=events[0].start, phase="start", end=None, peak=None,
                        beside=())
        end = max([*ends, events[-1].start + LEAST_DURATION])
        return [start, replace(start, phase="end", end=end)]

    def _release(self) -> list[Detection]:
        """Let go, in order, the held detections before the first that a suppressing pattern may still take."""
        wanted = [event.start for chain in self._chains if chain.pattern.suppress for event in chain.events]
        first = min(wanted, default=None)
        free = [held for held in self._held if first is None or held.start < first]
        self._held = self._held[len(free):]
        return free if self._sent else []
