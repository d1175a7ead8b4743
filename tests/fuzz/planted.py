"""Faults to be found: what the runner must not miss."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from edge.errors import ModelError
from tests.fuzz.engine import LEAK_EVERY, MOST_LEAKED, MOST_MEGABYTES, SLOW_SECONDS


class Faults:
    """Each of its seeds is a fault, or none."""

    allowed = (ModelError,)

    def __init__(self, folder: Path) -> None:
        self._held: list[int] = []

    def seeds(self) -> Sequence[bytes]:
        return [b"taken", b"allowed", b"unsaid", b"error", b"slow", b"large", b"crash", b"leak", *[b"taken"] * LEAK_EVERY]

    def try_one(self, data: bytes) -> None:
        if data == b"allowed":
            raise ModelError("a model", found="nothing", wanted="something")
        if data == b"unsaid":
            raise ModelError("a model", found=" ", wanted="something")
        if data == b"error":
            raise KeyError("planted")
        if data == b"slow":
            until = time.process_time() + SLOW_SECONDS * 1.1
            while time.process_time() < until:
                pass
        if data == b"large":
            bytearray(b"\1") * (MOST_MEGABYTES * 1_100_000)
        if data == b"crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if data == b"leak":
            self._held = [os.open("/dev/null", os.O_RDONLY) for _ in range(MOST_LEAKED + 10)]

    def mutate(self, data: bytes, chance: random.Random) -> bytes:
        return b"taken"


class Waits(Faults):
    """One seed never comes back, and takes no processor."""

    def seeds(self) -> Sequence[bytes]:
        return [b"taken", b"waits"]

    def try_one(self, data: bytes) -> None:
        if data == b"waits":
            threading.Event().wait()
