"""What the microphone of a test gives: the demo's claps, over and over, in real time, or what a broken one would give."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.decision.measure_latency import claps

PIECES_A_SECOND = 10


class Player:
    """A thread that fills a pipe; it finds the pipe again where that is made anew. Set `gives` and `rate` at any time."""

    def __init__(self, pipe: Path) -> None:
        self._pipe = pipe
        self.gives = "claps"
        """"claps", "zeros", "clips" or "nothing"."""
        self.rate = 16_000
        """A multiple of 16,000 Hz."""
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        sound, file, inode = claps(), -1, -1
        size = 16_000 // PIECES_A_SECOND
        began, number = time.monotonic(), 0
        while not self._stopping.wait(max(0.0, began + number / PIECES_A_SECOND - time.monotonic())):
            piece = np.take(sound, np.arange(number * size, (number + 1) * size), mode="wrap")
            number += 1
            if self.gives == "nothing":
                continue
            try:
                if self._pipe.stat().st_ino != inode:
                    if file >= 0:
                        os.close(file)
                    file = os.open(self._pipe, os.O_RDWR | os.O_NONBLOCK)
                    inode = os.fstat(file).st_ino
                os.write(file, self._given(piece).astype("<i2").tobytes())
            except (FileNotFoundError, BlockingIOError):
                continue  # no microphone, or nobody listens: what was to be heard is over
        if file >= 0:
            os.close(file)

    def _given(self, piece: NDArray[np.int16]) -> NDArray[np.int16]:
        if self.gives == "zeros":
            piece = np.zeros_like(piece)
        elif self.gives == "clips":
            piece = np.where(np.arange(len(piece)) % 40 < 20, 32_767, -32_768).astype(np.int16)
        return np.repeat(piece, self.rate // 16_000)
