"""What every fault stands on: a broker, a tap before it, a witness behind it, and an appliance that hears claps."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.cli.demonstration.broker import PrivateBroker
from tests.faults.account import Account, Key, account, key_of
from tests.faults.appliance import DEVICE, Appliance
from tests.faults.tap import Tap
from tests.faults.witness import Witness


class Bench:
    """One fault's. The tap is open only while the witness is subscribed, so that no broker forgets what nobody awaits."""

    def __init__(self, folder: Path, broker: PrivateBroker, chance: random.Random, *, password: str = "") -> None:
        """password: the broker's, of user `edge`, if it wants one."""
        self.folder, self.broker, self.chance = folder, broker, chance
        self.witness = Witness(broker.port, DEVICE, user="edge" if password else "", password=password)
        self.tap = Tap(broker.port)
        self.tap.open()
        self._made: set[Key] = set()
        self.appliance = Appliance(folder, self.tap.port)
        self.rules = folder

    def close(self) -> None:
        """End all that was begun here, but for the broker."""
        self.appliance.kill()
        self.tap.shut()
        self.witness.close()

    def some_seconds(self, most: float) -> None:
        """A random while, of which nothing is to be noticed but what comes meanwhile."""
        self.witness.wait_for(lambda: False, self.chance.uniform(0.0, most))

    def kill_appliance(self) -> None:
        """End it and note what it had made."""
        self.appliance.kill()
        self.note_made()

    def stop_appliance(self) -> None:
        """As systemd does; else as `kill_appliance`."""
        self.appliance.stop()
        self.note_made()

    def note_made(self) -> None:
        """Note what the journal holds now; before what is in it is damaged."""
        self._made |= self.appliance.made().messages

    def kill_broker(self) -> None:
        """End it; the line is refused from now on."""
        self.broker.kill()
        self.tap.shut()
        self.witness.lost()

    def start_broker(self) -> None:
        """A new one, without memory; the line is open once the witness is subscribed."""
        self.broker.start()
        self.witness.wait_subscribed()
        self.tap.open()

    def wait_for_messages(self, more: int = 1) -> None:
        """Until the witness has received so many more."""
        count = len(self.witness.received) + more
        self.appliance.wait(lambda: len(self.witness.received) >= count)

    def wait_for_newer(self) -> None:
        """Until one that is heard after now has come, and so all that waited: the oldest go first."""
        heard, count = self.appliance.heard(), len(self.witness.received)
        newest = heard[-1]["sequence"] if heard else 0
        self.appliance.wait(lambda: any(one["sequence"] > newest for one, _ in self.witness.received[count:]))

    def drain(self) -> None:
        """No fault any more: what waits is delivered, however it was left. Raises TimeoutError where something stays."""
        self.stop_appliance()
        for _ in range(3):
            said = len(self.witness.said)
            self.appliance.start(quiet=True)
            self.appliance.wait(lambda said=said: ("status", "online") in self.witness.said[said:])
            waiting = self.appliance.made().waiting
            self.witness.wait_for(lambda waiting=waiting: waiting <= {key_of(one) for one, _ in self.witness.received}, 20.0)
            self.stop_appliance()
            if not self.appliance.made().waiting:
                return
        raise TimeoutError(f"messages wait still:\n{self.appliance.said[-3000:]}")

    def account(self, fault: str, times: int, *, excused: str = "") -> Account:
        """Drain, and reckon."""
        self.drain()
        return account(fault, times, heard=self.appliance.heard(), made=self._made, received=self.witness.received,
                       taken=self.tap.taken, told=self.witness.told, excused=excused)


@contextmanager
def bench(seed: str, *, password: str = "", rules: str = "") -> Iterator[Bench]:
    """A bench in a folder of its own, gone at the end. seed: of its random moments; rules: the broker's access rules
    (`Bench.rules` is their file)."""
    with tempfile.TemporaryDirectory(prefix="edge-audio-faults-") as folder:
        written = Path(folder, "rules")
        written.write_text(rules)
        with PrivateBroker(user="edge" if password else "", password=password,
                           extra=f"acl_file {written}" if rules else "") as broker:
            made = Bench(Path(folder, "appliance"), broker, random.Random(seed), password=password)
            made.rules = written
            try:
                yield made
            finally:
                made.close()
