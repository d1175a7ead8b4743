"""The judgement on hours of sound: each thing that must not be is found, and nothing else."""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from tests.endurance.account import NONE_OF, Heard, Hour, findings, growth, summary, table
from tests.endurance.sound import HOUR, MINUTE, minute, recording
from tests.endurance.vitals import Vitals, vitals

HEARD: tuple[Heard, ...] = (("hand_clap", "start", 24_000, None, 0.91), ("hand_clap", "end", 24_000, 25_000, 0.91))
HOURS = [Hour(HEARD, 0, Vitals(60_000 + 500 * (number > 0), 40_000, 9, 30, 1_000_000 * number), 50_000 * number)
         for number in range(5)]
NONE = dict.fromkeys(NONE_OF, 0)


def with_hour(number: int, **changes: object) -> list[Hour]:
    hours = list(HOURS)
    of_process = {name: value for name, value in changes.items() if name in Vitals.__dataclass_fields__}
    others = {name: value for name, value in changes.items() if name not in of_process}
    hours[number - 1] = replace(hours[number - 1], vitals=replace(hours[number - 1].vitals, **of_process), **others)  # type: ignore[arg-type]
    return hours


def test_hours_alike_are_well_and_memory_may_settle_for_two() -> None:
    assert findings(HOURS, NONE, 0) == []
    assert growth(HOURS) == 0 and growth(HOURS[:2]) is None


@pytest.mark.parametrize(("hours", "words"), [
    (with_hour(4, rss=61_525), "memory grew by 1025 kB"),
    (with_hour(2, threads=10), "hour 2: 10 threads; after hour 1 9"),
    (with_hour(5, descriptors=31), "hour 5: 31 descriptors; after hour 1 30"),
    (with_hour(3, heard=HEARD[:1]), "hour 3: not the events of hour 1: 1 messages; wanted 2"),
    (with_hour(3, heard=(HEARD[0], (*HEARD[1][:3], 25_160, 0.91))), "hour 3: not the events of hour 1: ('hand_clap', 'end'"),
    (with_hour(2, missing=1), "hour 2: 1 messages did not reach the subscriber"),
    ([replace(HOURS[0], heard=())], "hour 1: no event"),
])
def test_each_thing_that_must_not_be_is_found(hours: list[Hour], words: str) -> None:
    (found,) = findings(hours, NONE, 0)
    assert found.startswith(words)


def test_memory_that_falls_has_not_grown() -> None:
    assert growth(with_hour(3, rss=60_000)[:3]) == -500


@pytest.mark.parametrize("name", NONE_OF)
def test_what_was_left_out_is_found(name: str) -> None:
    assert findings(HOURS, {**NONE, name: 3}, 0) == [f"{name}: 3; wanted none"]


def test_what_the_watcher_lost_is_found() -> None:
    assert findings(HOURS, NONE, 2) == ["the watcher lost 2 messages"]


def test_the_table_shows_hours_that_double_and_the_last() -> None:
    head, rule, *rows = table(HOURS).splitlines()
    assert [row.split(" | ")[0] for row in rows] == ["| 1", "| 2", "| 3", "| 5"]
    assert {line.count("|") for line in rows} == {head.count("|")} == {rule.count("|")}
    assert "| 5 |" in rows[-1]  # events: one in each of five hours
    assert summary(HOURS) == ("5 hours, 4 of them the first one's sound again: 4 had the first one's events. "
                              "Memory after hour 2: +0 kB at most. Written in an hour: 1.0 MB.")


def test_the_kernel_counts_a_thread_and_a_descriptor(tmp_path: Path) -> None:
    before, over = vitals(os.getpid()), threading.Event()
    thread = threading.Thread(target=over.wait)
    thread.start()
    try:
        with (tmp_path / "file").open("w"):
            now = vitals(os.getpid())
    finally:
        over.set()
        thread.join()
    assert (now.threads, now.descriptors) == (before.threads + 1, before.descriptors + 1)
    assert 1_000 < now.anonymous < now.rss


def test_a_minute_of_the_soak_is_the_same_each_time_and_ends_quiet() -> None:
    assert HOUR % MINUTE == 0 and MINUTE % 3_840 == 0 and MINUTE % 1_600 == 0
    first, quiet = minute(3), minute(4)
    assert len(first) == MINUTE == len(quiet) and (first == minute(3)).all() and (quiet != minute(5)).any()
    assert abs(quiet).max() < 200
    assert abs(first[4 * 16_000: 19 * 16_000]).max() > 1_000 > abs(first[42 * 16_000:]).max()
    assert len(recording("claps")) == 15 * 16_000
