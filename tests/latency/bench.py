"""One run: claps played in real time to a real appliance, with a private Mosquitto and a simulated pin."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.cli.demonstration.broker import PrivateBroker
from edge.sinks.mqtt.subscriber import Subscriber
from tests.latency.parts import Run, parts_of
from tests.latency.sound import Claps
from tests.sources.pulse_server import NAME, PulseServer

ROOT = Path(__file__).resolve().parents[2]
FEEDER = Path(__file__).with_name("feeder.py")
DEVICE = "latency"
PATIENCE_SECONDS = 60.0
SOURCES = ("command", "pulse")


class Heard:
    """A subscriber's side: when the start of each event came, by id."""

    def __init__(self) -> None:
        self.received: dict[str, float] = {}
        self.online = threading.Event()

    def receive(self, topic: str, payload: str, _retained: bool) -> None:
        at = time.monotonic()
        if topic.endswith("/status") and payload == "online":
            self.online.set()
        elif "/event/" in topic:
            message = json.loads(payload)
            if message["phase"] == "start":
                self.received.setdefault(message["id"], at)


def measure(folder: Path, claps: Claps, *, source: str, hop: float, model: str, block: float | None) -> Run:
    """Play all of it. source: one of SOURCES. block: seconds, None: as the settings have it."""
    samples, dates = folder / "samples.raw", folder / "dates"
    samples.write_bytes(claps.samples.astype("<i2").tobytes())
    dates.touch()
    feed = [sys.executable, str(FEEDER), str(samples), str(dates)]
    with PrivateBroker() as broker, contextlib.ExitStack() as ending:
        heard, environment, lines = Heard(), {}, [f"command = {json.dumps(feed)}", 'kind = "command"']
        if source == "pulse":
            server = PulseServer(folder)
            ending.callback(server.end)
            server.start()
            server.load_pipe()
            environment, lines = server.environment, [f'microphone = "{NAME}"']
            ending.enter_context(running([*feed, str(server.pipe)]))
        if block is not None:
            lines.append(f"block_seconds = {block}")
        settings = folder / "settings.toml"
        settings.write_text("\n".join((
            "[source]", *lines, "[model]", f'name = "{model}"', f"hop_seconds = {hop}", "[device]", f'name = "{DEVICE}"',
            "[[target]]", 'name = "hand_clap"', "[[pin]]", 'pin = "22"', 'target = "hand_clap"', "seconds = 0.2",
            'factory = "simulated"', "[mqtt]", f'host = "{broker.host}"', f"port = {broker.port}", "discovery = false", "")),
            encoding="utf-8")
        ending.enter_context(Subscriber(broker.settings(), [f"edge-audio/{DEVICE}/#"], heard.receive))
        notes = folder / "notes.npz"
        ears = [sys.executable, "-m", "tests.latency.ears", str(settings), str(folder / "state"), str(notes)]
        with running(ears, environment) as appliance:
            assert heard.online.wait(PATIENCE_SECONDS), "no appliance"
            _await_written(dates, len(claps.samples), appliance)
        # Its end is in good order: it has sent all that it made.
        assert appliance.returncode == 0, f"the appliance ended with {appliance.returncode}"
        with np.load(notes) as noted:
            return parts_of(claps, _dates(dates), dict(noted), heard.received)


@contextlib.contextmanager
def running(command: list[str], environment: dict[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A process, told to end at the end, and waited for."""
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE_SECONDS)
            finally:
                process.kill()


@contextlib.contextmanager
def busy(processes: int) -> Iterator[None]:
    """So many processes that do nothing but compute, as eager as the appliance."""
    with contextlib.ExitStack() as ending:
        for _ in range(processes):
            ending.enter_context(running([sys.executable, "-c", "while True: pass"]))
        yield


def _dates(file: Path) -> NDArray[np.float64]:
    return np.frombuffer(file.read_bytes(), np.float64)


def _await_written(dates: Path, samples: int, appliance: subprocess.Popen[bytes]) -> None:
    """Until all was played, and a moment more. The feeder tells its progress by the length of its file."""
    wanted = 8 * (samples // 160 + 100)
    before, moved_at = -1, time.monotonic()
    while (size := dates.stat().st_size) < wanted:
        assert appliance.poll() is None, "the appliance ended by itself"
        if size != before:
            before, moved_at = size, time.monotonic()
        assert time.monotonic() < moved_at + PATIENCE_SECONDS, "nothing is played"
        time.sleep(0.2)
