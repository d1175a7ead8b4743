"""FLAC, Ogg and whatever else libsndfile reads, through soundfile (an extra)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import SourceError
from edge.sources.wav import from_float
from edge.stream import StreamFormat


def _soundfile(path: Path) -> Any:
    try:
        import soundfile  # type: ignore[import-untyped,import-not-found,unused-ignore]
    except (ImportError, OSError) as error:  # OSError: the package is there, its libsndfile is not
        raise SourceError(str(path), found=f"no plain WAV, and no soundfile to read it with ({error})",
                          wanted="pip install 'edge-audio[files]', or Debian's python3-soundfile") from error
    return soundfile


class SoundFileReader:
    """Samples of one file that libsndfile can decode, a stretch at a time."""

    def __init__(self, path: Path) -> None:
        soundfile = _soundfile(path)
        self._error: type[Exception] = soundfile.SoundFileError
        self._path = path
        try:
            self._file = soundfile.SoundFile(path)
        except self._error as error:
            raise SourceError(str(path), found=_reason(error), wanted="sound: WAV, FLAC, Ogg or what else libsndfile "
                              "reads") from error
        self.format = StreamFormat(int(self._file.samplerate), int(self._file.channels))
        self.length = int(self._file.frames)
        self.warning = ""
        self._read = 0
        problem = ""
        if not 1 <= self.format.channels <= 64:
            problem = f"{self.format.channels} channels"
        elif self.length <= 0:
            problem = "no samples"
        if problem:
            self._file.close()
            raise SourceError(str(path), found=problem, wanted="at least one sample, in 1 to 64 channels")

    def read(self, length: int) -> NDArray[np.int16]:
        """The next `length` sample times, fewer at the end, as int16 `(n * channels,)`. Raises SourceError.

        Through float32, which holds 16 and 24-bit samples exactly; libsndfile does not scale floats to int16 itself.
        """
        try:
            samples = self._file.read(length, dtype="float32", always_2d=True)
        except self._error as error:
            raise SourceError(str(self._path), found=f"{_reason(error)} after {self._read} of {self.length} samples",
                              wanted="a whole file") from error
        self._read += len(samples)
        if len(samples) < length and self._read < self.length:
            self.warning = f"{self._path} ends early: {self._read} of {self.length} samples are there"
        return from_float(samples.reshape(-1))

    def close(self) -> None:
        """Give the file back. Safe twice."""
        self._file.close()


def _reason(error: Exception) -> str:
    return str(getattr(error, "error_string", "") or error).rstrip(".")
