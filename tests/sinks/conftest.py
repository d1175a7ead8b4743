"""What the sinks' tests share: made-up events."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from edge.stream import SAMPLE_RATE, Event, new_event_id


@pytest.fixture
def make_event() -> Callable[..., Event]:
    """make_event(phase="start", target="clap", at=None, lasted=0.25, **others) -> Event, `sequence` counting from 1."""
    sequence = iter(range(1, 1_000_000))

    def make(phase: str = "start", target: str = "clap", *, at: datetime | None = None, lasted: float = 0.25,
             **others: Any) -> Event:
        started = at or datetime.now(UTC)
        ended = None if phase == "start" else started + timedelta(seconds=lasted)
        values = {"id": new_event_id(started.timestamp()), "sequence": next(sequence), "phase": phase,
                  "target": target, "label": "hand_clap", "probability": 0.9, "score": 0.5, "start": 16_000,
                  "end": None if ended is None else 16_000 + round(lasted * SAMPLE_RATE), "started_at": started,
                  "ended_at": ended, "level_dbfs": -20.0}
        return Event(**(values | others))

    return make
