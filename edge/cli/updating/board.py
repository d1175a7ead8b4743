"""A board with two slots, as the update's walks see it: `Board` is what they ask of it, `ThisBoard` the real one."""

from __future__ import annotations

import logging
import os
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from edge.cli.updating import record as kept
from edge.cli.updating.appliance import Look, look
from edge.cli.updating.rauc import Bundle, Rauc, System
from edge.cli.updating.trial import Boot, Record
from edge.errors import UpdateError
from edge.topics import rfc3339

LOG = logging.getLogger(__name__)

RESTART_SECONDS = 180.0
"""How long services may take to stop before the restart is forced."""


class Board(Protocol):
    """What the walks ask. Whatever is written is on the card when the method returns."""

    def boot(self) -> Boot:
        """Which slot this is, and what the boot loader thinks of both."""

    def system(self) -> System:
        """The slots. Raises UpdateError."""

    def slot_bytes(self, device: Path) -> int:
        """The size of a slot. Raises UpdateError."""

    def load(self) -> Record:
        """The record; an empty one where it cannot be read, for a board must come up."""

    def save(self, record: Record) -> None:
        """Keep it. Raises UpdateError."""

    def tell(self, text: str) -> None:
        """What health says of updates from now on; "" is all well."""

    def info(self, where: str) -> Bundle:
        """Verify and read a bundle. Raises UpdateError."""

    def install(self, where: str, told: Callable[[str], None]) -> None:
        """Write the other slot and have it booted next. Raises UpdateError."""

    def mark_good(self) -> None:
        """Tell the boot loader that the booted slot works. Raises UpdateError."""

    def mark_active(self) -> None:
        """Have the booted slot booted next. Raises UpdateError."""

    def look(self) -> Look:
        """How the appliance is now."""

    def restart(self) -> None:
        """Start the machine anew."""

    def now(self) -> datetime:
        """Local time, with its zone."""

    def seconds(self) -> float:
        """A clock that only goes on."""

    def wait(self, seconds: float) -> None:
        """Let time pass."""


class ThisBoard:
    """The image that runs. root: "/", but for tests."""

    def __init__(self, root: Path, state_dir: Path, rauc: Rauc | None = None) -> None:
        self._record, self._note = root / "data/system/update.json", root / "run/edge-audio-update"
        self._release, self._boot_id = root / "etc/os-release", root / "proc/sys/kernel/random/boot_id"
        self._state_dir = state_dir
        self._rauc = rauc or Rauc(root / "etc/rauc/system.conf")

    def boot(self) -> Boot:
        system = self.system()
        version = image_version(self._release)
        if not version:
            raise UpdateError(str(self._release), found="no IMAGE_VERSION", wanted="the image's version")
        return Boot(system.booted.bootname, version, self._boot_id.read_text("ascii").strip(),
                    frozenset(slot.bootname for slot in system.slots if not slot.good))

    def system(self) -> System:
        return self._rauc.status()

    def slot_bytes(self, device: Path) -> int:
        try:
            with device.open("rb") as file:
                return file.seek(0, os.SEEK_END)
        except OSError as error:
            raise UpdateError(str(device), found=error.strerror or str(error), wanted="the other slot") from error

    def load(self) -> Record:
        try:
            return kept.load(self._record)
        except UpdateError as error:
            LOG.error("%s; taken for empty", error)
            return Record()

    def save(self, record: Record) -> None:
        kept.save(self._record, record)

    def tell(self, text: str) -> None:
        beside = self._note.with_name(f".{self._note.name}.new")
        try:
            beside.write_text(text + "\n", encoding="utf-8")
            beside.chmod(0o644)
            beside.replace(self._note)
        except OSError as error:
            LOG.error("%s: %s; health does not tell: %s", self._note, error.strerror or error, text or "all is well")

    def info(self, where: str) -> Bundle:
        return self._rauc.info(where)

    def install(self, where: str, told: Callable[[str], None]) -> None:
        if "://" in where:  # rauc reads an address through the kernel's network block device, and does not load that
            subprocess.run(["modprobe", "nbd", "nbds_max=1"], check=False)
            # Loaded before, so that rauc opens its device at once (rauc.py says why).
            subprocess.run(["modprobe", "dm-verity"], check=False)
        self._rauc.install(where, told)

    def mark_good(self) -> None:
        self._rauc.mark_good()

    def mark_active(self) -> None:
        self._rauc.mark_active()

    def look(self) -> Look:
        return look(self._state_dir)

    def restart(self) -> None:
        os.sync()
        subprocess.run(["systemctl", "--no-block", "reboot"], check=False)
        self.wait(RESTART_SECONDS)  # the restart ends this process; what still runs then hangs
        subprocess.run(["systemctl", "--force", "reboot"], check=False)

    def now(self) -> datetime:
        return datetime.now(UTC).astimezone()

    def seconds(self) -> float:
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)


def image_version(release: Path) -> str:
    """IMAGE_VERSION of an os-release file; "" where there is none."""
    try:
        lines = release.read_text("utf-8", "replace").splitlines()
    except OSError:
        return ""
    values = (line.removeprefix("IMAGE_VERSION=").strip("\"'") for line in lines if line.startswith("IMAGE_VERSION="))
    return next(values, "")


def moment(board: Board) -> str:
    """Now, as records and messages write it."""
    return rfc3339(board.now())
