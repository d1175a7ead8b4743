"""Power cuts at random moments of updates and of event delivery: the board always starts, and nothing that was told is lost.

`make image-test`. A cut kills the emulator and takes from its card a random part of what was not flushed (power.py). Events
flow all the time: a beat every two seconds, of which an independent subscriber keeps all that it is told. In the end the
journal on the board is compared with what the subscriber has. EDGE_AUDIO_SEED names the moments.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.cli.update_web import served
from tests.faults.account import account, key_of
from tests.faults.witness import Witness
from tests.image.machine import Disk, ImageError
from tests.image.owner import HOST_NAME, Owner
from tests.image.power import Power, PoweredMachine
from tests.image.updates import ACTIVE, BEAT, new_version, status, wait_confirmed

pytestmark = pytest.mark.slow

EVENT_CUTS, INSTALL_CUTS, START_CUTS, CUTS = 5, 6, 6, 20
SEED = int(os.environ.get("EDGE_AUDIO_SEED", "20261129"))
START_SECONDS = 1800.0
JOURNAL = ("sudo python3 -c \"import json, sqlite3; "
           "print(json.dumps(sqlite3.connect('file:/var/lib/edge-audio/journal.sqlite3?mode=ro', uri=True)"
           ".execute('{}').fetchall()))\"")


class Bench:
    """A board whose power comes and goes. cuts: by what was going on; starts: seconds of each start that was not cut."""

    def __init__(self, machine: PoweredMachine, owner: Owner, chance: random.Random) -> None:
        self.machine, self.owner, self.chance = machine, owner, chance
        self.cuts: Counter[str] = Counter()
        self.starts: list[float] = []
        self.open_sectors = self.lost_sectors = 0

    def on(self) -> None:
        """Power on; the board hears, whichever version, and can be reached."""
        after, began = len(self.machine.lines), time.monotonic()
        self.machine.start()
        self.machine.wait_for(ACTIVE.format(r"\S+", "[AB]"), START_SECONDS, after=after)
        self.starts.append(time.monotonic() - began)
        self.machine.wait_for_ssh(self.owner.key, 600)

    def cut(self, what: str, after: str = "") -> None:
        self.machine.kill()
        open_sectors, lost = self.machine.power.cut()
        self.open_sectors, self.lost_sectors = self.open_sectors + open_sectors, self.lost_sectors + lost
        self.cuts[what] += 1
        print(f"cut {sum(self.cuts.values())}: {what}{after}; {lost} of {open_sectors} sectors lost", flush=True)

    def cut_within(self, what: str, most: float) -> None:
        seconds = self.chance.uniform(0.0, most)
        time.sleep(seconds)
        self.cut(what, f", after {seconds:.1f} of at most {most:.0f} s")

    def install(self, address: str) -> threading.Thread:
        """Begin an update, and go on."""
        def update() -> None:
            try:
                self.said = self.machine.ssh(f"sudo edge-audio update {address} --allow-downgrade 2>&1", self.owner.key,
                                             timeout=START_SECONDS)
            except (ImageError, subprocess.TimeoutExpired) as error:
                self.said = str(error)
        self.said = ""
        thread = threading.Thread(target=update, daemon=True)
        thread.start()
        return thread

    def wait_proven(self) -> None:
        """Until the version that runs is on trial no longer."""
        running = self.machine.ssh(". /etc/os-release; echo $IMAGE_VERSION", self.owner.key).strip()
        wait_confirmed(self.machine, self.owner.key, running, 1800)


@pytest.fixture
def bench(image: Path, tmp_path: Path) -> Iterator[Bench]:
    chance = random.Random(SEED)
    disk = Disk.write(image / "disk.img", tmp_path / "disk.img")
    with Owner(tmp_path) as owner:
        owner.seed(disk, BEAT)
        power = Power(disk.path, chance)
        machine = PoweredMachine(disk, tools=image)
        machine.power = power
        try:
            yield Bench(machine, owner, chance)
        finally:
            machine.kill()
            power.close()


def test_a_board_survives_power_cuts_and_loses_nothing_that_it_told(image: Path, tmp_path: Path, bench: Bench) -> None:
    (web := tmp_path / "web").mkdir()
    versions = [new_version(image, web, version).name for version in ("91.1", "91.2")]
    witness = Witness(bench.owner.broker.port, HOST_NAME)
    began = time.monotonic()
    try:
        with served(web) as port:
            addresses = [f"http://10.0.2.2:{port}/{name}" for name in versions]
            bench.on()
            while bench.cuts["events flow"] < EVENT_CUTS:
                before = len(witness.received)
                assert witness.wait_for(partial(more_than, witness, before), 300)
                bench.cut_within("events flow", 15.0)
                bench.on()
            whole = install_cuts(bench, addresses)
            start_cuts(bench, addresses, whole)
            compare(bench, witness)
    finally:
        witness.close()
    print(f"{sum(bench.cuts.values())} cuts ({dict(bench.cuts)}) in {(time.monotonic() - began) / 60:.0f} min, seed {SEED}; "
          f"{len(bench.starts)} whole starts, {min(bench.starts):.0f} to {max(bench.starts):.0f} s (emulated); "
          f"{bench.lost_sectors} of {bench.open_sectors} unflushed sectors lost")
    assert bench.cuts.total() >= CUTS


def more_than(witness: Witness, count: int) -> bool:
    return len(witness.received) > count


def install_cuts(bench: Bench, addresses: list[str]) -> float:
    """Cuts anywhere in an installation; how long a whole one takes, in seconds."""
    bench.wait_proven()
    began = time.monotonic()
    bench.install(addresses[0]).join()
    assert "Version 91.1 is in slot" in bench.said, bench.said
    whole = time.monotonic() - began
    print(f"installed in {whole:.0f} s (emulated)", flush=True)
    for _ in range(INSTALL_CUTS):
        bench.install(addresses[0])
        bench.cut_within("an update is installed", 1.1 * whole)
        bench.on()
        bench.wait_proven()
    return whole


def start_cuts(bench: Bench, addresses: list[str], whole: float) -> None:
    """Cuts in the first starts of a new version, two in a row at most: three would take it back, as they should. In the end
    the board is on, and its version proven."""
    while bench.cuts["a new version starts"] < START_CUTS:
        found = status(bench.machine, bench.owner.key)
        running = next(slot for slot in found["slots"] if slot["booted"])
        address = addresses[running["version"] == "91.1"]
        bench.install(address).join(whole + START_SECONDS)
        assert "is in slot" in bench.said, bench.said
        bench.cut("an update is in")
        for _ in range(bench.chance.randint(1, 2)):
            bench.machine.start()
            bench.cut_within("a new version starts", 1.2 * min(bench.starts))
        bench.on()
        bench.wait_proven()
        other = next(slot for slot in status(bench.machine, bench.owner.key)["slots"] if slot["booted"])
        assert other["slot"] != running["slot"], "the new version was taken back"


def compare(bench: Bench, witness: Witness) -> None:
    """What the subscriber was told, and what the journal holds now."""
    assert witness.wait_for(partial(more_than, witness, len(witness.received) + 4), 300)
    bench.machine.ssh("sudo systemctl stop edge-audio", bench.owner.key, timeout=120)
    witness.wait_for(lambda: False, 5.0)
    rows, waiting = (json.loads(bench.machine.ssh(JOURNAL.format(query), bench.owner.key, timeout=120)) for query in (
        "SELECT id, ended_at FROM events", "SELECT body FROM messages WHERE body IS NOT NULL"))
    made = {(identity, phase) for identity, ended in rows for phase in ("start", "end") if phase == "start" or ended}
    made -= {key_of(json.loads(body)) for (body,) in waiting}
    told = {key_of(payload) for payload, _ in witness.received}
    found = account("power cut", bench.cuts.total(), heard=[], made=made, received=witness.received, taken=[],
                    told=witness.told)
    forgotten = {identity for identity, _ in told} - {identity for identity, _ in made}
    print(f"journal: {len(rows)} events; subscriber: {found.received} messages, {found.duplicated} of them twice; lost "
          f"{found.lost}, told and then forgotten {len(forgotten)}, numbers with two ids {found.two_ids}, holes "
          f"{found.holes}, numbers told as dropped {found.told_numbers}, longest delay {found.delay_seconds:.0f} s")
    assert len(rows) > 50 and not found.lost and not forgotten and not found.two_ids and not found.holes
    bench.machine.ssh("sudo systemctl --no-block poweroff", bench.owner.key, codes=(0, 255))
    bench.machine.wait_off(300)
    assert bench.machine.disk.check() == []
