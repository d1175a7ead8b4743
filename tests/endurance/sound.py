"""An hour of sound, minute by minute: a quiet room, in which the bundled recordings are heard every third minute."""

from __future__ import annotations

import wave
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RATE = 16_000
MINUTE, HOUR = 60 * RATE, 3_600 * RATE
"""In samples. Blocks of 0.1 s, hops and the analysis's steps of 10 ms divide them: each hour begins where an hour begins."""
DEMO = Path(__file__).resolve().parents[2] / "models" / "demo"
OFTEN, OTHERS = "claps", ("typing", "voice", "siren", "steps", "alarm")
EVERY = 3
"""So many minutes lie between two in which something is heard."""
FIRST_AT, SECOND_AT = 4 * RATE, 28 * RATE
GAINS = (1.0, 0.6, 0.35)
ROOM = 16.0
"""RMS of the room's noise, in int16 steps: -66 dBFS, under the recordings' own noise."""


def minute(number: int) -> NDArray[np.int16]:
    """Minute `number` of the hour, int16 `(960_000,)` at 16 kHz: quiet, or claps and another recording until 0:40."""
    sound = np.random.default_rng(number).standard_normal(MINUTE, np.float32) * np.float32(ROOM)
    turn, pause = divmod(number, EVERY)
    if not pause:
        gain = np.float32(GAINS[turn % len(GAINS)])
        for at, name in ((FIRST_AT, OFTEN), (SECOND_AT, OTHERS[turn % len(OTHERS)])):
            heard = recording(name)
            sound[at: at + len(heard)] += gain * heard
    return np.clip(np.rint(sound), -32_768, 32_767).astype(np.int16)


@cache
def recording(name: str) -> NDArray[np.int16]:
    """A bundled recording, int16 `(n,)` at 16 kHz."""
    with wave.open(str(DEMO / f"{name}.wav")) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.int16, copy=False)
