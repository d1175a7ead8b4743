"""A device that gives one value only is opened again, after pauses that grow; sound is never interrupted."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from edge.settings import SourceSettings
from edge.sources.live import REOPEN_SECONDS, LiveSource
from edge.stats import Stats
from edge.stream import StreamFormat


class Device(LiveSource):
    """A second of samples at a time, each when the last one was heard; its clock goes with them."""

    name = "microphone 'X'"

    def __init__(self, samples: np.ndarray) -> None:
        self.seconds = 50.0
        super().__init__(SourceSettings(retry_seconds=0.1, block_seconds=1.0), Stats(), clock=lambda: self.seconds)
        self.samples = samples
        self.opened_at: list[float] = []
        self.next = threading.Semaphore(1)

    def _hear(self) -> None:
        self.opened_at.append(self.seconds)
        self._crossing.begin(StreamFormat(16_000, 1))
        self._opened()
        while not self._closing.rung:
            self._check_stillness()
            if self.next.acquire(timeout=0.1):
                self._crossing.offer(self.samples)

    def hear(self, seconds: int) -> None:
        """Hear so many blocks of a second."""
        for block in self.blocks():
            if block is None:
                continue
            self.seconds += 1.0
            seconds -= 1
            if seconds == 0:
                self.close()
            self.next.release()


@pytest.mark.big
def test_a_device_of_zeros_is_opened_again_after_pauses_that_double() -> None:
    """A USB card may come back from a power dip with zeros for ever; opening it again mends some of them."""
    device = Device(np.zeros(16_000, np.int16))
    device.hear(480)
    assert len(device.opened_at) == 4 and device.trouble == "silent"
    pauses = np.diff(device.opened_at)
    assert pauses[0] == pytest.approx(REOPEN_SECONDS + 10, abs=3)  # until it is said, and a block on its way
    assert pauses[1] == pytest.approx(2 * REOPEN_SECONDS, abs=3) and pauses[2] == pytest.approx(4 * REOPEN_SECONDS, abs=3)


@pytest.mark.big
def test_sound_is_never_interrupted() -> None:
    device = Device(np.random.default_rng(3).integers(-2, 3, 16_000, np.int16))
    device.hear(480)
    assert len(device.opened_at) == 1 and device.trouble == ""
