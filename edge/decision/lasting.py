"""Sounds that last (typing, an alarm, rain, speech): one event from start to end. Pure: time is the patches' position."""

from __future__ import annotations

from collections.abc import Sequence

from edge.decision.calibration import Heard
from edge.decision.detection import Detection, Evidence
from edge.decision.onset import Onset
from edge.decision.targets import Target

ONSET_WITHIN_DB = 10.0
"""The event starts at the first onset of the patch that is at most so much weaker than its strongest."""


class LastingDetector:
    """Hysteresis, minimum duration, release and refractory time of one target.

    Every patch that overlaps a sound hears it. So a sound ends in the oldest hop of the last patch over the
    release threshold. A sound begins in the first patch over the threshold: at the patch's first strong
    onset, or in the newest hop of a patch without one. Where onsets count beside the patch, at the first strong one of
    these (`edge/decision/series.py`).

        probability  ___/-----------------\\____/-\\________
        threshold       |start             (bridged)|
        release                                     |----release----| end, then refractory
    """

    def __init__(self, target: Target, *, patch_samples: int, hop_samples: int) -> None:
        self.target = target
        self._patch_samples = patch_samples
        self._hop_samples = hop_samples
        self._evidence = Evidence(target.name, target.threshold, patch_samples)
        self.refused = ""
        self._over_since: int | None = None
        self.running = False  # an event has started and not ended
        self._start = 0
        self._last = 0
        self._sounds = False
        self._deaf_until: int | None = None

    def take_over(self, other: LastingDetector) -> None:
        """Take over another detector's refractory time, after its `interrupt`."""
        self._deaf_until = other._deaf_until

    @property
    def busy(self) -> bool:
        """An event runs or is about to: the backbone must stay awake."""
        return self.running or self._over_since is not None

    def push(self, heard: Heard, onsets: Sequence[Onset]) -> list[Detection]:
        """Take the next patch: a start, an end, or nothing. Positions must rise.

        onsets: of the last 1.5 s, in order, echoes too. Raises ValueError for a position that goes back.
        """
        self.refused = ""
        position = heard.scores.position
        if self.running:
            return self._go_on(position, heard)
        if not heard.probability >= self.target.threshold:  # NaN is no sound
            self._over_since = None
            self._evidence.wait(heard)
            self.refused = "under the threshold"
            return []
        if self._over_since is None:
            start = self._began(position, onsets, first=heard.scores.first, since=heard.since)
            if self._deaf_until is not None and start < self._deaf_until:
                self.refused = "within the refractory time"
                return []
            self._over_since, self._start = position, start
            self._evidence.begin(heard)
        else:
            self._evidence.go_on(heard)
        if position - self._over_since < self.target.minimum_duration:
            self.refused = "shorter than the minimum duration"
            return []
        self.running, self._sounds, self._last = True, True, position
        return [self._evidence.detection("start", self._start, None)]

    def interrupt(self, until: int) -> list[Detection]:
        """A gap, or the end of the stream, at position `until`: a running event ends where it was last heard.

        That is `until` itself if the newest patch still held the sound: no patch has said that it stopped.
        """
        self._over_since = None
        if not self.running:
            return []
        return [self._finish(min(self._last + self._patch_samples, until) if self._sounds else 0)]

    def _began(self, position: int, onsets: Sequence[Onset], *, first: bool, since: int | None) -> int:
        end = position + self._patch_samples
        begin = position if since is None else since
        inside = [onset for onset in onsets if begin <= onset.position < end and not onset.echo
                  and (self._deaf_until is None or onset.position >= self._deaf_until)]
        if inside:
            strongest = max(onset.level_db for onset in inside)
            return next(onset.position for onset in inside if onset.level_db >= strongest - ONSET_WITHIN_DB)
        return position if first else end - self._hop_samples

    def _go_on(self, position: int, heard: Heard) -> list[Detection]:
        if position < self._last:
            raise ValueError(f"position: found {position}; wanted one after {self._last}")
        self._evidence.go_on(heard)
        self._sounds = heard.probability >= self.target.release_threshold
        if self._sounds:
            self._last = position
            return []
        return [self._finish()] if position - self._last >= self.target.release else []

    def _finish(self, at_least: int = 0) -> Detection:
        end = max(self._last + self._hop_samples, self._start, at_least)
        self.running, self._over_since = False, None
        self._deaf_until = end + self.target.refractory
        return self._evidence.detection("end", self._start, end)
