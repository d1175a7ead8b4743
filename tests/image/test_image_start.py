"""The image, unmodified, from the first start to the first event: `make image-test`. Times in an emulator are no board's."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image import air, imager
from tests.image.machine import Disk, Machine
from tests.image.monitor import word_at
from tests.image.owner import HOST_NAME, Owner

pytestmark = pytest.mark.slow

LONG = 2400
"""Seconds in which a machine has started even where the one that emulates it is busy."""
PIN = "CHIP0:3"
"""A line of the PL061 that `-M virt` has."""
GPIO, OUTPUT = 0x3F20_0000, 1
"""Where a BCM2837 has the registers of its GPIO, GPFSEL2 at 0x08 and GPLEV0 at 0x34; what GPFSEL says of an output."""
SSID = "Attic 5"
DIGITS = imager.psk("the password of the attic", SSID)
SETTINGS = (f'[[target]]\nname = "hand_clap"\n[[pin]]\npin = "{PIN}"\ntarget = "hand_clap"\naction = "pulse"\n'
            'seconds = 600\n[page]\npassword = "seen from everywhere"\n')


class Started:
    """A machine that has started for the first time, with its owner."""

    def __init__(self, owner: Owner, machine: Machine) -> None:
        self.owner, self.machine = owner, machine

    def __call__(self, command: str, **options: object) -> str:
        """What a command of the owner prints there."""
        return self.machine.ssh(command, self.owner.key, **options)    # type: ignore[arg-type]


@pytest.fixture(scope="module")
def board(image: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    folder = tmp_path_factory.mktemp("board")
    disk = Disk.write(image / "disk.img", folder / "disk.img")
    with Owner(folder) as owner:
        owner.seed(disk, SETTINGS)
        disk.put("network-config", imager.network_config(SSID, DIGITS))
        with Machine(disk, tools=image) as machine:
            machine.wait_for("edge-audio: slot A", 120)
            line = machine.wait_for(r"edge-audio \S+ \(slot A\) is \w+ on ", LONG)
            print(f"\nfirst start, emulated: {time.monotonic() - machine.started:.0f} s to: {line}")
            machine.wait_for_ssh(owner.key, LONG)
            yield Started(owner, machine)


def test_it_starts_by_the_boot_loader_of_a_pi_3(image: Path, tmp_path: Path) -> None:
    """And the Pi's own GPIO chip has the safe states of a relay that switches on a low level (27), and of a lamp (22)."""
    disk = Disk.write(image / "disk.img", tmp_path / "disk.img")
    disk.put("edge-audio.toml", '[[pin]]\npin = 27\ntarget = "hand_clap"\nactive_high = false\n'
                                '[[pin]]\npin = "BOARD15"\ntarget = "hand_clap"\n')
    with Machine(disk, tools=image, kind="raspi3b") as machine:
        machine.wait_for("edge-audio: slot A, order A B, tries left A 2", LONG)
        assert "slot A) is active on edge-audio.local" in machine.wait_for(r"edge-audio \S+ \(slot A\) is \w+ on ", LONG)
        functions, levels = word_at(machine, GPIO + 0x08), word_at(machine, GPIO + 0x34)
        assert [functions >> 3 * (line - 20) & 7 for line in (27, 22)] == [OUTPUT, OUTPUT]
        assert [levels >> line & 1 for line in (27, 22)] == [1, 0]
    assert disk.check() == []
    assert "Image: " in disk.read("edge-audio-report.txt")    # vfat keeps a renamed file empty until it is synced


def level(board: Started) -> str:
    """What the kernel says of the pin's line, as an output of the appliance: "lo" or "hi"."""
    said = board("sudo cat /sys/kernel/debug/gpio")
    base = re.search(r"gpiochip0: GPIOs (\d+)-", said)
    assert base is not None, said
    line = re.search(rf"gpio-{int(base[1]) + int(PIN.partition(':')[2])} .*edge-audio.* out (\w+)", said)
    assert line is not None, said
    return line[1]


def test_a_clap_reaches_the_subscriber_and_the_pin(board: Started) -> None:
    assert level(board) == "lo"
    before = len(board.owner.subscriber.seen)
    board.owner.clap(board.machine)
    try:
        event = board.owner.subscriber.wait_for("event/hand_clap", 240)
        uptime = float(board("cut -d ' ' -f 1 /proc/uptime"))
        passed = time.monotonic() - board.machine.started
        print(f"\nfirst event, emulated: {passed:.0f} s after power, {uptime:.0f} s by the board's own clock")
        assert event["device"] == HOST_NAME and event["phase"] == "start" and event["probability"] > 0.5
        board.owner.subscriber.wait_for(f"pin/{PIN}", 60, payload="ON", after=before)    # before its event, or after
        assert level(board) == "hi"
        health = board.owner.subscriber.wait_for("/health", 120)
        assert health["delegate"] == "ok" and health["sinks"]["mqtt"] == "connected"
    finally:
        board("sudo systemctl stop claps")


def test_what_the_owner_wrote_is_so(board: Started) -> None:
    assert board("hostname").strip() == HOST_NAME
    assert board("date +%Z").strip() in ("GMT", "BST")
    assert board("id -un").strip() == "owner"
    report = board("sudo cat /boot/firmware/edge-audio-report.txt")
    assert "NOT TAKEN" not in report and "edge-audio.toml" in report


