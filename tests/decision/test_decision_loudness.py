"""Louder than the room by so many decibels; and the room's noise, tracked."""

from __future__ import annotations

import numpy as np
import pytest
from decision_scripts import louder, rows_with, run

from edge.decision.loudness import NoiseFloor
from edge.decision.targets import Targets
from edge.stream import SAMPLE_RATE

DB = 1 / 8.686


def loud(stretches: list[tuple[float, float, float]], decibels: float = 20.0, *, seconds: float = 30.0,
         **changes: float) -> list[tuple[float, float]]:
    """Start and end of the events in a room where (from, to, decibels over it) is louder."""
    rows = rows_with(seconds, [])
    for begin, end, over in stretches:
        rows[round(begin * 100): round(end * 100)] += over * DB
    found = run(rows, lambda start: 0.0, Targets(loudness=(louder(decibels, **changes),)))
    assert [each.phase for each in found] == ["start", "end"] * (len(found) // 2)
    return [(first.start / SAMPLE_RATE, (last.end or 0) / SAMPLE_RATE)
            for first, last in zip(found[::2], found[1::2], strict=True)]


def test_louder_than_the_room_is_one_event_from_start_to_end() -> None:
    assert loud([(5.0, 7.0, 25.0)]) == [(pytest.approx(5.0, abs=0.011), pytest.approx(7.0, abs=0.011))]


def test_less_than_asked_for_is_none() -> None:
    assert loud([(5.0, 7.0, 15.0)]) == []


def test_a_pause_shorter_than_the_release_time_does_not_split() -> None:
    assert len(loud([(5.0, 6.0, 25.0), (6.4, 7.0, 25.0)])) == 1
    assert len(loud([(5.0, 6.0, 25.0), (7.2, 8.0, 25.0)])) == 2


def test_what_is_shorter_than_the_minimum_duration_is_none() -> None:
    assert loud([(5.0, 5.3, 25.0)], minimum=0.5) == []
    assert len(loud([(5.0, 5.8, 25.0)], minimum=0.5)) == 1


def test_within_the_refractory_time_no_new_one_starts() -> None:
    assert len(loud([(5.0, 6.0, 25.0), (7.2, 7.4, 25.0)], refractory=2.0)) == 1


def test_what_goes_on_becomes_the_room() -> None:
    (event,) = loud([(5.0, 60.0, 25.0)], seconds=60.0)
    assert event[1] < 25.0


def test_the_floor_is_the_quietest_half_second_of_the_last_fifteen() -> None:
    floor = NoiseFloor()
    assert floor.db is None
    for level in (-40.0, -60.0, -30.0):
        floor.push_level(level, 8_000)
    assert floor.db == pytest.approx(-60.0)
    for _ in range(30):
        floor.push_level(-35.0, 8_000)
    assert floor.db == pytest.approx(-35.0)


def test_silence_has_a_floor() -> None:
    floor = NoiseFloor()
    floor.push(np.zeros(50, np.float32))
    assert floor.db == pytest.approx(-120.0)
