"""Targets that are heard by the rhythm of a tone (smoke and CO alarms): one event from start to end. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from edge.decision.detection import Detection
from edge.decision.pattern import PatternDetector
from edge.decision.rhythm import LONGEST, Fit, fit, in_step
from edge.decision.targets import PatternTarget, RhythmTarget
from edge.decision.tones import CHANNELS, Pulse, TonePulses
from edge.stream import FRAME_SAMPLES, FRAME_STEP, Phase, TargetHearing

GATHERED_ROWS = 48
"""Rows are judged so many at a time (0.48 s), for a call costs as much as many rows do. Alarms take seconds to be known."""
KEPT_PULSES = 64
"""Pulses remembered for each channel. Two cycles with speech over them have fewer."""


class RhythmDetector:
    """State machine of one target: waits for a fit over the threshold, then runs until the rhythm stays away."""

    def __init__(self, target: RhythmTarget) -> None:
        self.target = target
        self._deaf_until: int | None = None
        self.reset()

    def reset(self) -> None:
        """No event runs, and nothing was heard."""
        self.running = False
        self._best: Fit | None = None
        self._last = 0

    def push(self, pulses: Sequence[Pulse]) -> list[Detection]:
        """Take the newest pulse of one of the rhythm's channels, and those before it in this channel. Returns a start, an
        end or nothing."""
        newest = pulses[-1]
        found = self.expire(newest.heard)
        fitted = fit(pulses, self.target.rhythm)
        if self.running:
            assert self._best is not None
            if fitted is not None and fitted.probability > self._best.probability:
                self._best = Fit(fitted.probability, self._best.start, fitted.end, fitted.step)
            if in_step(pulses, self._best.step):
                self._last = max(self._last, newest.end)
        elif fitted is not None and (self._deaf_until is None or fitted.start >= self._deaf_until):
            if self._best is None or fitted.probability > self._best.probability:
                self._best = fitted
            self._last = max(self._last, fitted.end)
            if self._best.probability >= self.target.threshold:
                self.running = True
                found.append(self._detection("start", None))
        return found

    def expire(self, position: int) -> list[Detection]:
        """All rows up to `position` have been heard: the end of an event whose rhythm has stayed away."""
        return self.interrupt() if self._best is not None and position - self._last > self.target.release else []

    def interrupt(self) -> list[Detection]:
        """The alarm is over, by a pause, a gap or the end of the stream: the end of a running event."""
        found = [self._detection("end", self._last)] if self.running else []
        if self.running:
            self._deaf_until = self._last + self.target.refractory
        self.reset()
        return found

    def hearing(self) -> TargetHearing:
        """How the target stands: what the best fit of late is worth."""
        probability = self._best.probability if self._best is not None else 0.0
        refused = "" if self.running or not probability else "under the threshold"
        return TargetHearing(self.target.name, self.target.rhythm.name if probability else "", probability,
                             self.target.threshold, self.running, refused)

    def _detection(self, phase: Phase, end: int | None) -> Detection:
        assert self._best is not None
        return Detection(phase, self.target.name, self.target.rhythm.name, self._best.probability,
                         self._best.probability, self._best.start, end)


class Alarms:
    """All targets with a rhythm, side by side, and the patterns over them. Rows in, detections out."""

    def __init__(self, targets: Sequence[RhythmTarget], patterns: Sequence[PatternTarget]) -> None:
        self._detectors = [RhythmDetector(target) for target in targets]
        self._patterns = [PatternDetector(target.name, [each for each in patterns if each.of == target.name],
                                          sent=target.sent) for target in targets]
        self._tones = TonePulses()
        self._forget()

    def _forget(self) -> None:
        self._tones.reset()
        self._pulses = [deque[Pulse](maxlen=KEPT_PULSES) for _ in CHANNELS]
        self._waiting: list[NDArray[np.float32]] = []
        self._next = 0
        """Position of the row after those that wait."""

    def push(self, rows: NDArray[np.float32], position: int) -> list[Detection]:
        """Take rows float32 `(k, 64)`; `position` of the first one's first sample. They follow the last ones, or an
        `interrupt`."""
        if not self._detectors:
            return []
        self._waiting.append(rows)
        self._next = position + FRAME_STEP * len(rows)
        return self._judge() if sum(map(len, self._waiting)) >= GATHERED_ROWS else []

    def _judge(self) -> list[Detection]:
        """Judge the rows that wait, at least one."""
        rows, self._waiting = np.concatenate(self._waiting), []
        position = self._next - FRAME_STEP * len(rows)
        until = self._next - FRAME_STEP + FRAME_SAMPLES
        mine: list[list[Detection]] = [[] for _ in self._detectors]
        for pulse in self._tones.push(rows, position):
            kept = self._pulses[pulse.channel]
            kept.append(pulse)
            while kept[0].start < pulse.start - LONGEST:
                kept.popleft()
            for number, detector in enumerate(self._detectors):
                if pulse.channel in detector.target.rhythm.channels:
                    mine[number] += detector.push(tuple(kept))
        found: list[Detection] = []
        for detector, pattern, own in zip(self._detectors, self._patterns, mine, strict=True):
            found += pattern.push([*own, *detector.expire(until)], until - LONGEST)
        return found

    def interrupt(self) -> list[Detection]:
        """End all running events at a gap or the stream's end; forget the tones."""
        found = self._judge() if self._waiting else []
        for detector, pattern in zip(self._detectors, self._patterns, strict=True):
            found += pattern.interrupt(detector.interrupt())
        self._forget()
        return found

    def hearing(self) -> list[TargetHearing]:
        """How every target stands."""
        return [detector.hearing() for detector in self._detectors]
