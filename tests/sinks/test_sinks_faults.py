"""A few of the faults of `make faults`, on real processes; and that its account would see a loss."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import Any

import pytest

from edge.cli.demonstration.broker import PrivateBroker
from tests.faults import damages, disks, kills
from tests.faults.__main__ import FAULTS, main, table_of
from tests.faults.account import Account, account
from tests.faults.tap import Tap


@pytest.mark.big
@pytest.mark.parametrize(("fault", "times"), [
    (kills.appliance_killed, 3), (kills.broker_killed, 2), (kills.both_killed, 1), (damages.cut_while_down, 1)])
def test_nothing_is_lost(fault: Any, times: int) -> None:
    found = fault(os.urandom(4).hex(), times)
    assert not found.failed and found.made > 0, found
    assert found.two_ids == found.holes == found.early == 0
    if fault is not damages.cut_while_down:
        assert found.received + found.broker_lost == found.made and found.told == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_once(name: str) -> None:
    assert main(["--only", name]) == 0


def payload(number: int, phase: str = "start") -> dict[str, Any]:
    return {"id": f"id-{number}", "phase": phase, "sequence": number, "started_at": "1970-01-01T00:00:10.000Z",
            "ended_at": None if phase == "start" else "1970-01-01T00:00:12.000Z"}


def reckoned(received: list[int], *, taken: tuple[int, ...] = (), told: tuple[tuple[int, int], ...] = (),
             others: tuple[dict[str, Any], ...] = ()) -> Account:
    """Of five that were made."""
    return account("a fault", 1, heard=[payload(number) for number in range(1, 7)],
                   made=[(f"id-{number}", "start") for number in range(1, 6)],
                   received=[*((payload(number), 11.5) for number in received), *((other, 11.5) for other in others)],
                   taken=[payload(number) for number in taken], told=told)


def test_the_account_sees_what_is_missing() -> None:
    whole = reckoned([1, 2, 3, 3, 4, 5], others=(payload(6, "end"),))
    assert (whole.made, whole.received, whole.lost, whole.duplicated, whole.holes, whole.early) == (6, 6, 0, 1, 0, 1)
    assert whole.delay_seconds == 1.5 and not whole.failed
    missing = reckoned([1, 2, 5])
    assert (missing.lost, missing.holes, missing.told) == (2, 2, 0) and missing.failed
    assert not replace(missing, excused="a power cut").failed
    told = reckoned([1, 5], told=((2, 3), (3, 4), (7, 9)))
    assert (told.lost, told.holes, told.told, told.told_numbers) == (0, 0, 3, 6) and not told.failed
    forgotten = reckoned([1, 2, 5], taken=(1, 2, 3, 4))
    assert (forgotten.lost, forgotten.broker_lost, forgotten.holes) == (0, 2, 0) and not forgotten.failed
    twice = reckoned([1, 2, 3, 4, 5], others=({**payload(3), "id": "other"},))
    assert twice.two_ids == 1 and twice.failed
    last = reckoned([1, 2, 3, 4])
    assert (last.lost, last.holes) == (1, 0) and last.failed
    assert "| a fault | 1 | 5 | 4 | 1 | 0 | 0 | 1.5 s |" in table_of([last], "7")


@pytest.mark.big
def test_the_tap_notes_what_was_acknowledged_and_nothing_else(start_mqtt: Any, make_event: Any, until: Any) -> None:
    with PrivateBroker() as broker:
        tap = Tap(broker.port)
        tap.open()
        for protocol in ("5", "3.1.1"):
            sink = start_mqtt(replace(broker.settings(protocol=protocol), port=tap.port))
            for _ in range(30):
                sink.event(make_event())
            until(lambda sink=sink: len(sink.outbox) == 0)
            sink.stop()
        assert [one["sequence"] for one in tap.taken] == [*range(1, 61)]
        tap.stall()
        sink = start_mqtt(replace(broker.settings(), port=tap.port))
        sink.event(make_event())
        tap.shut()
        tap.flow()
        sink.stop()
        assert len(tap.taken) == 60 and len(sink.outbox) == 1


def test_what_only_root_may_do_is_said_to_be_skipped(monkeypatch: pytest.MonkeyPatch,
                                                     capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(disks, "may_mount", lambda: False)
    assert main(["--only", "disk-full", "--format", "json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out) == [] and printed.err.count("skipped") == 1