def test_the_wi_fi_that_the_owner_named_is_joined(board: Started, image: Path) -> None:
    """By netplan, wpa_supplicant and systemd-networkd of the image, at a simulated access point."""
    assert DIGITS not in board("sudo cat /boot/firmware/network-config")
    air.raise_access_point(board.machine, board.owner.key, image, SSID, DIGITS)
    found = board(f"for i in $(seq 120); do ip -4 -o address show wlan0 | grep -F {air.ADDRESS} && break; sleep 1; done; "
                  "sudo wpa_cli -i wlan0 status", timeout=400)
    assert f"ssid={SSID}\n" in found and "wpa_state=COMPLETED" in found and air.ADDRESS in found, found
    board("sudo systemctl stop access; sudo rmmod mac80211_hwsim; sleep 2")


def test_nothing_failed_and_the_root_is_read_only(board: Started) -> None:
    assert board("systemctl --failed --no-legend --plain") == ""
    assert "ro" in board("findmnt -n -o OPTIONS /").split(",")
    assert "Read-only file system" in board("sudo touch /etc/probe 2>&1", codes=(1,))
    assert board("findmnt -n -o SOURCE /etc/edge-audio").endswith("[/etc-edge-audio]\n")
    assert int(board("df --output=size -BM /data | tail -n 1").strip().rstrip("M")) > 2400    # a card of 4 GiB


def test_there_is_no_password_and_nothing_listens_but_what_is_meant(board: Started) -> None:
    hashes = [line.split(":")[1] for line in board("sudo cat /etc/shadow").splitlines()]
    assert hashes and all(one[:1] in ("!", "*") for one in hashes)
    offered = board("ssh -v -o BatchMode=yes -o StrictHostKeyChecking=no -o PreferredAuthentications=password x@127.0.0.1 "
                    "2>&1 || :")
    assert "Authentications that can continue: publickey\n" in offered.replace("\r", "")
    listening = set()
    for line in board("sudo ss -H -ltnup").splitlines():
        kind, _, _, _, local, *_, process = line.split()
        address, _, port = local.rpartition(":")
        if not re.match(r"127\.|\[::1\]|.*%lo$", address):
            listening.add((kind, int(port) if int(port) < 32768 else "any", process.split('"')[1]))
    # avahi asks from a port of its own; DHCP's client has its port on the interface.
    meant = {("tcp", 22, "sshd"), ("tcp", 8080, "edge-audio"), ("udp", 5353, "avahi-daemon"), ("udp", "any", "avahi-daemon"),
             ("udp", 68, "systemd-network"), ("udp", 546, "systemd-network")}
    assert {("tcp", 22, "sshd"), ("tcp", 8080, "edge-audio")} <= listening <= meant


def test_the_boot_counters_are_rauc_s(board: Started) -> None:
    """RAUC reads and writes with libubootenv what U-Boot's script reads and writes."""
    assert dict(line.split("=", 1) for line in board("sudo fw_printenv").splitlines())["BOOT_ORDER"] == "A B"
    status = board("sudo rauc status --output-format=shell")
    assert "RAUC_SYSTEM_BOOTED_BOOTNAME='A'" in status and "RAUC_SYSTEM_COMPATIBLE='edge-audio-arm64'" in status


def test_the_unit_is_as_closed_as_on_other_machines(board: Started) -> None:
    said = board("systemd-analyze security --no-pager edge-audio")
    exposure = re.search(r"Overall exposure level for edge-audio.service: (\S+)", said)
    assert exposure is not None and float(exposure[1]) <= 2.0


def test_an_idle_day_writes_little_and_needs_little(board: Started) -> None:
    board("sleep 90", timeout=330)    # what the start still has to write is over
    minutes = 3
    count = "awk '{ print $7 }' /sys/block/vda/stat"    # sectors written
    before = int(board(f"sync; {count}"))
    board(f"sleep {60 * minutes}", timeout=60 * minutes + 240)
    written = (int(board(f"sync; {count}")) - before) * 512
    day = written * 1440 / minutes / 1e6
    free = {line.split(":")[0]: int(line.split()[1]) for line in board("cat /proc/meminfo").splitlines()}
    used = (free["MemTotal"] - free["MemAvailable"]) / 1024
    ours = int(board("systemctl show -P MemoryCurrent edge-audio")) / 1e6
    print(f"\nidle: {written} bytes in {minutes} minutes, {day:.2f} MB a day; RAM in use {used:.0f} MiB of "
          f"{free['MemTotal'] / 1024:.0f}, the appliance's {ours:.0f} MB")
    assert used < 150 and day < 1


def test_it_starts_after_a_power_cut_as_the_same_board(board: Started) -> None:
    board("sudo modprobe snd-aloop && sleep 2 && sudo alsactl store && sync")
    kept = ("sha256sum /var/lib/alsa/asound.state && cat /etc/machine-id && hostname && "
            "ssh-keyscan 127.0.0.1 2> /dev/null | sort")
    before = board(kept)
    board.machine.kill()
    assert board.machine.disk.check() == []
    after = len(board.machine.lines)
    board.machine.start()
    board.machine.wait_for(r"edge-audio \S+ \(slot A\) is \w+ on ", LONG, after=after)
    board.machine.wait_for_ssh(board.owner.key, LONG)
    assert board(kept) == before


def test_the_page_asks_for_the_password_that_the_owner_wrote(board: Started) -> None:
    """The last one: for five minutes after it the page takes more memory."""
    assert "seen from everywhere" not in board("sudo cat /boot/firmware/edge-audio.toml")
    assert f"The page: http://{HOST_NAME}.local:8080/" in board("sudo cat /boot/firmware/edge-audio-report.txt")
    address = f"http://{HOST_NAME}:8080/api/session"
    said = json.loads(board(f"python3 -c 'import urllib.request as w; print(w.urlopen(\"{address}\").read().decode())'"))
    assert said["password"] is True and said["logged_in"] is False and said["csrf"] is None
    assert board("systemctl is-active edge-audio-page").strip() == "active"
