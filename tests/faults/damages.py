"""A journal that is cut at a random byte, or gone: while the appliance is down, and while it runs. The broker is away, so
that messages wait in it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from tests.faults.account import Account
from tests.faults.bench import Bench, bench

Damage = Callable[[Bench], None]
EXCUSED = "cannot be told from a power cut that tore it"


def cut_while_down(seed: str, times: int = 10) -> Account:
    """Half of the times after a kill, with a write-ahead log beside it, half after a stop in good order, without."""
    return _while_down("journal cut at random, while down", seed, times, lambda one: _cut(one, ""))


def log_cut_while_down(seed: str, times: int = 8) -> Account:
    """Its write-ahead log, after a kill."""
    return _while_down("its write-ahead log cut at random, while down", seed, times, lambda one: _cut(one, "-wal"),
                       stopped=False)


def log_cut_without_index(seed: str, times: int = 5) -> Account:
    """The same, and the log's index is gone, as after a power cut."""
    return _while_down("the same, and the log's index gone", seed, times, _cut_without_index, stopped=False, excused=EXCUSED)


def deleted_while_down(seed: str, times: int = 4) -> Account:
    """The journal's file is gone; its write-ahead log, where there is one, is not."""
    return _while_down("journal deleted, while down", seed, times, lambda one: one.appliance.journal.unlink())


def cut_while_running(seed: str, times: int = 5) -> Account:
    """At a random byte under the running process, which is killed a moment later."""
    return _while_running("journal cut at random, while it runs", seed, times, lambda one: _cut(one, ""))


def log_cut_while_running(seed: str, times: int = 5) -> Account:
    """Its write-ahead log, under the running process, which is killed a moment later."""
    return _while_running("its write-ahead log cut at random, while it runs", seed, times, lambda one: _cut(one, "-wal"))


def deleted_while_running(seed: str, times: int = 4) -> Account:
    """With all that belongs to it."""
    return _while_running("journal deleted, while it runs", seed, times, _delete_all)


def _while_down(fault: str, seed: str, times: int, damage: Damage, *, stopped: bool = True, excused: str = "") -> Account:
    """stopped: every other time after a stop in good order."""
    with bench(seed) as one:
        for time in range(times):
            _let_some_wait(one)
            if time % 2 and stopped:
                one.stop_appliance()
            else:
                one.kill_appliance()
            damage(one)
            one.appliance.start()
            one.tap.open()
            one.wait_for_newer()
            one.kill_appliance()
        return one.account(fault, times, excused=excused)


def _while_running(fault: str, seed: str, times: int, damage: Damage) -> Account:
    with bench(seed) as one:
        for _ in range(times):
            _let_some_wait(one)
            one.note_made()
            damage(one)
            one.appliance.wait_for_events(8)
            one.some_seconds(12.0)
            one.appliance.kill()
            one.appliance.start()
            one.tap.open()
            one.wait_for_newer()
            one.kill_appliance()
        return one.account(fault, times)


def _let_some_wait(one: Bench) -> None:
    one.appliance.start()
    one.wait_for_messages(5)
    one.tap.shut()
    one.appliance.wait_for_events(8)
    one.some_seconds(1.0)


def _cut(one: Bench, ending: str) -> None:
    path = one.appliance.journal.with_name(one.appliance.journal.name + ending)
    os.truncate(path, one.chance.randrange(path.stat().st_size))


def _cut_without_index(one: Bench) -> None:
    _cut(one, "-wal")
    one.appliance.journal.with_name(one.appliance.journal.name + "-shm").unlink()


def _delete_all(one: Bench) -> None:
    for path in _parts(one.appliance.journal):
        path.unlink()


def _parts(journal: Path) -> list[Path]:
    return [path for ending in ("", "-wal", "-shm") if (path := journal.with_name(journal.name + ending)).exists()]
