"""The file that runs `rauc`, which verifies bundles, writes slots and speaks to the boot loader."""

from __future__ import annotations

import json
import logging
import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.errors import UpdateError

LOG = logging.getLogger(__name__)

LOOK_SECONDS = 180.0
"""How long a look at a bundle or at the slots may take, over a slow line."""
TRIES = 3
"""For a bundle behind an address, where mounting fails."""
NOISE = re.compile(r"rauc-(?:nbd-)?Message:|[*<>] |[0-9A-F]{8,}:error:|\(rauc:\d+\)|$")
"""Lines of rauc's that say what it does, not what is wrong."""
UNTRUSTED = ("signature", "Invalid bundle", "not allowed", "Bundle format")


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a signed bundle says of itself. size: bytes of the root that it holds."""

    compatible: str
    version: str
    size: int


@dataclass(frozen=True, slots=True)
class Slot:
    """One root. name: rauc's own; bootname: "A" or "B"; good: the boot loader may boot it; version: rauc put it there."""

    name: str
    bootname: str
    device: Path
    booted: bool
    good: bool
    version: str


@dataclass(frozen=True, slots=True)
class System:
    """The slots. primary: the bootname that is booted next."""

    compatible: str
    primary: str
    slots: tuple[Slot, ...]

    @property
    def booted(self) -> Slot:
        """Raises UpdateError where this system was booted from none of them."""
        for slot in self.slots:
            if slot.booted:
                return slot
        raise UpdateError("rauc status", found="no slot that is booted", wanted="a start from slot A or B")

    @property
    def other(self) -> Slot:
        """The slot that an update writes. Raises UpdateError where there are not two."""
        others = [slot for slot in self.slots if not slot.booted]
        if len(others) != 1:
            raise UpdateError("rauc status", found=f"{len(others)} slots beside the one that is booted", wanted="one")
        return others[0]


class Rauc:
    """One system's rauc."""

    def __init__(self, conf: Path, program: str = "rauc") -> None:
        """conf: its system.conf, which names slots and keyring."""
        self._words = [program, f"--conf={conf}"]

    def info(self, where: str) -> Bundle:
        """What the bundle (file or URL) says; its signature is verified first. Raises UpdateError."""
        told = self._json(where, "info", "--output-format=json", where)
        try:
            images = {name: image for each in told["images"] for name, image in each.items()}
            return Bundle(_text(told["compatible"]), _text(told["version"]), int(images["rootfs"]["size"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise UpdateError(where, found=f"no {error} in it", wanted="a bundle of deploy/image/bundle.sh") from error

    def status(self) -> System:
        """The slots as they are. Raises UpdateError."""
        told = self._json("rauc status", "status", "--detailed", "--output-format=json")
        try:
            slots = tuple(_slot(name, slot) for each in told["slots"] for name, slot in each.items())
            primary = next((slot.bootname for slot in slots if slot.name == told["boot_primary"]), "")
            return System(_text(told["compatible"]), primary, tuple(sorted(slots, key=lambda slot: slot.bootname)))
        except (KeyError, TypeError, AttributeError) as error:
            raise UpdateError("rauc status", found=f"{type(error).__name__} {error}", wanted="slots, as rauc 1.8 or later "
                              "tells them") from error

    def install(self, where: str, told: Callable[[str], None]) -> None:
        """Write the other slot and have it booted next. told: called with each line of progress. Raises UpdateError.

        An address is tried again where rauc could not mount the bundle, before anything was written. rauc's block device
        ends when its last user closes it. udev looks at each new one, and may close it before rauc has opened it.
        """
        for left in reversed(range(TRIES if "://" in where else 1)):
            found = self._install(where, told)
            if not found:
                return
            if not left or "Failed mounting bundle" not in found:
                raise UpdateError(where, found=found, wanted="an installed update; the other slot is not booted")
            LOG.info("%s: %s; tried again", where, found)

    def _install(self, where: str, told: Callable[[str], None]) -> str:
        """What went wrong; "" where nothing did."""
        words = [*self._words, "install", where]
        with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
                              errors="replace") as running:
            assert running.stdout is not None
            lines = []
            for line in running.stdout:
                lines.append(line.rstrip())
                if re.match(r"\s*\d+% ", line):
                    told(line.strip())
        return _wrong(lines) if running.returncode != 0 else ""

    def mark_good(self) -> None:
        """Say to the boot loader that the booted slot works. Raises UpdateError."""
        self._run("rauc status mark-good", "status", "mark-good", "booted")

    def mark_active(self) -> None:
        """Have the booted slot booted next. Raises UpdateError."""
        self._run("rauc status mark-active", "status", "mark-active", "booted")

    def _json(self, thing: str, *words: str) -> Mapping[str, Any]:
        said = self._run(thing, *words)
        try:
            told = json.loads(said)
        except ValueError:
            told = None
        if not isinstance(told, dict):
            raise UpdateError(thing, found=f"rauc's answer {said[:60]!r}", wanted="a JSON object")
        return told

    def _run(self, thing: str, *words: str) -> str:
        try:
            done = subprocess.run([*self._words, *words], capture_output=True, text=True, errors="replace", check=False,
                                  stdin=subprocess.DEVNULL, timeout=LOOK_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise UpdateError(thing, found=f"no answer in {LOOK_SECONDS:g} s", wanted="one") from error
        except OSError as error:
            raise UpdateError("rauc", found=error.strerror or str(error), wanted="Debian's package rauc") from error
        if done.returncode != 0:
            found = _wrong(done.stderr.splitlines())
            wanted = ("a bundle signed with a key that this board trusts" if any(word in found for word in UNTRUSTED)
                      else "a bundle that can be read" if words[0] == "info" else "rauc to do as it is told")
            raise UpdateError(thing, found=found, wanted=wanted)
        return done.stdout


def _slot(name: str, told: Mapping[str, Any]) -> Slot:
    held = (told.get("slot_status") or {}).get("bundle") or {}
    return Slot(name, _text(told["bootname"]), Path(_text(told["device"])), told["state"] == "booted",
                told.get("boot_status") == "good", str(held.get("version") or ""))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"text, but {value!r}")
    return value


def _wrong(lines: list[str]) -> str:
    """What is wrong, of all that rauc said."""
    told = [line.strip() for line in lines if line.strip() and not NOISE.match(line.strip())]
    for sign in ("LastError:", "signature", "Failed", "Invalid"):
        for line in told:
            if sign in line:
                return line.removeprefix("LastError:").strip()
    return told[-1] if told else "nothing that rauc would say"
