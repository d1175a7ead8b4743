"""Made-up events and hearings for the page's tests."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

from edge.stream import SAMPLE_RATE, Event, Hearing, Phase, TargetHearing, new_event_id

_SEQUENCE = itertools.count(1)


def event(target: str = "hand_clap", *, at: datetime | None = None, probability: float = 0.9,
          phase: Phase = "end") -> Event:
    """An event of a tenth of a second, that has ended."""
    at = at or datetime.now(UTC)
    return Event(new_event_id(at.timestamp()), next(_SEQUENCE), phase, target, target, probability, 0.8, 5 * SAMPLE_RATE,
                 5 * SAMPLE_RATE + 1_600, at, at + timedelta(seconds=0.1), -31.25)


def hearing(position: int = 0) -> Hearing:
    """A loud hop with one target."""
    return Hearing(position, -30.0, -60.0, True, (("hand_clap", 0.9),),
                   (TargetHearing("hand_clap", "hand_clap", 0.93, 0.5, False, ""),))
