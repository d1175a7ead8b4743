"""A board without a battery hears in 1970, and a time service sets its clock later: from the dispatcher to the broker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from edge.cli.demonstration.broker import PrivateBroker
from edge.clock import Clock, StreamClock
from edge.decision.detection import Detection
from edge.dispatch import Dispatcher
from edge.settings import JournalSettings, MqttSettings
from edge.sinks.journal.numbering import Numbering
from edge.sinks.journal.sink import JournalSink
from edge.sinks.mqtt.sink import MqttSink
from edge.sinks.outbox import Outbox
from edge.stats import Stats
from edge.stream import SAMPLE_RATE
from tests.sinks.conftest import board_of

pytestmark = pytest.mark.big

NOON = datetime(2026, 11, 26, 12, 0, 0, tzinfo=UTC)


class Board:
    """Dispatcher, journal and sink, with clocks that are set by hand."""

    def __init__(self, state: Path, settings: MqttSettings, *, boot: str = "first") -> None:
        self.monotonic, self.utc, self.synchronised = 100.0, 130.0, False  # two minutes after 1970 began
        self.clock = Clock()
        self.clock.boot = boot
        self.clock.utc = lambda: self.utc  # type: ignore[method-assign]
        self.clock.monotonic = lambda: self.monotonic  # type: ignore[method-assign]
        self.clock.synchronised = lambda: self.synchronised  # type: ignore[method-assign]
        stats, numbering = Stats(), Numbering(state / "sequence")
        self.outbox = Outbox(messages=100, size=100_000, stats=stats)
        self.mqtt = MqttSink(replace(settings, discovery=False), board_of("clap"), self.outbox, clock=self.clock)
        self.journal = JournalSink(JournalSettings(), state / "journal.sqlite3", pack=None, labels=("clap",), backbone="",
                                   numbering=numbering, stats=stats, outbox=self.outbox, device="kitchen", boot=boot)
        self.stream = StreamClock(monotonic=self.clock.monotonic, utc=self.clock.utc)
        self.dispatcher = Dispatcher(self.stream, stats, number=numbering.next,
                                     synchronised=self.clock.synchronised)
        self.dispatcher.sinks = (self.mqtt, self.journal)
        self.journal.start()

    def hear(self, seconds: float) -> None:
        """A clap so long after the stream opened, noticed a second later."""
        self.monotonic, self.utc = self.monotonic + 1.0, self.utc + 1.0
        self.stream.anchor(round((seconds + 1.0) * SAMPLE_RATE))
        self.dispatcher.send(Detection("start", "clap", "clap", 0.9, 0.9, round(seconds * SAMPLE_RATE), None))

    def pass_time(self, seconds: float) -> None:
        self.monotonic, self.utc = self.monotonic + seconds, self.utc + seconds

    def stop(self) -> None:
        self.mqtt.stop()
        self.journal.stop()


@pytest.fixture
def told(broker: PrivateBroker, listen: Callable[[PrivateBroker], Any]) -> Callable[[int], list[dict[str, Any]]]:
    ear = listen(broker)

    def wait(count: int) -> list[dict[str, Any]]:
        ear.wait_for(lambda heard: len(ear.events()) >= count)
        return list(ear.events())

    return wait


def test_what_waits_until_the_clock_is_set_goes_out_with_its_true_date_and_in_order(
        broker: PrivateBroker, told: Callable[[int], list[dict[str, Any]]], tmp_path: Path) -> None:
    board = Board(tmp_path, replace(broker.settings(), retry_seconds=1.0))
    board.hear(0.0)
    board.hear(1.0)
    board.pass_time(300.0)
    board.utc, board.synchronised = NOON.timestamp(), True  # 1970 is over
    board.hear(302.0)
    board.mqtt.start()  # only now is there a network
    events = told(3)
    board.stop()
    assert [event["sequence"] for event in events] == [1, 2, 3]
    assert [event["started_at"] for event in events] == [
        "2026-11-26T11:54:58.000Z", "2026-11-26T11:54:59.000Z", "2026-11-26T12:00:00.000Z"]
    assert [event["clock_synchronised"] for event in events] == [True, True, True]
    assert [event["late"] for event in events] == [True, True, False]


def test_what_goes_out_before_the_clock_is_set_is_marked(
        broker: PrivateBroker, told: Callable[[int], list[dict[str, Any]]], tmp_path: Path) -> None:
    board = Board(tmp_path, broker.settings())
    board.mqtt.start()
    board.hear(0.0)
    (event,) = told(1)
    board.stop()
    assert event["started_at"] == "1970-01-01T00:02:10.000Z"
    assert (event["clock_synchronised"], event["late"]) == (False, False)


@pytest.mark.parametrize(("boot", "date", "synchronised"), [("first", "2026-11-26T11:59:29.000Z", True),
                                                            ("second", "1970-01-01T00:02:10.000Z", False)])
def test_after_a_restart_of_the_program_the_date_is_mended_after_one_of_the_board_it_stays_marked(
        boot: str, date: str, synchronised: bool, broker: PrivateBroker,
        told: Callable[[int], list[dict[str, Any]]], tmp_path: Path) -> None:
    before = Board(tmp_path, replace(broker.settings(), port=1))
    before.hear(0.0)
    before.stop()
    after = Board(tmp_path, broker.settings(), boot=boot)
    after.monotonic, after.utc, after.synchronised = before.monotonic + 30.0, NOON.timestamp(), True
    after.mqtt.start()
    (event,) = told(1)
    after.stop()
    assert (event["started_at"], event["clock_synchronised"], event["late"]) == (date, synchronised, True)
    assert event["sequence"] == 1


def test_a_clock_that_is_set_back_reorders_nothing_and_makes_nothing_late(
        broker: PrivateBroker, told: Callable[[int], list[dict[str, Any]]], tmp_path: Path) -> None:
    board = Board(tmp_path, broker.settings())
    board.utc, board.synchronised = NOON.timestamp(), True
    board.mqtt.start()
    board.hear(0.0)
    told(1)
    board.utc -= 3600.0
    board.hear(1.0)
    events = told(2)
    board.stop()
    assert [event["sequence"] for event in events] == [1, 2] and not any(event["late"] for event in events)
