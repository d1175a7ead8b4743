"""Sounds without length (a clap, a snap, a knock): one event for each onset that the model names. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge.decision.calibration import Heard
from edge.decision.detection import Detection, Evidence
from edge.decision.onset import Onset, OnsetDetector
from edge.decision.targets import Target

INSIDE = 640
"""Samples (40 ms) of a sound that must lie in a patch before the patch can name it."""
CENTRAL = 3_200
"""A patch that holds an onset and 0.2 s after it (samples), and does not name it, speaks against it."""
WAIT = 24_000
"""Samples (1.5 s) that an onset waits for the patch that names it."""
WITHIN_DB = 10.0
"""Onsets of one patch share its name if they are at most so much weaker than the strongest that is named."""


@dataclass(slots=True)
class _Candidate:
    onset: Onset
    against: int = 0
    """Patches that held it well inside and did not name the target."""


class ImpulsiveDetector:
    """Onsets wait; a patch over the threshold names onsets that it holds, and each named onset is an event.

    After a patch under the threshold, all onsets of a patch may be named but those that two patches spoke
    against. After a patch over the threshold, only onsets that are new in a patch may be named. Of these, an
    onset is named if it is at most WITHIN_DB weaker than the strongest one. An echo is never named. A
    yielding target never takes an onset that another target has named. Without an onset there is no event,
    whatever the model says of the patch: a drop to silence may look like a clap. An event ends where its sound
    has died away; the end is told once a later patch is less sure.
    """

    def __init__(self, target: Target, detector: OnsetDetector, *, patch_samples: int) -> None:
        """detector: asked for where a sound has died away."""
        self.target = target
        self._detector = detector
        self._patch_samples = patch_samples
        self._evidence = Evidence(target.name, target.threshold, patch_samples)
        self.refused = ""
        self._waiting: list[_Candidate] = []
        self._named: list[Onset] = []
        self._taken: dict[int, str] = {}
        self._running: Onset | None = None
        self._past_peak = False  # a later patch was less sure, so the surest one of the event is known
        self._over = False
        self._heard_until = -1

    def take_over(self, other: ImpulsiveDetector) -> None:
        """Take over another detector's onsets, so that none is named twice; not its running event."""
        self._waiting, self._named, self._taken = other._waiting, other._named, other._taken
        self._over, self._heard_until = other._over, other._heard_until

    @property
    def busy(self) -> bool:
        """An event runs: the backbone must stay awake."""
        return self._running is not None

    running = busy

    def settled(self, position: int) -> int:
        """Every event that starts before this position is known, after the patch at `position`."""
        open_ones = [each.onset.position for each in self._waiting if each.against < 2]
        return min([*open_ones, position + self._patch_samples - INSIDE])

    def onsets(self, found: Sequence[Onset], position: int) -> None:
        """Onsets that are new with the patch at `position`, in order. Older ones are forgotten."""
        oldest = max(position, position + self._patch_samples - INSIDE - WAIT)
        self._waiting = [each for each in self._waiting if each.onset.position >= oldest]
        self._waiting += [_Candidate(onset) for onset in found]

    def taken(self, position: int, target: str) -> None:
        """For a target that yields: another has named the onset at a position."""
        self._taken[position] = target

    def push(self, heard: Heard) -> list[Detection]:
        """Take the next patch: ends and starts in the order of their sounds."""
        position = heard.scores.position
        stop = position + self._patch_samples - INSIDE
        self.refused = ""
        self._named = [onset for onset in self._named if onset.position >= position]
        self._taken = {at: target for at, target in self._taken.items() if at >= stop - WAIT}
        inside = [each for each in self._waiting if each.onset.position < stop]
        over = heard.probability >= self.target.threshold  # NaN is no sound
        found = self._follow(heard, stop)
        if over:
            for onset in self._choose(inside):
                if onset.position in self._taken:
                    self._name(onset)
                    self.refused = f"heard as {self._taken[onset.position]}"
                else:
                    found += self._start(onset, heard)
        else:
            for each in inside:
                each.against += each.onset.position < stop - CENTRAL
            self.refused = "under the threshold"
            self._evidence.wait(heard)
        self._over, self._heard_until = over, stop
        return found

    def interrupt(self, until: int) -> list[Detection]:
        """A gap, or the end of the stream, at position `until`: a running event ends; what waits is forgotten."""
        self._waiting, self._named = [], []
        self._over = False
        return self._end(until)

    def _choose(self, inside: list[_Candidate]) -> list[Onset]:
        """The onsets that this patch, which is over the threshold, names."""
        real = [each for each in inside if not each.onset.echo]
        if not real:
            self.refused = "an echo" if inside else "the same onset" if self._named else "no onset"
            return []
        fresh = [each for each in real if each.onset.position >= self._heard_until]
        # Two patches spoke against an old onset: it is named only if no other onset is left.
        likely = [each for each in (fresh if self._over else real) if each.against < 2 or each in fresh]
        if self._named:
            loudest = max(onset.level_db for onset in self._named)
        else:
            likely = likely or real
            loudest = max(each.onset.level_db for each in likely)
        chosen = [each.onset for each in likely if each.onset.level_db >= loudest - WITHIN_DB]
        self.refused = "" if chosen else "much weaker than the sound before it" if likely else "the same onset"
        return chosen

    def _name(self, onset: Onset) -> None:
        self._waiting = [each for each in self._waiting if each.onset.position > onset.position]
        self._named.append(onset)

    def _start(self, onset: Onset, heard: Heard) -> list[Detection]:
        ended = self._end(onset.position)
        self._name(onset)
        self._running, self._past_peak = onset, False
        self._evidence.begin(heard)
        return [*ended, self._evidence.detection("start", onset.position, None)]

    def _follow(self, heard: Heard, stop: int) -> list[Detection]:
        """The running event: keep the patch that was surest; end it when it is past that and has died away."""
        running = self._running
        if running is None:
            return []
        inside = running.position >= heard.scores.position
        self._past_peak |= not (inside and self._evidence.go_on(heard))
        end = self._detector.decayed(running, stop)
        return self._end(end) if self._past_peak and end is not None else []

    def _end(self, at: int) -> list[Detection]:
        """End the running event, if one runs, where its sound has died away, and at position `at` at the latest."""
        running, self._running = self._running, None
        if running is None:
            return []
        known = self._detector.decayed(running, at)
        end = max(at if known is None else min(at, known), running.position)
        return [self._evidence.detection("end", running.position, end)]
