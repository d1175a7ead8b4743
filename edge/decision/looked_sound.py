"""One target that looks decide: its running event, and what was said of it lately. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from edge.decision.calibration import Heard
from edge.decision.detection import Detection, Evidence
from edge.decision.lookout import SECOND
from edge.decision.onset import Onset, OnsetDetector
from edge.decision.targets import Target
from edge.stream import Scores

KEPT_SAMPLES = 32_000
"""A named onset is remembered for 2 s: by then its second look, and those of what is near it, are done."""


class LookedSound:
    """One target: its running event, and what the looks since the last patch said of it."""

    def __init__(self, target: Target, detector: OnsetDetector) -> None:
        """detector: asked for where a sound has died away."""
        self.target = target
        self._detector = detector
        self._evidence = Evidence(target.name, target.threshold, 1)
        self._running: Onset | None = None
        self._surest_known = False  # the running event's second look is done
        self._newest: tuple[Heard, str] | None = None
        self._shown: tuple[Heard, str] | None = None
        self._judged: list[tuple[Onset, Heard]] = []
        """What each look at the onsets of lately said, alone and beside each patch."""

    busy = False
    """Whether the backbone must stay awake for it: never."""

    @property
    def running(self) -> bool:
        """An event goes on."""
        return self._running is not None

    @property
    def heard(self) -> Heard | None:
        """The surest look between the last two patches; None where there was none."""
        return self._shown[0] if self._shown else None

    @property
    def refused(self) -> str:
        """Why that look is no event."""
        return self._shown[1] if self._shown else ""

    def note(self, onset: Onset, one: Heard, refused: str) -> None:
        """A look has been judged. refused: why it is no event; empty where it is one, or a second look follows."""
        self.remember(onset, one)
        if self._newest is None or one.probability >= self._newest[0].probability:
            self._newest = one, refused

    def remember(self, onset: Onset, one: Heard) -> None:
        """What a look at an onset said, or a look beside a patch: feedback learns from the highest of it."""
        oldest = onset.position - KEPT_SAMPLES
        if self._judged and self._judged[0][0].position < oldest:  # looks come in order but for a second one's patches
            self._judged = [each for each in self._judged if each[0] is self._running or each[0].position >= oldest]
        self._judged.append((onset, one))

    def name(self, onset: Onset, one: Heard, stage: int, now: int) -> list[Detection]:
        """An event starts, at position `now` of the rows; one that runs ends."""
        # An onset that only its second look named may lie before the running event.
        ended = self._end(onset.position if self._running is None or self._running.position < onset.position else now)
        self._running, self._surest_known = onset, stage == SECOND
        first = [each for at, each in self._judged if at is onset and each.scores is not one.scores]
        if first:
            self._evidence.wait(max(first, key=lambda each: each.probability))
        self._evidence.begin(one)
        return [*ended, self._detection("start", onset.position, None), *self.follow(now)]

    def look_again(self, onset: Onset, one: Heard, now: int) -> list[Detection]:
        """The second look at an onset that the first look named; the event may have ended since."""
        if self._running is not onset:
            return []
        self._evidence.go_on(one)
        self._surest_known = True
        return self.follow(now)

    def follow(self, now: int) -> list[Detection]:
        """End the running event once its sound has died away, by the rows before position `now`."""
        if self._running is None or not self._surest_known:
            return []
        end = self._detector.decayed(self._running, now)
        return self._end(end) if end is not None else []

    def turn(self) -> None:
        """A patch is done: what was noted since the last one is what is shown."""
        self._shown, self._newest = self._newest, None

    def interrupt(self, until: int) -> list[Detection]:
        """A gap, or the end of the stream, at position `until`."""
        self._shown = self._newest = None
        return self._end(until)

    def _end(self, at: int) -> list[Detection]:
        """End the running event, if one runs, where its sound has died away, and at position `at` at the latest."""
        running = self._running
        if running is None:
            return []
        known = self._detector.decayed(running, at)
        ended = self._detection("end", running.position, max(at if known is None else min(at, known), running.position))
        self._running = None
        return [ended]

    def _detection(self, phase: Literal["start", "end"], start: int, end: int | None) -> Detection:
        """Start or end of the running event, with the looks that feedback learns from."""
        made = self._evidence.detection(phase, start, end)
        assert made.peak is not None  # a look named it
        return replace(made, peak=self._with_bare(made.peak), beside=tuple(self._with_bare(each) for each in made.beside))

    def _with_bare(self, look: Scores) -> Scores:
        """The look, with the highest logit that the running event's target had with it."""
        own = [one.bare for at, one in self._judged if at is self._running and one.scores is look and one.bare is not None]
        return replace(look, bare=max(own, default=None))
