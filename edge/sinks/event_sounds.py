"""The sound of events as WAV files, where the owner asked for it: bounded, and for nobody but the appliance's user."""

from __future__ import annotations

import contextlib
import os
import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.errors import SinkError
from edge.stream import SAMPLE_RATE

FOLDER = "sounds"
"""In the state directory."""
MEGABYTE = 1_000_000
_UNFINISHED = "unfinished"
"""One file that is none yet: what a power cut leaves of it the next one overwrites."""


def sound_path(folder: Path, event: str) -> Path:
    """Where the sound of the event with this id lies, if it was kept."""
    return folder / f"{event}.wav"


class EventSounds:
    """Writes them. Belongs to one thread."""

    def __init__(self, folder: Path, *, megabytes: int) -> None:
        """megabytes: room for all of them; the oldest go first."""
        self._folder, self._room = folder, megabytes * MEGABYTE

    def write(self, event: str, samples: NDArray[np.int16]) -> None:
        """Keep the sound of one event, int16 `(n,)` at 16 kHz, and make room. Raises SinkError where the disk fails."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = sound_path(self._folder, event)
            part = self._folder / _UNFINISHED
            try:
                handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                with os.fdopen(handle, "wb") as file, wave.open(file, "wb") as sound:
                    sound.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
                    sound.writeframes(samples.astype("<i2").tobytes())
                part.replace(path)
            finally:
                part.unlink(missing_ok=True)
            self._make_room(path)
        except OSError as error:
            raise SinkError(str(self._folder), found=error.strerror or str(error),
                            wanted="a folder for the sound of events that can be written") from error

    def _make_room(self, newest: Path) -> None:
        """Remove the oldest until the rest fit; ids begin with their time, so that names are in order. The newest stays,
        wherever a clock that went back has put it."""
        with contextlib.suppress(FileNotFoundError):  # their owner may remove one meanwhile
            held = {path: path.stat().st_size for path in sorted(self._folder.glob("*.wav"))}
            total = sum(held.values())
            del held[newest]
            for path, size in held.items():
                if total <= self._room:
                    break
                path.unlink(missing_ok=True)
                total -= size
