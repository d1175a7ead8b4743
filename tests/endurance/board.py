"""A board to tire: `edge-audio run` with a broker of its own, looked at as the page looks at it."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edge.cli.demonstration.broker import PrivateBroker
from edge.errors import SinkError
from edge.sinks.watching.client import WatchClient
from tests.faults.witness import Witness

ROOT = Path(__file__).resolve().parents[2]
DEVICE = "endurance"
TARGETS = ("hand_clap", "typing", "siren", "smoke_alarm", "door_knock")
PATIENCE_SECONDS = 60.0
PINS = """[[pin]]
pin = "17"
target = "hand_clap"
factory = "simulated"
seconds = 0.05
[[pin]]
pin = "27"
targets = ["siren", "smoke_alarm"]
action = "hold"
factory = "simulated"
"""


class Board:
    """The appliance's process, the watcher at its socket, and the witness behind its broker.

    events: messages of kind `event`, in order, until taken away; about, health: the newest; heard: position after the newest
    row of bands; lost: messages that this watcher was too slow for.
    """

    def __init__(self, folder: Path, broker: PrivateBroker, command: Sequence[str], *, hop_seconds: float = 0.24,
                 health_seconds: float = 60.0) -> None:
        """folder: for settings, log and state; command: prints the sound. `close` ends what this begins."""
        self.state = folder / "state"
        self._folder = folder
        self._head = "\n".join((
            "[device]", f'name = "{DEVICE}"', "[source]", 'kind = "command"', f"command = {json.dumps(list(command))}",
            "[model]", f"hop_seconds = {hop_seconds}", "[mqtt]", 'host = "127.0.0.1"', f"port = {broker.port}",
            f"health_seconds = {health_seconds}", PINS))
        self.events: list[dict[str, Any]] = []
        self.about: dict[str, Any] = {}
        self.health: dict[str, Any] = {}
        self.heard = self.lost = 0
        self._answers: dict[str, dict[str, Any]] = {}
        self.witness = Witness(broker.port, DEVICE)
        self.set_targets(TARGETS)
        with (folder / "log").open("wb") as log:
            run = ["run", "--config", str(folder / "settings.toml"), "--state-dir", str(self.state)]
            self._process = subprocess.Popen(
                [sys.executable, "-m", "edge", *run],
                cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log,
                env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"})
        self.client: WatchClient | None = None

    @property
    def pid(self) -> int:
        """The appliance's process."""
        return self._process.pid

    @property
    def said(self) -> str:
        """The end of what it wrote to standard error."""
        return (self._folder / "log").read_text(encoding="utf-8", errors="replace")[-3_000:]

    def set_targets(self, names: Sequence[str]) -> None:
        """Write the settings with these targets; a reload takes them up."""
        targets = "".join(f'[[target]]\nname = "{name}"\n' for name in names)
        (self._folder / "settings.toml").write_text(self._head + targets, encoding="utf-8")

    def look(self) -> None:
        """Connect to the watch socket, and want what the page wants."""
        self.wait(self._connected)
        assert self.client is not None
        self.client.want("bands", "health", "pins")

    def wait(self, true: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
        """Take what is told until something is true. Raises TimeoutError; RuntimeError where the process has ended."""
        deadline = time.monotonic() + seconds
        while not true():
            if self._process.poll() is not None:
                raise RuntimeError(f"the appliance ended by itself:\n{self.said}")
            if time.monotonic() > deadline:
                raise TimeoutError(self.said)
            self.take(0.05)

    def take(self, seconds: float) -> None:
        """Take what is told, and wait so long at most where nothing is."""
        if self.client is None:
            time.sleep(seconds)  # nothing tells when a socket comes
            return
        select.select([self.client], [], [], seconds)
        for told in self.client.take():
            match told["kind"]:
                case "bands":
                    self.heard = told["position"] + 160 * told["rows"]
                case "event":
                    self.events.append(told)
                case "about":
                    self.about = told["about"]
                case "health":
                    self.health = told["health"]
                case "lost":
                    self.lost += told["messages"]
                case "answer":
                    self._answers[told["command"]] = told

    def fresh_health(self) -> dict[str, Any]:
        """Its counters, told after this call."""
        self.health = {}
        self.wait(lambda: bool(self.health))
        return self.health

    def reload(self) -> list[str]:
        """Have it take up its settings; the targets that are heard from then on. Raises RuntimeError where it does not."""
        assert self.client is not None
        self._answers.pop("reload", None)
        self.client.command("reload")
        self.wait(lambda: "reload" in self._answers)
        answer = self._answers["reload"]
        if not answer["ok"]:
            raise RuntimeError(f"reload: {answer['error']}")
        return list(answer["targets"])

    def close(self) -> None:
        """End the appliance as systemd does, and hang up."""
        if self.client is not None:
            self.client.close()
        self._process.terminate()
        self._process.wait(PATIENCE_SECONDS)
        self.witness.close()

    def _connected(self) -> bool:
        try:
            self.client = WatchClient(self.state)
        except SinkError:
            return False
        return True


@contextmanager
def board(folder: Path, command: Sequence[str], *, hop_seconds: float = 0.24,
          health_seconds: float = 60.0) -> Iterator[Board]:
    """A board with a private Mosquitto, both gone at the end."""
    with PrivateBroker() as broker:
        made = Board(folder, broker, command, hop_seconds=hop_seconds, health_seconds=health_seconds)
        try:
            made.look()
            yield made
        finally:
            made.close()
