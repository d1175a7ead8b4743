"""An owner with an image: settings for a card, a key, a broker on this machine, and what the board says to it."""

from __future__ import annotations

import json
import queue
import subprocess
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from edge.cli.demonstration.broker import PrivateBroker
from tests.image.machine import Disk, ImageError, Machine

HOST_NAME = "attic"
CLAPS = "/usr/lib/edge-audio/edge_models/demo/claps.wav"


class Subscriber:
    """All messages of a broker, from now on."""

    def __init__(self, broker: PrivateBroker) -> None:
        self.seen: list[tuple[str, str]] = []
        self._new: queue.Queue[tuple[str, str]] = queue.Queue()
        words = ["mosquitto_sub", "-h", broker.host, "-p", str(broker.port), "-V", "mqttv5", "-t", "#", "-F", "%t %p"]
        self._process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            topic, _, payload = line.rstrip("\n").partition(" ")
            self.seen.append((topic, payload))
            self._new.put((topic, payload))

    def wait_for(self, topic: str, seconds: float, *, payload: str = "", after: int | None = None) -> Any:
        """The next message on a topic that ends so, decoded where it is JSON. Raises ImageError.

        after: look first through those of `seen` from this number on, which an earlier call may have passed over.
        """
        for found, said in [] if after is None else self.seen[after:]:
            if found.endswith(topic) and payload in said:
                return json.loads(said) if said[:1] in "{[" else said
        deadline = time.monotonic() + seconds
        while True:
            try:
                found, said = self._new.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                last = ", ".join(sorted({name for name, _ in self.seen})) or "nothing"
                raise ImageError(f"broker: no message on .../{topic} in {seconds:.0f} s; found {last}") from None
            if found.endswith(topic) and payload in said:
                return json.loads(said) if said[:1] in "{[" else said

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()
        self._reader.join()
        assert self._process.stdout is not None
        self._process.stdout.close()


class Owner:
    """A context: a key that was made just now, and a broker with a subscriber. `seed` writes a card as its owner would."""

    def __init__(self, folder: Path) -> None:
        self.key = folder / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key], check=True)
        self.broker = PrivateBroker()

    def __enter__(self) -> Owner:
        self.broker.__enter__()
        self.subscriber = Subscriber(self.broker)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.subscriber.close()
        self.broker.__exit__(kind, error, trace)

    def seed(self, disk: Disk, settings: str = "") -> None:
        """Host name, user, key, time zone; a broker at 10.0.2.2; `settings` are added to edge-audio.toml."""
        public = self.key.with_suffix(".pub").read_text().strip()
        disk.put("user-data", f"#cloud-config\nhostname: {HOST_NAME}\ntimezone: Europe/London\nusers:\n- name: owner\n"
                              f"  groups: users,audio,gpio,sudo\n  shell: /bin/bash\n  sudo: ALL=(ALL) NOPASSWD:ALL\n"
                              f"  lock_passwd: true\n  ssh_authorized_keys:\n  - {public}\n")
        disk.put("meta-data", "instance-id: one\n")
        disk.put("edge-audio.toml", f'[mqtt]\nhost = "10.0.2.2"\nport = {self.broker.port}\nhealth_seconds = 10\n{settings}')

    def clap(self, machine: Machine) -> None:
        """A microphone that hears the bundled claps over and over: a loop-back card, and a player at its other end."""
        machine.ssh("sudo modprobe snd-aloop && sleep 1", self.key)
        play = f"aplay -q -D plughw:Loopback,1,0 {CLAPS}"
        machine.ssh(f"sudo systemd-run --quiet --unit=claps --property=Restart=always {play}", self.key)
