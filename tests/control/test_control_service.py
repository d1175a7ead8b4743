"""Reload as a service gets it: a real process without a terminal, SIGHUP, an edited file."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge.settings import MqttSettings
from tests.control.commanding import DEMO, PATIENCE_SECONDS, Owner

pytestmark = pytest.mark.big

ROOT = DEMO.parents[1]

NOISE = """
import os, time
while True:
    os.write(1, os.urandom(3200))   # 0.1 s of full-scale noise
    time.sleep(0.09)
"""


class Service:
    """`edge-audio run` as a service has it: a process without a terminal, its log line by line."""

    def __init__(self, folder: Path, settings: str) -> None:
        self.path = folder / "edge.toml"
        self.path.write_text(settings)
        self.lines: list[str] = []
        self._changed = threading.Condition()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "edge", "run", "--config", str(self.path)], cwd=ROOT, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
            env={**os.environ, "EDGE_AUDIO_STATE": str(folder)})
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._changed:
                self.lines.append(line)
                self._changed.notify_all()

    def says(self, words: str) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: any(words in line for line in self.lines), PATIENCE_SECONDS), self.lines

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE_SECONDS)
        self._reader.join(PATIENCE_SECONDS)
        assert self.process.stderr is not None
        self.process.stderr.close()
        return self.process.returncode


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Callable[[str], Service]]:
    running: list[Service] = []

    def run(settings: str) -> Service:
        running.append(Service(tmp_path, settings))
        return running[-1]

    yield run
    for each in running:
        each.process.kill()
        each.stop()


def test_sighup_reloads_a_service(service: Callable[[str], Service], owner: Owner, mqtt: MqttSettings) -> None:
    """A real process: the settings are edited, SIGHUP sent, and the broker hears of the new target; a slip is said."""
    head = ('[device]\nname = "kitchen"\n'
            f'[source]\nkind = "command"\ncommand = ["{sys.executable}", "-c", {json.dumps(NOISE)}]\n'
            f'[mqtt]\nhost = "{mqtt.host}"\nport = {mqtt.port}\n[log]\nevents = ""\n')
    running = service(f'{head}[[target]]\nname = "hand_clap"\n')
    owner.wait_for(lambda: owner.last("state/hand_clap"))
    running.says(": heard")
    running.path.write_text(f'{head}[[target]]\nname = "loud"\nlouder_db = "six"\n')
    running.process.send_signal(signal.SIGHUP)
    running.says("louder_db: found the string 'six'; wanted a number; what was heard before is still heard")
    running.path.write_text(f'{head}[[target]]\nname = "loud"\nlouder_db = 6.0\n[gate]\nenabled = false\n')
    for _ in range(5):
        running.process.send_signal(signal.SIGHUP)
    running.says("reload: hearing loud")
    running.says("reload: [gate] has changed, which takes a new start")
    owner.wait_for(lambda: owner.last("state/loud"))
    owner.wait_for(lambda: owner.last("state/hand_clap") == "")
    assert running.process.poll() is None and owner.last("status") == "online"
    assert running.stop() == 0
    owner.wait_for(lambda: owner.last("status") == "offline")
    assert not any("Traceback" in line for line in running.lines)
