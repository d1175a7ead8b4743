"""Updates in the emulated machine: a good one is taken, a tampered one refused, one that fails comes back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.update_web import served
from tests.image.machine import Disk, Machine
from tests.image.owner import Owner
from tests.image.updates import ACTIVE, BEAT, new_version, status, tampered, wait_confirmed

pytestmark = pytest.mark.slow

GOOD, BROKEN = "90.1", "90.2"
PATIENCE = 1800.0
UNITS = "/usr/lib/systemd/system"


class Board:
    """One machine through all of it, its owner, and the address of bundles."""

    def __init__(self, owner: Owner, machine: Machine, web: str, folder: Path) -> None:
        self.owner, self.machine, self.web, self.folder = owner, machine, web, folder

    def __call__(self, command: str, *, timeout: float = 600, codes: tuple[int, ...] = (0,)) -> str:
        return self.machine.ssh(command, self.owner.key, timeout=timeout, codes=codes)

    def restart(self, version: str, slot: str) -> None:
        """Until that version hears, from that slot, and can be reached."""
        after = len(self.machine.lines)
        self("sudo systemctl --no-block reboot", codes=(0, 255))
        self.hears(version, slot, after)

    def hears(self, version: str, slot: str, after: int, seconds: float = PATIENCE) -> None:
        self.machine.wait_for(ACTIVE.format(version, slot), seconds, after=after)
        self.machine.wait_for_ssh(self.owner.key, 600)


@pytest.fixture(scope="module")
def board(image: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    folder = tmp_path_factory.mktemp("update")
    (web := folder / "web").mkdir()
    began = time.monotonic()
    bundle = new_version(image, web, GOOD)
    print(f"\na bundle of {bundle.stat().st_size / 1e6:.0f} MB in {time.monotonic() - began:.0f} s")
    disk = Disk.write(image / "disk.img", folder / "disk.img")
    with Owner(folder) as owner, served(web) as port:
        owner.seed(disk, BEAT)
        with Machine(disk, tools=image) as machine:
            made = Board(owner, machine, f"http://10.0.2.2:{port}", web)
            made.hears(r"\S+", "A", 0)
            yield made


def test_the_first_start_is_proven(board: Board) -> None:
    running = board(". /etc/os-release; echo $IMAGE_VERSION").strip()
    found = wait_confirmed(board.machine, board.owner.key, running, PATIENCE)
    assert found["update"] == "ok" and found["failure"] is None
    assert "BOOT_A_LEFT=3" in board("sudo fw_printenv")


def test_a_tampered_bundle_is_refused(board: Board) -> None:
    """Its signature is good, so it is found out while it is copied; what runs stays the one to boot."""
    path = tampered(board.folder / f"{GOOD}.raucb")
    said = board(f"sudo edge-audio update {board.web}/{path.name} 2>&1", timeout=PATIENCE, codes=(1,))
    assert "the other slot is not booted" in said and "mounting bundle" not in said, said
    print(f"\ntampered: {said.strip().splitlines()[-1]}")
    found = status(board.machine, board.owner.key)
    assert found["trial"] is None and [slot["next"] for slot in found["slots"]] == [True, False]


def test_a_good_bundle_is_taken(board: Board) -> None:
    began = time.monotonic()
    said = board(f"sudo edge-audio update {board.web}/{GOOD}.raucb 2>&1", timeout=PATIENCE)
    took = time.monotonic() - began
    assert f"Version {GOOD} is in slot B" in said
    began = time.monotonic()
    board.restart(GOOD, "B")
    started = time.monotonic() - began
    wait_confirmed(board.machine, board.owner.key, GOOD, PATIENCE)
    proven = time.monotonic() - began
    print(f"\ninstalled in {took:.0f} s, hears after {started:.0f} s, proven after {proven:.0f} s (emulated)")
    assert "BOOT_B_LEFT=3" in board("sudo fw_printenv")
    refused = board(f"sudo edge-audio update {board.web}/{GOOD}.raucb 2>&1", timeout=600, codes=(1,))
    assert f"wanted one newer than {GOOD}" in refused


def test_a_version_that_fails_its_self_check_comes_back_and_is_told(image: Path, board: Board) -> None:
    """The same root, but for a service that does not start, and for a self-check that loses patience sooner."""
    new_version(image, board.folder, BROKEN, {
        f"{UNITS}/edge-audio.service": lambda text: text.replace("ExecStart=/usr/bin", "ExecStart=/nonexistent"),
        f"{UNITS}/edge-audio-confirm.service": lambda text: text.replace("--confirm", "--confirm --patience 10")})
    after, began = len(board.machine.lines), time.monotonic()
    board(f"sudo edge-audio update {board.web}/{BROKEN}.raucb --reboot 2>&1", timeout=PATIENCE, codes=(0, 255))
    board.hears(GOOD, "B", after, 4 * PATIENCE)
    starts = [line for line in board.machine.lines[after:] if "edge-audio: slot " in line]
    assert [line.split("slot ")[1][0] for line in starts] == ["A", "A", "A", "B"], starts
    print(f"\ntaken back after {time.monotonic() - began:.0f} s and three starts (emulated)")
    wait_confirmed(board.machine, board.owner.key, GOOD, PATIENCE)
    failure = status(board.machine, board.owner.key)["failure"]
    assert failure["version"] == BROKEN and "the unit is" in failure["reason"]
    health = board.owner.subscriber.wait_for("/health", 600, payload="was taken back")
    assert health["update"].startswith(f"version {BROKEN} was taken back: the unit is ")
    said = board(f"printf '[update]\\nurl = \"{board.web}/{BROKEN}.raucb\"\\nhour = %d\\n' $(date +%-H) > /tmp/update.toml; "
                 "sudo edge-audio update --scheduled --config /tmp/update.toml 2>&1", timeout=600)
    assert f"has version {BROKEN}, which was taken back" in said
