"""What to hear, ready to use: sounds that the model names, rhythms, patterns over events, and plain loudness."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge.decision.offer import Added, Beside, Stage
from edge.decision.rhythm import Rhythm


class Thresholds(Protocol):
    """Where events of a target start and end."""

    @property
    def threshold(self) -> float:
        """Probability that starts an event."""

    @property
    def release_threshold(self) -> float:
        """Probability under which it may end."""


class Suggestion(Thresholds, Protocol):
    """A standard target that comes with a model: labels and thresholds that were measured with it."""

    @property
    def name(self) -> str:
        """Name of the target."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the model that count."""

    @property
    def standard(self) -> bool:
        """Heard where the settings name no target."""

    @property
    def impulsive(self) -> bool:
        """One event for each onset."""


class Calibrated(Thresholds, Protocol):
    """What `calibrate` found for a target: how a logit becomes a probability (`probability_of`), and where events start."""

    @property
    def scale(self) -> float:
        """Over 0."""

    @property
    def scale_below(self) -> float:
        """As scale, but where it was fitted apart for low scores (beta calibration)."""

    @property
    def offset(self) -> float:
        """In logits."""


@dataclass(frozen=True, slots=True)
class Correction:
    """What an owner's feedback adds to a target's logit: its support, less the strongest of its vetoes.

    weights: float32 `(1 + vetoes, E)`, the support's row first; bias: float32 `(1 + vetoes,)`. A row counts
    where weights @ embedding + bias is over 0, and is nothing elsewhere. The embedding is a patch's, or a look's where
    looks decide the target.
    """

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    def logit(self, embedding: NDArray[np.float32]) -> float:
        """What to add for this embedding, float32 `(E,)`."""
        support, *vetoes = np.maximum(self.weights @ embedding + self.bias, 0.0).tolist()
        return float(support) - max(vetoes, default=0.0)


UNCALIBRATED: Mapping[str, Calibrated] = MappingProxyType({})
UNCORRECTED: Mapping[str, Correction] = MappingProxyType({})
UNCOMMANDED: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Target:
    """A sound: rows are int `(k,)` indices into the model's labels; durations in samples (16 kHz).

    Its logit is the highest of its labels' logits, plus the correction's; its probability is `probability_of`
    that. impulsive: one event for each onset; else one from start to end. yields: a yielding target never
    takes an onset that another target has named. sent: False for a sound that is heard only because a pattern
    counts it.

    stages: of a target that looks decide, whose rows are then the look network's. None: the patches decide.
    """

    name: str
    rows: NDArray[np.intp]
    threshold: float
    release_threshold: float
    minimum_duration: int
    release: int
    refractory: int
    scale: float = 1.0
    scale_below: float | None = None
    """None: as scale."""
    offset: float = 0.0
    impulsive: bool = False
    yields: bool = False
    correction: Correction | None = None
    sent: bool = True
    rise: float = 0.0
    """Of a target that looks decide: what each dB of an onset's rise adds to a look's logit."""
    stages: tuple[Stage, Stage] | None = None
    beside: Beside | None = None
    """Of a target that looks decide: how a patch counts beside them. None: it does not."""
    added: Added | None = None
    """Of a target that looks decide: what the owner's examples add to it."""
    taught: bool = False
    """Looks were taught it: where it is sure enough, it takes an onset before targets that the network came with."""
    patch_rows: tuple[int, ...] = ()
    """The model's rows for that patch."""
    labels: tuple[str, ...] = ()
    """Names of its rows, where `resolve` made the target."""
    numbers: tuple[int, ...] = field(init=False, compare=False, repr=False)
    """The rows, as plain numbers."""
    unscaled: bool = field(init=False, compare=False, repr=False)
    """No calibration changes what the probability of a logit is."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "numbers", tuple(self.rows.tolist()))
        object.__setattr__(self, "unscaled", self.calibrated_as(1.0, 0.0))

    def calibrated_as(self, scale: float, offset: float) -> bool:
        """The probability is logistic(scale * logit + offset), a correction left aside."""
        return self.scale == scale and self.offset == offset and self.scale_below in (None, scale)

    @property
    def looked(self) -> bool:
        """Looks decide it."""
        return self.stages is not None


@dataclass(frozen=True, slots=True)
class PatternTarget:
    """A rule over the events of one sound: how many, how far apart (start to start), how much quiet around them.

    Gaps and quiet in samples (16 kHz). suppress: the events that make it up are not sent themselves.
    """

    name: str
    of: str
    count: int
    minimum_gap: int
    maximum_gap: int
    quiet_before: int
    quiet_after: int
    suppress: bool


@dataclass(frozen=True, slots=True)
class RhythmTarget:
    """An alarm that is heard by its rhythm, whatever the model; durations in samples (16 kHz).

    release: an event ends when no two pulses in step came for so long, two cycles at least. sent: False for one
    that is heard only because a pattern counts it.
    """

    name: str
    rhythm: Rhythm
    threshold: float
    release: int
    refractory: int
    sent: bool = True


@dataclass(frozen=True, slots=True)
class LoudnessTarget:
    """Anything louder than the room by `louder_db`; durations in samples (16 kHz)."""

    name: str
    louder_db: float
    minimum_duration: int
    release: int
    refractory: int


@dataclass(frozen=True, slots=True)
class Targets:
    """All that is to be heard."""

    sounds: tuple[Target, ...] = ()
    patterns: tuple[PatternTarget, ...] = ()
    loudness: tuple[LoudnessTarget, ...] = ()
    rhythms: tuple[RhythmTarget, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Targets whose events are sent."""
        return (*(sound.name for sound in self.sounds if sound.sent), *(pattern.name for pattern in self.patterns),
                *(target.name for target in self.loudness), *(target.name for target in self.rhythms if target.sent))

    def rows(self) -> Iterator[int]:
        """The model's rows that decide, each once, in the order of the sounds."""
        yield from dict.fromkeys(int(row) for sound in self.sounds if not sound.looked for row in sound.rows)
