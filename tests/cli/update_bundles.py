"""Keys, roots and bundles as deploy/image makes them, small, and a board whose rauc is the real one on a private bus."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
IMAGE = ROOT / "deploy" / "image"
COMPATIBLE = "edge-audio-arm64"
PROGRAMS = ("rauc", "mksquashfs", "mkfs.ext4", "openssl", "dbus-daemon", "dbus-send")
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
SLOT_BYTES = 4 << 20

BOOT_LOADER = """#!/bin/sh
# What rauc asks of a boot loader of one's own: order and bad slots lie in two files.
cd "$(dirname "$0")"
case $1 in
    get-primary) cut -c 1 order ;;
    set-primary) echo "$2" > order; rm -f "bad.$2" ;;
    get-state) if [ -e "bad.$2" ]; then echo bad; else echo good; fi ;;
    set-state) if [ "$3" = bad ]; then touch "bad.$2"; else rm -f "bad.$2"; fi; echo "$2 $3" >> calls ;;
    get-current) echo A ;;
esac
"""


def missing() -> str:
    """The first program that is not here; "" where all are."""
    return next((program for program in PROGRAMS if shutil.which(program, path=PATH) is None), "")


def script(name: str, *words: str | Path, code: int = 0, **variables: str) -> str:
    """Run one of deploy/image; what it said."""
    done = subprocess.run([IMAGE / name, *words], capture_output=True, text=True, check=False,
                          env={**os.environ, "PATH": PATH, "LEVEL": "1", **variables})
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def root_image(path: Path, version: str, compatible: str = COMPATIBLE, size: int = 1 << 20) -> Path:
    """A root of `size` bytes that says what it is, and holds what no compression makes small."""
    tree = path.with_suffix(".tree")
    (tree / "etc" / "rauc").mkdir(parents=True)
    (tree / "etc" / "os-release").write_text(f'ID=debian\nIMAGE_VERSION="{version}"\n')
    (tree / "etc" / "rauc" / "system.conf").write_text(f"[system]\ncompatible={compatible}\n")
    (tree / "noise").write_bytes(os.urandom(100_000))
    with path.open("wb") as file:
        file.truncate(size)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-d", tree, path], check=True, env={**os.environ, "PATH": PATH})
    return path


def bundle(folder: Path, keys: Path, version: str, compatible: str = COMPATIBLE, size: int = 1 << 20) -> Path:
    """A bundle of a new root, signed with these keys."""
    name = f"{compatible}-{version}-{keys.name}"
    script("bundle.sh", root_image(folder / f"{name}.ext4", version, compatible, size), keys, folder / f"{name}.raucb")
    return folder / f"{name}.raucb"


@contextmanager
def board_folder(folder: Path, keys: Path, version: str) -> Iterator[Path]:
    """A root folder with what the image has of rauc, while `rauc service` runs for it on a bus of its own."""
    for part in ("etc/rauc", "proc/sys/kernel/random", "run", "data/system", "loader", "mount"):
        (folder / part).mkdir(parents=True)
    (folder / "etc/os-release").write_text(f"IMAGE_VERSION={version}\n")
    (folder / "proc/sys/kernel/random/boot_id").write_text("this boot\n")
    for slot in "AB":
        with (folder / f"slot{slot}").open("wb") as file:
            file.truncate(SLOT_BYTES)
    loader = folder / "loader" / "loader.sh"
    loader.write_text(BOOT_LOADER)
    loader.chmod(0o755)
    (folder / "loader" / "order").write_text("A\n")
    conf = folder / "etc/rauc/system.conf"
    conf.write_text(f"[system]\ncompatible={COMPATIBLE}\nbootloader=custom\nbundle-formats=-plain\n"
                    f"data-directory={folder}/data\nmountprefix={folder}/mount\n\n[keyring]\npath={keys}/ca.cert.pem\n\n"
                    f"[handlers]\nbootloader-custom-backend={loader}\n"
                    + "".join(f"\n[slot.rootfs.{number}]\ndevice={folder}/slot{slot}\ntype=raw\nbootname={slot}\n"
                              for number, slot in enumerate("AB")))
    address = f"unix:path={folder}/bus"
    before = {name: os.environ.get(name) for name in ("DBUS_SESSION_BUS_ADDRESS", "DBUS_STARTER_BUS_TYPE")}
    os.environ.update(DBUS_SESSION_BUS_ADDRESS=address, DBUS_STARTER_BUS_TYPE="session")
    running = []
    try:
        for words in (["dbus-daemon", "--session", "--nofork", "--nopidfile", f"--address={address}"],
                      ["rauc", f"--conf={conf}", "--override-boot-slot=A", "service"]):
            if words[0] == "rauc":
                _await((folder / "bus").exists)
            running.append(subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        ask = ["dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.DBus", "/",
               "org.freedesktop.DBus.NameHasOwner", "string:de.pengutronix.rauc"]
        _await(lambda: "true" in subprocess.run(ask, capture_output=True, text=True, check=False).stdout)
        yield folder
    finally:
        for process in reversed(running):
            process.terminate()
            process.wait()
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)


def _await(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30.0
    while not true():
        assert time.monotonic() < deadline, "no rauc service on the bus"
        time.sleep(0.02)
