"""What teaching foretells of a sound."""

from __future__ import annotations

from dataclasses import dataclass, field

from edge.model.table import within


@dataclass(frozen=True, slots=True)
class Tally:
    """What a lesson's figures were counted from, so that those of another threshold can be. Logits are those of the
    probability, out of fold.

    recordings: each one's highest, ascending. others: the highest of the sounds without it, descending; seconds: how much
    alarm each of these makes; usual_seconds: what one of all of them makes, in the mean; all_seconds: all of them together;
    hours: of sound that they stand for.
    """

    recordings: tuple[float, ...]
    others: tuple[float, ...]
    seconds: tuple[float, ...]
    usual_seconds: float = field(metadata=within(0.0))
    all_seconds: float = field(metadata=within(0.0))
    hours: float = field(metadata=within(1e-6))


@dataclass(frozen=True, slots=True)
class Foreseen:
    """How well a sound was to be heard when it was learnt: examples heard of how many, out of fold; false alarms an hour of
    varied sound, with the upper 95 % bound; what it may be mistaken for. groups: of recordings, of which no two sound
    alike; 0: made by a version that did not look. tally: None: made by a version that kept none."""

    heard: int
    clips: int = field(metadata=within(1))
    alarms_per_hour: float
    alarms_upper: float
    collisions: tuple[str, ...] = ()
    groups: int = field(default=0, metadata=within(0))
    tally: Tally | None = None
