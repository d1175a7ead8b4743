"""What systemd is told: over a real datagram socket, by path and by abstract name; then by the real program."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.app import build
from edge.control.systemd import READY_SECONDS, Systemd, status_words
from edge.errors import SourceError
from edge.settings import LogSettings, Settings, SourceSettings
from edge.sources.live import HUNG_SECONDS, LiveSource
from edge.stats import Stats
from tests.control.commanding import EndlessSource, await_
from tests.control.service_socket import PATIENCE_SECONDS, Manager

ROOT = Path(__file__).resolve().parents[2]


class Hands:
    """A clock that moves when told to."""

    def __init__(self) -> None:
        self.seconds = 50.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    manager = Manager(str(tmp_path / "notify") if request.param == "path" else f"@edge-audio-{time.monotonic_ns()}")
    yield manager
    manager.close()


def beat(systemd: Systemd, *, heard: bool = True, alive: bool = True, words: str = "hearing hand_clap") -> None:
    systemd.beat(heard=heard, alive=alive, words=lambda: words)


def test_ready_words_signs_of_life_a_reload_and_the_end(manager: Manager) -> None:
    clock = Hands()
    systemd = Systemd(manager.address, watchdog_seconds=30.0, clock=clock)
    with systemd.reload():
        pass  # nobody waits for it before the service is ready
    beat(systemd)
    for _ in range(11):
        clock.seconds += 1.0
        beat(systemd, words="hearing hand_clap;\nmqtt: away")
    before = time.monotonic_ns() // 1000
    with systemd.reload():
        pass
    systemd.stopping()
    systemd.stopping()
    beat(systemd)
    manager.is_told("STOPPING=1")
    reloading = manager.messages.pop(-3)
    assert manager.messages == ["READY=1", "STATUS=hearing hand_clap", "WATCHDOG=1", "STATUS=hearing hand_clap; mqtt: away",
                                "WATCHDOG=1", "READY=1", "STOPPING=1"]
    told = re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=(\d+)", reloading)
    assert told is not None and before <= int(told[1]) <= time.monotonic_ns() // 1000


def test_a_microphone_that_is_missing_at_the_start_keeps_nobody_waiting(manager: Manager) -> None:
    """Type=notify ends a start that is never ready; the microphone is found again without a new start."""
    clock = Hands()
    systemd = Systemd(manager.address, clock=clock)
    beat(systemd, heard=False, words="hearing hand_clap; microphone: none at all")
    clock.seconds += READY_SECONDS - 0.5
    beat(systemd, heard=False)
    manager.is_told("STATUS=hearing hand_clap")
    assert "READY=1" not in manager.messages
    clock.seconds += 0.5
    beat(systemd, heard=False)
    manager.is_told("READY=1")
    systemd.stopping()
    assert "WATCHDOG=1" not in manager.messages


def test_a_source_whose_thread_hangs_gets_no_sign_of_life(manager: Manager) -> None:
    clock = Hands()
    systemd = Systemd(manager.address, watchdog_seconds=3.0, clock=clock)
    for alive in (True, False, False, True):
        clock.seconds += 10.0
        beat(systemd, heard=False, alive=alive)
    systemd.stopping()
    manager.is_told("STOPPING=1")
    assert manager.messages.count("WATCHDOG=1") == 2


def test_a_full_queue_is_not_waited_for_and_ready_is_told_later(tmp_path: Path) -> None:
    """A datagram that finds no room makes a blocking sender wait, here the listener."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as full:
        full.bind(str(tmp_path / "notify"))
        full.setblocking(False)
        clock = Hands()
        systemd = Systemd(str(tmp_path / "notify"), clock=clock)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as others, pytest.raises(BlockingIOError):
            others.setblocking(False)
            while True:
                others.sendto(b"x", str(tmp_path / "notify"))
        beat(systemd)
        while select.select([full], [], [], 0)[0]:
            assert full.recv(100) == b"x"
        beat(systemd)
        assert full.recv(100) == b"READY=1"
        systemd.stopping()


def test_the_variables_of_systemd_are_read_once_and_taken_out(tmp_path: Path) -> None:
    """What `run` starts (arecord) is not the service. WATCHDOG_PID names another process where a shell was started."""
    ours = {"NOTIFY_SOCKET": "/nowhere", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid()), "HOME": "/"}
    other = {**ours, "WATCHDOG_PID": "1"}
    mine, theirs = Systemd.of(ours), Systemd.of(other)
    assert mine._feed_seconds == 10.0 and ours == {"HOME": "/"}
    assert theirs._feed_seconds == 0.0
    mine.stopping()
    theirs.stopping()
    beat(Systemd.of({}))


def test_words_name_what_is_wrong() -> None:
    about = {"source": "ok", "muted": False, "sinks": {"mqtt": "ok", "journal": "ok; keeps the sound of events"}}
    assert status_words(("hand_clap", "typing"), about) == "hearing hand_clap, typing"
    assert status_words((), {**about, "source": "microphone: none at all", "sinks": {"mqtt": "connecting"}}) == (
        "hearing nothing; microphone: none at all; mqtt: connecting")
    assert status_words(("hand_clap",), {**about, "muted": True}) == "muted"


