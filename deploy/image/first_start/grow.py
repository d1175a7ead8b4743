"""`grow`: the data partition, which lies last, fills the card. Cut short anywhere, the next start goes on.

The partition's end is one number in the first sector, which a card writes whole or not at all. The file system grows while
it is mounted; the kernel writes that in its journal's order.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from .live import call
from .places import Places

SECTOR = 512
SLACK = 16 * 1024 * 1024
"""Bytes that are not worth a change."""


def grow(places: Places) -> int:
    """Grow partition and file system of /data. Nothing to do is success. 0 or 1."""
    device = mounted_device(places)
    if device is None:
        print("edge-audio: grow: found nothing mounted on /data; wanted the data partition", file=sys.stderr)
        return 1
    disk, number = disk_of(places, device)
    if grow_partition(disk, number):
        call("partx", "--update", "--nr", str(number), disk)
    call("resize2fs", device, seconds=600)
    return 0


def mounted_device(places: Places) -> Path | None:
    """The block device on /data."""
    found = None
    for line in (places.root / "proc" / "self" / "mountinfo").read_text(encoding="utf-8").splitlines():
        before, _, after = line.partition(" - ")
        if before.split()[4] == "/data":
            found = Path(after.split()[1])
    return found if found is not None and found.is_block_device() else None


def disk_of(places: Places, device: Path) -> tuple[Path, int]:
    """The disk of a partition, and its number. Raises OSError for a device that is no partition."""
    number = device.stat().st_rdev
    folder = (places.root / "sys" / "dev" / "block" / f"{os.major(number)}:{os.minor(number)}").resolve()
    if not (folder / "partition").exists():
        raise OSError(f"{device}: found no partition; wanted the data partition")
    return Path("/dev") / folder.parent.name, int((folder / "partition").read_text())


def grow_partition(disk: Path, number: int) -> bool:
    """Let the partition end where the disk ends. Returns whether the table was written. Raises OSError.

    A partition that is not the last, and one that ends near the end already, is left alone.
    """
    table = json.loads(_sfdisk("--json", disk))["partitiontable"]
    parts = {int(each["node"].removeprefix(str(disk)).lstrip("p")): each for each in table["partitions"]}
    if number not in parts:
        raise OSError(f"{disk}: found no partition {number}; wanted one")
    end = parts[number]["start"] + parts[number]["size"]
    if any(each["start"] >= end for each in parts.values()):
        return False
    if size_of(disk) - end * SECTOR < SLACK:
        return False
    _sfdisk("--no-reread", "--no-tell-kernel", "--force", "-N", str(number), disk, given=", +\n")
    return True


def size_of(disk: Path) -> int:
    """Bytes of a disk or of a file that stands for one."""
    with disk.open("rb") as file:
        return file.seek(0, os.SEEK_END)


def _sfdisk(*words: str | Path, given: str = "") -> str:
    done = subprocess.run(["sfdisk", *words], input=given, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise OSError(f"sfdisk: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}")
    return done.stdout
