"""The board as `edge-audio doctor` looks at it: clock, room on the disk, memory, temperature, power."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from edge.cli.checkup.finding import Finding
from edge.clock import Clock
from edge.sinks.journal.event_sounds import MEGABYTE

LEAST_DISK, LEAST_MEMORY = 100, 100
"""Megabytes under which disk and memory are short: a model that is installed, and the program itself, take that."""
HOT = 80.0
"""Degrees Celsius from which a Raspberry Pi slows down."""
THROTTLED = "sys/devices/platform/soc/soc:firmware/get_throttled"
"""The Pi's firmware: bit 0 is undervoltage now, bit 16 since the start; bits 1 to 3 and 17 to 19 a slower clock."""


def check_board(state_dir: Path, root: Path = Path("/")) -> Iterator[Finding]:
    """Findings. What a board does not tell is left out. root: where proc and sys are."""
    yield _clock(Clock())
    yield _disk(state_dir)
    yield from _memory(root)
    yield from _temperature(root)
    yield from _power(root)


def _clock(clock: Clock) -> Finding:
    if clock.synchronised():
        return Finding("clock", True, "set by a time service")
    return Finding("clock", False, "not set by a time service: events are dated by a guess, and TLS may fail",
                   "`timedatectl` says why; `apt-get install systemd-timesyncd`, and let the board reach a time server")


def _disk(state_dir: Path) -> Finding:
    nearest = next(path for path in (state_dir, *state_dir.absolute().parents) if path.exists())
    room = os.statvfs(nearest)
    free = room.f_bavail * room.f_frsize / MEGABYTE
    if room.f_flag & os.ST_RDONLY:
        return Finding("disk", False, f"{nearest} is read-only", "a card that fails is mounted so: see `dmesg`; replace it")
    return Finding("disk", free >= LEAST_DISK, f"{free:.0f} MB free at {nearest}",
                   "" if free >= LEAST_DISK else "make room: `journalctl --vacuum-size=50M`, `apt-get clean`")


def _memory(root: Path) -> Iterator[Finding]:
    for line in _text(root / "proc/meminfo").splitlines():
        name, _, rest = line.partition(":")
        if name == "MemAvailable" and rest.split()[:1]:
            free = int(rest.split()[0]) / 1000
            yield Finding("memory", free >= LEAST_MEMORY, f"{free:.0f} MB free",
                          "" if free >= LEAST_MEMORY else "stop other programs; the starter needs less than YAMNet")


def _temperature(root: Path) -> Iterator[Finding]:
    read = [int(text) / 1000 for zone in sorted((root / "sys/class/thermal").glob("thermal_zone*/temp"))
            if (text := _text(zone)).lstrip("-").isdecimal()]
    if read:
        hot = max(read) >= HOT
        yield Finding("temperature", not hot, f"{max(read):.0f} degrees C", "it slows down: air, a heat sink" if hot else "")


def _power(root: Path) -> Iterator[Finding]:
    """Firmware bits of a Raspberry Pi; else the alarm of its kernel driver."""
    try:
        bits = int(_text(root / THROTTLED), 16)
    except ValueError:
        alarms = [_text(path.parent / "in0_lcrit_alarm") for path in (root / "sys/class/hwmon").glob("*/name")
                  if _text(path) == "rpi_volt"]
        if not alarms:
            return
        bits = int(alarms[0] == "1")
    better = "a supply made for this board, and a short, thick cable; a USB microphone may fail with it"
    if bits & 1:
        yield Finding("power", False, "undervoltage now", better)
    elif bits & 1 << 16:
        yield Finding("power", False, "undervoltage since the start", better)
    elif bits & 0xE000E:
        yield Finding("power", False, "the processor was slowed down since the start", "air or a heat sink")
    else:
        yield Finding("power", True, "no undervoltage")


def _text(path: Path) -> str:
    """Without the white space around; empty where there is no such file."""
    try:
        return path.read_text(encoding="ascii", errors="replace").strip("\x00 \n\t")
    except OSError:
        return ""
