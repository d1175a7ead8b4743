"""New versions of the image that was built, signed with the key that it trusts, and what a board says of updates."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.cli.update_bundles import IMAGE, PATH
from tests.image.machine import ImageError, Machine

BEAT = '''keepalive_seconds = 3600
[source]
kind = "command"
rate = 16000
channels = 1
command = ["/usr/bin/python3", "-c", """
import array, random, sys, time
chance = random.Random(1)
quiet, loud = (array.array('h', (chance.randint(-a, a) for _ in range(1600))).tobytes() for a in (60, 8000))
count, due = 0, time.monotonic()
while True:
    sys.stdout.buffer.write(loud if count % 20 < 4 else quiet)
    sys.stdout.buffer.flush()
    count, due = count + 1, due + 0.1
    time.sleep(max(0, due - time.monotonic()))
"""]
[[target]]
name = "beat"
louder_db = 12.0
'''
"""Settings of a board that hears something loud every two seconds: an event, with its start and its end. What `Owner.seed`
writes before them ends with [mqtt]: the machine's clock is slow, and the broker must not take it for dead."""
ACTIVE = r"edge-audio {} \(slot {}\) is active on "
"""What the console says once a version hears."""


def keys_of(image: Path) -> Path:
    """The keys that the image was built with."""
    return Path(os.environ.get("KEYS") or image / "keys-for-tests")


def new_version(image: Path, folder: Path, version: str, changes: Mapping[str, Callable[[str], str]] | None = None) -> Path:
    """A bundle with the image's root, but for its version and for `changes`: what becomes of a file's text."""
    root = folder / f"{version}.ext4"
    subprocess.run(["cp", "--sparse=always", image / "root.ext4", root], check=True)
    for path, change in {"/usr/lib/os-release": lambda text: _versioned(text, version), **(changes or {})}.items():
        beside = folder / "changed"
        beside.write_text(change(_debugfs(root, f"cat {path}")))
        beside.chmod(0o644)
        _debugfs(root, f"rm {path}", write=True)
        _debugfs(root, f"write {beside} {path}", write=True)
        assert _debugfs(root, f"cat {path}") == beside.read_text()
    bundle = folder / f"{version}.raucb"
    subprocess.run([IMAGE / "bundle.sh", root, keys_of(image), bundle], check=True, stdout=subprocess.DEVNULL,
                   env={**os.environ, "PATH": PATH, "LEVEL": "1", "RAUC": f"{IMAGE / 'tool.sh'} {image} rauc"})
    root.unlink()
    return bundle


def tampered(bundle: Path) -> Path:
    """The same with a byte changed in the middle of the root; its signature is whole."""
    path = bundle.with_name("tampered.raucb")
    shutil.copy(bundle, path)
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        byte = file.read(1)[0]
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 1]))
    return path


def _versioned(text: str, version: str) -> str:
    lines = [line for line in text.splitlines() if not line.startswith("IMAGE_VERSION=")]
    return "\n".join([*lines, f"IMAGE_VERSION={version}", ""])


def _debugfs(root: Path, command: str, *, write: bool = False) -> str:
    words = ["debugfs", *(["-w"] if write else []), "-R", command, str(root)]
    return subprocess.run(words, check=True, capture_output=True, text=True, env={**os.environ, "PATH": PATH}).stdout


def status(machine: Machine, key: Path) -> dict[str, Any]:
    """What `edge-audio update --status` says."""
    return dict(json.loads(machine.ssh("sudo edge-audio update --status --format json", key, timeout=600)))


def wait_confirmed(machine: Machine, key: Path, version: str, seconds: float) -> dict[str, Any]:
    """Wait until this version is proven; the status then. Raises ImageError."""
    deadline = time.monotonic() + seconds
    while True:
        found = status(machine, key)
        running = next(slot for slot in found["slots"] if slot["booted"])
        if found["trial"] is None and running["version"] == version and running["good"] and running["next"]:
            return found
        if time.monotonic() > deadline:
            raise ImageError(f"update: version {version} is not proven in {seconds:.0f} s: {found}\n{machine.console()}")
        time.sleep(3)
