"""U-Boot takes the right slot, whatever state a power cut or a worn card left the counters in: `make image-test`."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest

from tests.image.machine import COUNTERS_AT, COUNTERS_BYTES, Disk, Machine

pytestmark = pytest.mark.slow


def copy_of(order: str, left_a: object, left_b: object, count: int) -> bytes:
    """One copy as libubootenv writes it: crc32 of the data, the byte that counts up, the data."""
    data = f"BOOT_A_LEFT={left_a}\0BOOT_B_LEFT={left_b}\0BOOT_ORDER={order}\0\0".encode().ljust(COUNTERS_BYTES - 5, b"\0")
    return struct.pack("<IB", zlib.crc32(data), count) + data


def torn(copy: bytes) -> bytes:
    """A copy whose writing was cut off after its first half."""
    return copy[:20] + bytes(COUNTERS_BYTES - 20)


STATES = {
    "equal": (copy_of("A B", 3, 3, 1), copy_of("A B", 3, 3, 1), "slot A, order A B, tries left A 2, B 3"),
    "the second is newer": (copy_of("A B", 3, 3, 1), copy_of("B A", 3, 3, 2), "slot B, order B A, tries left A 3, B 2"),
    "the first is newer": (copy_of("B A", 3, 3, 9), copy_of("A B", 3, 3, 8), "slot B, order B A, tries left A 3, B 2"),
    "the second began anew": (copy_of("A B", 3, 3, 255), copy_of("B A", 3, 3, 0), "slot B, order B A, tries left A 3, B 2"),
    "the first began anew": (copy_of("B A", 3, 3, 0), copy_of("A B", 3, 3, 255), "slot B, order B A, tries left A 3, B 2"),
    "first torn": (torn(copy_of("A B", 3, 3, 9)), copy_of("B A", 3, 3, 8), "slot B, order B A, tries left A 3, B 2"),
    "second torn": (copy_of("B A", 1, 2, 9), torn(copy_of("A B", 3, 3, 10)), "slot B, order B A, tries left A 1, B 1"),
    "both are worn": (b"\xff" * COUNTERS_BYTES, bytes(COUNTERS_BYTES), "slot A, order A B, tries left A 2, B 3"),
    "A is used up": (copy_of("A B", 0, 3, 3), copy_of("A B", 1, 3, 2), "slot B, order A B, tries left A 0, B 2"),
    "all is used up": (copy_of("B A", 0, 0, 3), copy_of("A B", 1, 3, 2), "slot B, order B A, tries left A 3, B 2"),
    "nonsense": (copy_of("X Y", "q", "zz", 3), copy_of("A B", 1, 3, 2), "slot A, order A B, tries left A 2, B 3"),
    "B is marked bad": (copy_of("A", 2, 0, 3), copy_of("A B", 1, 3, 2), "slot A, order A, tries left A 1, B 0"),
}


@pytest.mark.parametrize("state", STATES)
def test_the_script_takes_the_slot_that_the_counters_name(image: Path, tmp_path: Path, state: str) -> None:
    first, second, wanted = STATES[state]
    disk = Disk.write(image / "disk.img", tmp_path / "disk.img")
    with disk.path.open("r+b") as file:
        for at, copy in zip(COUNTERS_AT, (first, second), strict=True):
            file.seek(at)
            file.write(copy)
    with Machine(disk, tools=image) as machine:
        said = machine.wait_for("edge-audio: slot [AB],", 120)
    assert said == f"edge-audio: {wanted}"
    order, left = wanted.split("order ")[1].split(", tries left ")
    left_a, left_b = (part.split()[1] for part in left.split(", "))
    assert disk.counters() == {"BOOT_ORDER": order, "BOOT_A_LEFT": left_a, "BOOT_B_LEFT": left_b}
