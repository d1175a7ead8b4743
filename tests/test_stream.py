"""What travels, and the clock that dates it."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest

from edge.clock import StreamClock
from edge.errors import ModelError, SettingsError, SinkError, SourceError
from edge.stream import SAMPLE_RATE, new_event_id


class Hands:
    """A monotonic and a wall clock that only move when told to."""

    def __init__(self) -> None:
        self.monotonic = 100.0
        self.utc = 1_000_000.0

    def pass_seconds(self, seconds: float) -> None:
        self.monotonic += seconds
        self.utc += seconds


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def clock(hands: Hands) -> StreamClock:
    return StreamClock(monotonic=lambda: hands.monotonic, utc=lambda: hands.utc)


def test_a_recording_is_dated_alike_at_any_speed(hands: Hands, clock: StreamClock) -> None:
    clock.anchor(0)
    fast = clock.unix_seconds(5 * SAMPLE_RATE)
    hands.pass_seconds(5.0)
    assert clock.unix_seconds(5 * SAMPLE_RATE) == pytest.approx(fast) == pytest.approx(1_000_005.0)


def test_late_blocks_do_not_move_the_dates(hands: Hands, clock: StreamClock) -> None:
    for number in range(1, 101):
        hands.pass_seconds(0.1)
        late = 0.08 if number % 3 else 0.0
        hands.monotonic += late
        clock.anchor(number * SAMPLE_RATE // 10)
        hands.monotonic -= late
    assert clock.unix_seconds(10 * SAMPLE_RATE) == pytest.approx(hands.utc, abs=0.01)


def test_a_card_that_runs_slow_is_followed(hands: Hands, clock: StreamClock) -> None:
    """A card 100 ppm slow is 8.6 s late after a day if nobody looks."""
    position = 0.0
    for _ in range(36_000):
        hands.pass_seconds(0.1)
        position += 1600 * (1 - 100e-6)
        clock.anchor(round(position))
    assert clock.unix_seconds(round(position)) == pytest.approx(hands.utc, abs=0.05)


def test_a_restart_after_a_gap_forgets_the_old_anchor(hands: Hands, clock: StreamClock) -> None:
    clock.anchor(SAMPLE_RATE)
    hands.pass_seconds(3600.0)
    clock.anchor(2 * SAMPLE_RATE, restart=True)
    assert clock.unix_seconds(2 * SAMPLE_RATE) == pytest.approx(hands.utc)


def test_a_wall_clock_that_is_set_moves_the_dates_with_it(hands: Hands, clock: StreamClock) -> None:
    """No RTC: the board wakes in 1970 and NTP sets it later."""
    clock.anchor(SAMPLE_RATE)
    hands.utc = 1_800_000_000.0
    assert clock.utc(SAMPLE_RATE) == datetime.fromtimestamp(1_800_000_000.0, UTC)


def test_event_ids_are_uuids_of_version_7_and_sort_by_time() -> None:
    ids = [new_event_id(seconds) for seconds in (1.0, 1_700_000_000.25, 1_700_000_000.5)]
    assert ids == sorted(ids)
    for text in ids:
        parsed = uuid.UUID(text)
        assert parsed.version == 7
        assert parsed.variant == uuid.RFC_4122
    assert uuid.UUID(ids[1]).int >> 80 == 1_700_000_000_250


@pytest.mark.parametrize(("kind", "built_in", "code"), [
    (SettingsError, ValueError, 2), (ModelError, ValueError, 2), (SourceError, OSError, 2), (SinkError, OSError, 1)])
def test_errors_say_thing_found_and_wanted_on_one_line(kind: type, built_in: type, code: int) -> None:
    error = kind("door.wav", found="text\nlines", wanted="sound")
    assert isinstance(error, built_in)
    assert error.exit_code == code
    assert str(error) == "door.wav: found text lines; wanted sound"
