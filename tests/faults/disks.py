"""A disk that is full, and one that is read-only: a small tmpfs, which root may mount."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.account import Account
from tests.faults.appliance import Appliance
from tests.faults.bench import Bench, bench

SIZE = "2m"
ROOM_BYTES = 20_000
"""What a disk keeps that is nearly full: some events still fit."""


def may_mount() -> bool:
    """Whether this user may mount a tmpfs here."""
    try:
        with bench("mount") as one, _small_disk(one):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


def disk_full(seed: str, times: int = 2) -> Account:
    """Full while events flow, with the broker there and away; then there is room, and it is written again."""
    with bench(seed) as one, _small_disk(one):
        one.appliance.start()
        for time in range(1, times + 1):
            one.wait_for_messages(5)
            filler = _fill(one.appliance.state)
            one.appliance.wait_said("hearing goes on", time)
            one.wait_for_messages(5)
            one.tap.shut()
            one.some_seconds(3.0)
            filler.unlink()
            one.appliance.wait_said("is written again", time)
            one.kill_appliance()
            one.appliance.start()
            one.tap.open()
        return one.account("disk full, then room", times)


def disk_full_and_killed(seed: str, times: int = 3) -> Account:
    """Full, the broker away, and then the process is killed: memory is lost, and its numbers are told."""
    with bench(seed) as one, _small_disk(one):
        for time in range(1, times + 1):
            one.appliance.start()
            one.wait_for_messages(5)
            one.tap.shut()
            filler = _fill(one.appliance.state)
            one.appliance.wait_said("hearing goes on", time)
            one.some_seconds(2.0)
            one.kill_appliance()
            filler.unlink()
            one.tap.open()
        return one.account("disk full, and killed", times)


def started_full(seed: str, times: int = 2) -> Account:
    """Full from before the start on: the first one, which finds no journal, and others, which find messages that wait."""
    with bench(seed) as one, _small_disk(one):
        for time in range(1, times + 1):
            filler = _fill(one.appliance.state, 0)
            one.appliance.start()
            one.wait_for_messages(10)
            filler.unlink()
            one.appliance.wait_said("is written again", time)
            one.tap.shut()
            one.appliance.wait_for_events(8)
            if time % 2:
                one.kill_appliance()
            else:
                one.stop_appliance()
            one.tap.open()
        return one.account("start on a full disk, then room", times)


def disk_refusing(seed: str, times: int = 2) -> Account:
    """Every write fails (the limit of the size of files is 0) while events flow, the broker there; then none does."""
    with bench(seed) as one:
        one.appliance.start()
        for time in range(1, times + 1):
            one.wait_for_messages(5)
            one.appliance.limit_files(0)
            one.appliance.wait_said("hearing goes on", time)
            one.wait_for_messages(20)
            one.appliance.limit_files(resource.RLIM_INFINITY)
            one.appliance.wait_said("is written again", time)
            one.kill_appliance()
            one.appliance.start()
        return one.account("disk refusing every write, then none", times)


def started_read_only(seed: str, times: int = 2) -> Account:
    """Messages wait in the journal; the next start finds the disk read-only, and later not."""
    with bench(seed) as one, _small_disk(one):
        for time in range(1, times + 1):
            one.appliance.start()
            one.wait_for_messages(5)
            one.tap.shut()
            one.appliance.wait_for_events(8)
            one.kill_appliance()
            _remount(one.appliance.state, "ro")
            one.tap.open()
            one.appliance.start()
            one.wait_for_messages(5)
            _remount(one.appliance.state, "rw")
            one.appliance.wait_said("is written again", time)
            one.kill_appliance()
        return one.account("start on a read-only disk, then not", times)


@contextmanager
def _small_disk(one: Bench) -> Iterator[None]:
    state = one.folder / "disk"
    state.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(state)], check=True, capture_output=True)
    try:
        one.appliance = Appliance(one.folder, one.tap.port, state=state)
        yield
    finally:
        one.appliance.kill()
        subprocess.run(["umount", str(state)], check=True)


def _remount(state: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(state)], check=True)


def _fill(state: Path, leave: int = ROOM_BYTES) -> Path:
    """Leave hardly any room."""
    filler = state / "filler"
    room = os.statvfs(state)
    with filler.open("wb") as file:
        file.write(bytes(max(room.f_bavail * room.f_frsize - leave, 0)))
    return filler
