"""From scores to events: one state machine for each target. Pure: time is the patches' position."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge.decision.targets import Target
from edge.stream import Phase, Scores


@dataclass(frozen=True, slots=True)
class Detection:
    """An event in the making: what the listener dates, numbers and sends. Positions at 16 kHz."""

    phase: Phase
    target: str
    label: str
    probability: float
    score: float
    start: int
    end: int | None


class TargetDetector:
    """Hysteresis, minimum duration, release and refractory time of one target.

    A sound is in every patch that overlaps it, so the first patch over the threshold says that the sound began in the
    patch's newest hop, and the last one that it ended in the patch's oldest hop.

        probability  ___/-----------------\\____/-\\________
        threshold       |start             (bridged)|
        release                                     |----release----| end, then refractory
    """

    def __init__(self, target: Target, labels: Sequence[str], *, patch_samples: int, hop_samples: int) -> None:
        self.target = target
        self._labels = tuple(labels)
        self._patch_samples = patch_samples
        self._hop_samples = hop_samples
        self.reset()

    def reset(self) -> None:
        """Back to the state after construction."""
        self._over_since: int | None = None
        self._running = False
        self._start = 0
        self._last = 0
        self._sounds = False
        self._label = ""
        self._best = 0.0
        self._deaf_until: int | None = None

    @property
    def busy(self) -> bool:
        """An event runs or is about to: the backbone must stay awake."""
        return self._running or self._over_since is not None

    def push(self, scores: Scores) -> Detection | None:
        """Take the next patch's scores; positions must rise. Returns a start, an end, or None.

        Raises ValueError for a position that goes back.
        """
        values = scores.values[self.target.rows]
        row = int(values.argmax())
        probability = float(values[row])
        label = self._labels[int(self.target.rows[row])]
        if self._running:
            return self._go_on(scores.position, probability, label)
        if not probability >= self.target.threshold:  # NaN is no sound
            self._over_since = None
            return None
        if self._over_since is None:
            newest = scores.position + self._patch_samples - self._hop_samples
            start = scores.position if scores.first else newest
            if self._deaf_until is not None and start < self._deaf_until:
                return None
            self._over_since, self._start, self._best, self._label = scores.position, start, 0.0, label
        if probability > self._best:
            self._best, self._label = probability, label
        if scores.position - self._over_since < self.target.minimum_duration:
            return None
        self._running, self._sounds, self._last = True, True, scores.position
        return self._detection("start", None)

    def interrupt(self, heard: int) -> Detection | None:
        """A gap, or the end of the stream, at position `heard`: a running event ends where it was last heard.

        That is `heard` itself if the newest patch still held the sound: no patch has said that it stopped.
        """
        self._over_since = None
        if not self._running:
            return None
        return self._finish(min(self._last + self._patch_samples, heard) if self._sounds else 0)

    def _go_on(self, position: int, probability: float, label: str) -> Detection | None:
        if position < self._last:
            raise ValueError(f"position: found {position}; wanted one after {self._last}")
        if probability > self._best:
            self._best, self._label = probability, label
        self._sounds = probability >= self.target.release_threshold
        if self._sounds:
            self._last = position
            return None
        return self._finish() if position - self._last >= self.target.release else None

    def _finish(self, at_least: int = 0) -> Detection:
        end = max(self._last + self._hop_samples, self._start, at_least)
        self._running, self._over_since = False, None
        self._deaf_until = end + self.target.refractory
        return self._detection("end", end)

    def _detection(self, phase: Phase, end: int | None) -> Detection:
        return Detection(phase, self.target.name, self._label, self._best, self._best, self._start, end)


class Detector:
    """All targets side by side."""

    def __init__(self, targets: Sequence[Target], labels: Sequence[str], *, patch_samples: int, hop_samples: int) -> None:
        """labels: the model's, in the order of its scores; patch_samples, hop_samples: at 16 kHz."""
        self.targets = tuple(targets)
        self._machines = [TargetDetector(target, labels, patch_samples=patch_samples, hop_samples=hop_samples)
                          for target in targets]

    @property
    def busy(self) -> bool:
        """An event runs or is about to."""
        return any(machine.busy for machine in self._machines)

    def push(self, scores: Scores) -> list[Detection]:
        """Starts and ends that this patch brings, in the order of the targets."""
        return [found for machine in self._machines if (found := machine.push(scores)) is not None]

    def interrupt(self, heard: int) -> list[Detection]:
        """Ends of all running events: a gap came, or the stream ended, at position `heard`."""
        return [found for machine in self._machines if (found := machine.interrupt(heard)) is not None]

    def reset(self) -> None:
        """Back to the state after construction."""
        for machine in self._machines:
            machine.reset()