class Driver(LiveSource):
    """A device whose driver hangs when it is told to, and else is not there."""

    name = "microphone 'X'"

    def __init__(self, clock: Hands) -> None:
        super().__init__(SourceSettings(retry_seconds=0.1), Stats(), clock=clock)
        self.hung, self.tries = threading.Event(), 0
        self.let_go = threading.Event()

    def _hear(self) -> None:
        self.tries += 1
        if self.hung.is_set():
            assert self.let_go.wait(PATIENCE_SECONDS)
        raise SourceError(self.name, found="none", wanted="one")


def test_a_thread_in_a_driver_that_does_not_return_shows_and_a_missing_device_does_not() -> None:
    clock = Hands()
    driver = Driver(clock)
    for _ in driver.blocks():
        clock.seconds += HUNG_SECONDS
        if driver.tries >= 2 and not driver.hung.is_set():
            assert driver.trouble == "missing" and not driver.hangs  # it is between two tries, or in one that has just begun
            driver.hung.set()
        elif driver.hung.is_set() and driver.hangs:
            assert driver.trouble == "hanging" and driver.state == "microphone 'X' hangs in its driver"
            driver.let_go.set()
            driver.close()
    assert driver.let_go.is_set()


@pytest.mark.big
def test_a_hung_inference_ends_the_signs_of_life_and_a_quiet_room_does_not(tmp_path: Path) -> None:
    """The gate is closed at first: no patch is scored, and the service lives. Then a score never comes back."""
    manager = Manager(str(tmp_path / "notify"))
    source, armed, scoring, let_go = EndlessSource(), threading.Event(), threading.Event(), threading.Event()
    settings = Settings(log=LogSettings(events=""))
    systemd = Systemd(manager.address, watchdog_seconds=0.3)
    appliance = build(settings, tmp_path, source=source, systemd=systemd)
    score, loud = appliance.model.score, source.script
    source.script = [replace(block, samples=block.samples * 0) for block in loud]

    def hangs(patch: object) -> object:
        if armed.is_set():
            scoring.set()
            assert let_go.wait(PATIENCE_SECONDS)
        return score(patch)  # type: ignore[arg-type]

    appliance.listener._model.score = hangs  # type: ignore[assignment, method-assign]
    thread = threading.Thread(target=appliance.run)
    thread.start()
    try:
        await_(lambda: appliance.stats.gated_patches > 0)
        patches, fed = appliance.stats.patches, manager.messages.count("WATCHDOG=1")
        armed.set()
        await_(lambda: manager.messages.count("WATCHDOG=1") >= fed + 5)
        assert appliance.stats.patches == patches and not scoring.is_set()
        source.script[:] = loud
        assert scoring.wait(PATIENCE_SECONDS)
        fed = manager.messages.count("WATCHDOG=1")
        time.sleep(1.0)  # more than three times what systemd would wait
        assert manager.messages.count("WATCHDOG=1") - fed <= 1  # one may have been on its way
        let_go.set()
        await_(lambda: manager.messages.count("WATCHDOG=1") > fed + 1)
    finally:
        let_go.set()
        appliance.stop()
        thread.join(PATIENCE_SECONDS)
        manager.close()


PRINTER = """
import os, time
while True:
    os.write(1, os.urandom(3200))
    time.sleep(0.09)
"""


@pytest.mark.big
def test_the_real_program_tells_systemd(manager: Manager, tmp_path: Path) -> None:
    path = tmp_path / "edge.toml"
    path.write_text(f'[source]\nkind = "command"\ncommand = ["{sys.executable}", "-c", {json.dumps(PRINTER)}]\n'
                    '[log]\nevents = ""\n[[target]]\nname = "hand_clap"\n')
    environment = {**os.environ, "EDGE_AUDIO_STATE": str(tmp_path), "NOTIFY_SOCKET": manager.address,
                   "WATCHDOG_USEC": "600000"}
    process = subprocess.Popen([sys.executable, "-m", "edge", "run", "--config", str(path)], cwd=ROOT, env=environment,
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                               start_new_session=True)
    try:
        ready = manager.is_told("READY=1")
        manager.is_told("STATUS=hearing hand_clap")
        fed = manager.is_told("WATCHDOG=1", after=ready)
        manager.is_told("WATCHDOG=1", after=fed + 1)
        path.write_text(path.read_text() + '[[target]]\nname = "typing"\n')
        process.send_signal(signal.SIGHUP)
        reloading = manager.wait_for(lambda told: told.startswith("RELOADING=1\nMONOTONIC_USEC="))
        again = manager.is_told("READY=1", after=reloading)
        manager.is_told("STATUS=hearing hand_clap, typing", after=reloading)
        manager.is_told("WATCHDOG=1", after=again)
        process.send_signal(signal.SIGTERM)
        manager.is_told("STOPPING=1")
        assert process.wait(PATIENCE_SECONDS) == 0
        assert manager.messages[-1] == "STOPPING=1" and manager.messages.count("READY=1") == 2
    finally:
        process.kill()
        process.communicate()
