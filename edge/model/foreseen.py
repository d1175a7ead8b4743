"""What teaching foretells of a sound."""

from __future__ import annotations

from dataclasses import dataclass, field

from edge.model.table import within


@dataclass(frozen=True, slots=True)
class Foreseen:
    """How well a sound was to be heard when it was learnt: examples heard of how many, out of fold; false alarms an hour of
    varied sound, with the upper 95 % bound; what it may be mistaken for. groups: of recordings, of which no two sound
    alike; 0: made by a version that did not look."""

    heard: int
    clips: int = field(metadata=within(1))
    alarms_per_hour: float
    alarms_upper: float
    collisions: tuple[str, ...] = ()
    groups: int = field(default=0, metadata=within(0))
