"""A microphone in real time that really vanishes: PulseAudio's pipe source, killed, frozen and started again."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pyaudio", reason="PyAudio is not installed: no microphone to test")

from hearing import PATIENCE_SECONDS, SYSTEM_ALSA, Hearing, alsa

from edge.stream import Block

PLUGINS = [*Path("/usr/lib").glob("*/alsa-lib/libasound_module_pcm_pulse.so")]
pytestmark = [pytest.mark.big,
    pytest.mark.skipif(shutil.which("pulseaudio") is None, reason="pulseaudio is not installed"),
    pytest.mark.skipif(not PLUGINS or not SYSTEM_ALSA.exists(), reason="ALSA's pulse plugin (libasound2-plugins) is "
                       "not installed"),
]
PERIOD = 30_000
"""The signal counts from 1 to this and begins again, so that one sample tells the next."""


class Pulse:
    """A PulseAudio server of our own whose one microphone is a pipe, and a thread that keeps the pipe filled."""

    def __init__(self, folder: Path) -> None:
        self._pipe = folder / "mic.fifo"
        self._socket = folder / "pulse.sock"
        self._script = folder / "pulse.pa"
        self._script.write_text(
            f"load-module module-native-protocol-unix auth-anonymous=1 socket={self._socket}\n"
            f"load-module module-pipe-source source_name=pipe file={self._pipe} rate=16000 channels=1 format=s16le\n")
        self.environment = alsa(folder, f'pcm.housemic {{ type pulse  server "unix:{self._socket}" }}')
        self.environment["PULSE_LATENCY_MSEC"] = "60"
        self._log = (folder / "pulse.log").open("w")
        self._stopping = threading.Event()
        self._feeder = threading.Thread(target=self._feed)
        self._feeder.start()
        self.start()

    def start(self) -> None:
        self._pipe.unlink(missing_ok=True)  # one that was killed leaves it, and the next would have no microphone
        self._server = subprocess.Popen(
            ["pulseaudio", "-n", "-F", str(self._script), "--exit-idle-time=-1", "--disable-shm=yes", "--daemonize=no"],
            env={**os.environ, **self.environment}, stderr=self._log)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            with socket.socket(socket.AF_UNIX) as probe:
                if probe.connect_ex(str(self._socket)) == 0:
                    return
            assert self._server.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)

    def end(self, how: signal.Signals = signal.SIGKILL) -> None:
        self._server.send_signal(how)
        self._server.wait(PATIENCE_SECONDS)

    def freeze(self) -> None:
        self._server.send_signal(signal.SIGSTOP)

    def close(self) -> None:
        self._stopping.set()
        self._feeder.join()
        self.end()
        self._log.close()

    def _feed(self) -> None:
        """100 ms at a time, in real time. While the pipe is full the count stands still: it never skips a sample."""
        pipe, inode, count = -1, -1, 0
        began = time.monotonic()
        written = 0
        while not self._stopping.wait(max(0.0, began + written / 16_000 - time.monotonic())):
            written += 1600
            try:
                if self._pipe.stat().st_ino != inode:  # the server makes a new one when it starts
                    if pipe >= 0:
                        os.close(pipe)
                    pipe = os.open(self._pipe, os.O_RDWR | os.O_NONBLOCK)
                    inode = os.fstat(pipe).st_ino
                block = np.arange(count, count + 1600) % PERIOD + 1
                os.write(pipe, block.astype("<i2").tobytes())  # under PIPE_BUF: all of it or nothing
                count += 1600
            except (FileNotFoundError, BlockingIOError):
                continue
        if pipe >= 0:
            os.close(pipe)


@pytest.fixture
def pulse(tmp_path: Path) -> Iterator[Pulse]:
    server = Pulse(tmp_path)
    yield server
    server.close()


def check(blocks: list[Block]) -> None:
    """Positions go on, and samples follow each other wherever no gap is marked."""
    for before, block in zip([None, *blocks], blocks, strict=False):
        assert (block.samples[1:] == block.samples[:-1] % PERIOD + 1).all()
        if before is not None:
            assert block.position == before.position + before.length or block.gap
            assert block.gap or block.samples[0] == before.samples[-1] % PERIOD + 1


def test_sound_in_real_time_is_exact(tmp_path: Path, pulse: Pulse) -> None:
    hearing = Hearing(tmp_path, pulse.environment, microphone="housemic")
    hearing.wait_for(lambda report: report["heard"] >= 32_000)
    blocks, last = hearing.stop()
    check(blocks)
    assert last["gaps"] == sum(block.gap for block in blocks)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_microphone_that_vanishes_is_found_again_without_a_restart(tmp_path: Path, pulse: Pulse,
                                                                     how: signal.Signals) -> None:
    hearing = Hearing(tmp_path, pulse.environment, microphone="house")
    hearing.wait_for(lambda report: report["heard"] >= 16_000 and report["state"] == "ok")
    pulse.end(how)
    lost = hearing.wait_for(lambda report: report["state"] != "ok")
    assert lost["state"].startswith("microphone 'house")
    hearing.wait_for(lambda report: report["state"].startswith("microphone 'house': no"))
    pulse.start()
    hearing.wait_for(lambda report: report["state"] == "ok" and report["heard"] >= lost["heard"] + 16_000)
    blocks, last = hearing.stop()
    check(blocks)
    assert last["reopened"] == 1
    assert last["gaps"] == sum(block.gap for block in blocks) >= 1
    assert not blocks[0].gap


def test_a_microphone_that_hangs_is_given_up_and_found_again(tmp_path: Path, pulse: Pulse) -> None:
    """A frozen sound server: no error, no callback, and giving the stream back hangs too."""
    hearing = Hearing(tmp_path, pulse.environment, microphone="housemic", stalled_seconds=1.0)
    heard = hearing.wait_for(lambda report: report["heard"] >= 16_000 and report["state"] == "ok")["heard"]
    pulse.freeze()
    hearing.wait_for(lambda report: report["state"] == "microphone 'housemic': no sound for 1 s")
    pulse.end()
    pulse.start()
    hearing.wait_for(lambda report: report["state"] == "ok" and report["heard"] >= heard + 32_000)
    blocks, last = hearing.stop()
    check(blocks)
    assert last["reopened"] >= 1


def test_a_source_that_hangs_can_be_closed(tmp_path: Path, pulse: Pulse) -> None:
    hearing = Hearing(tmp_path, pulse.environment, microphone="housemic", stalled_seconds=1.0)
    hearing.wait_for(lambda report: report["heard"] >= 16_000)
    pulse.freeze()
    hearing.wait_for(lambda report: report["state"] == "microphone 'housemic': no sound for 1 s")
    blocks, _ = hearing.stop()
    check(blocks)
