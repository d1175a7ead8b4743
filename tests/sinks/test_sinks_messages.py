"""What a message says when it is sent: late or not, and with which date. The clock is set by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from edge.clock import Clock
from edge.sinks.messages import Message, is_sound, message_of, payload_of
from edge.stream import Event

NOW = datetime(2026, 11, 26, 12, 0, 0, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, 0, 2, 0, tzinfo=UTC)


class SetClock(Clock):
    """A clock that stands where it is put."""

    def __init__(self, utc: datetime, monotonic: float, *, boot: str = "this", synchronised: bool = True) -> None:
        super().__init__()
        self.boot, self._utc, self._monotonic, self._synchronised = boot, utc.timestamp(), monotonic, synchronised

    def utc(self) -> float:
        return self._utc

    def monotonic(self) -> float:
        return self._monotonic

    def synchronised(self) -> bool:
        return self._synchronised


def heard(at: datetime, heard_at: float | None, *, lasted: float | None = None, synchronised: bool = True) -> Message:
    ended = None if lasted is None else at + timedelta(seconds=lasted)
    event = Event("id", 7, "start" if lasted is None else "end", "clap", "clap", 0.9, 0.9, 0,
                  None if lasted is None else round(lasted * 16_000), at, ended, -20.0)
    return message_of(replace(event, heard_at=heard_at, clock_synchronised=synchronised), device="d", boot="this")


def sent(message: Message, clock: Clock) -> dict[str, Any]:
    return dict(json.loads(payload_of(message, clock)))


@pytest.mark.parametrize(("passed", "lasted", "late"), [(0.0, None, False), (5.0, None, False), (5.1, None, True),
                                                        (60.0, 58.0, False), (60.0, 50.0, True), (-3.0, None, False)])
def test_late_is_counted_from_when_it_happened(passed: float, lasted: float | None, late: bool) -> None:
    message = heard(NOW, 100.0, lasted=lasted)
    for utc in (NOW + timedelta(seconds=passed), NOW + timedelta(days=365), NOW - timedelta(days=365)):
        assert sent(message, SetClock(utc, 100.0 + passed))["late"] is late


def test_after_a_restart_of_the_board_utc_tells_what_is_late() -> None:
    clock = SetClock(NOW + timedelta(seconds=60), 3.0, boot="the next")
    assert sent(heard(NOW, 100.0), clock)["late"] is True
    assert sent(heard(NOW + timedelta(seconds=58), 100.0), clock)["late"] is False


def test_an_event_from_before_the_clock_was_set_is_dated_by_the_time_that_has_passed() -> None:
    message = heard(EPOCH, 120.0, lasted=1.5, synchronised=False)
    waiting = sent(message, SetClock(EPOCH + timedelta(seconds=2), 122.0, synchronised=False))
    assert (waiting["started_at"], waiting["clock_synchronised"]) == ("1970-01-01T00:02:00.000Z", False)
    mended = sent(message, SetClock(NOW, 180.0))
    assert mended["clock_synchronised"] is True and mended["late"] is True
    assert (mended["started_at"], mended["ended_at"]) == ("2026-11-26T11:59:00.000Z", "2026-11-26T11:59:01.500Z")
    assert list(mended) == list(waiting)


def test_a_date_of_another_boot_cannot_be_mended_and_stays_marked() -> None:
    told = sent(heard(EPOCH, 120.0, synchronised=False), SetClock(NOW, 180.0, boot="the next"))
    assert (told["started_at"], told["clock_synchronised"]) == ("1970-01-01T00:02:00.000Z", False)


def test_a_right_date_is_never_touched() -> None:
    told = sent(heard(NOW, 100.0), SetClock(NOW + timedelta(days=3), 160.0))
    assert told["started_at"] == "2026-11-26T12:00:00.000Z" and told["late"] is True


def test_this_machines_clock_is_read() -> None:
    clock = Clock()
    assert abs(clock.utc() - datetime.now(UTC).timestamp()) < 60 and isinstance(clock.synchronised(), bool)
    clock.utc = lambda: 86_400.0  # type: ignore[method-assign]
    assert clock.synchronised() is False


def test_a_message_whose_target_is_no_topic_is_not_sound() -> None:
    sound = heard(NOW, 5.0)
    assert is_sound(sound)
    for target in ("", "a/b", "#", "$x", "a\x00"):
        assert not is_sound(replace(sound, target=target, body=sound.body.replace('"clap"', json.dumps(target))))
