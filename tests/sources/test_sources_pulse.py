"""A microphone in real time that really vanishes: PulseAudio's pipe source, killed, frozen and started again."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pyaudio", reason="PyAudio is not installed: no microphone to test")

from hearing import Hearing

from edge.stream import Block
from tests.sources.pulse_server import PulseServer, missing

pytestmark = [pytest.mark.big, pytest.mark.skipif(bool(missing()), reason=missing() or "all is there")]
PERIOD = 30_000
"""The signal counts from 1 to this and begins again, so that one sample tells the next."""


class Pulse(PulseServer):
    """A server whose one microphone is there at each start, and a thread that keeps its pipe filled."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, sources=f"load-module module-pipe-source source_name=pipe file={folder / 'mic.fifo'} "
                                         "rate=16000 channels=1 format=s16le\n")
        self.environment["PULSE_LATENCY_MSEC"] = "60"
        self._stopping = threading.Event()
        self._feeder = threading.Thread(target=self._feed)
        self._feeder.start()
        self.start()

    def close(self) -> None:
        self._stopping.set()
        self._feeder.join()
        self.end()

    def _feed(self) -> None:
        """100 ms at a time, in real time. While the pipe is full the count stands still: it never skips a sample."""
        pipe, inode, count = -1, -1, 0
        began = time.monotonic()
        written = 0
        while not self._stopping.wait(max(0.0, began + written / 16_000 - time.monotonic())):
            written += 1600
            try:
                if self.pipe.stat().st_ino != inode:  # the server makes a new one when it starts
                    if pipe >= 0:
                        os.close(pipe)
                    pipe = os.open(self.pipe, os.O_RDWR | os.O_NONBLOCK)
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
