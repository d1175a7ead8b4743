"""A recording as a source: block by block, never whole in memory, as fast as possible or paced in real time."""

from __future__ import annotations

import logging
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from edge.errors import EdgeError, SettingsError, SourceError
from edge.settings import SourceSettings
from edge.sources.delivered import check_channel, warn_of_low_rate
from edge.sources.files import SoundFileReader
from edge.sources.wav import WavReader, read_header
from edge.stream import HIGHEST_RATE, LOWEST_RATE, Block, StreamFormat

_LOG = logging.getLogger(__name__)
_NOT_RIFF = (b"RIFX", b"RF64", b"fLaC", b"OggS", b"ID3", b"FORM", b"caff")
"""How files begin that libsndfile reads whatever they are called; any other .wav is told off as a WAV."""
_SLICE_SECONDS = 0.1
"""Longest sleep of a paced recording, so that close() is heeded soon."""


class Recording:
    """The sound of one file. Not live: the same file gives the same blocks at any speed."""

    live = False
    hangs = False
    waiting_seconds = 0.0
    trouble = ""

    def __init__(self, settings: SourceSettings, *, clock: Callable[[], float] = time.monotonic,
                 sleep: Callable[[float], None] = time.sleep) -> None:
        """Open `settings.path`.

        clock, sleep: a monotonic clock in seconds and what waits on it, for `settings.paced`; tests bring their own.
        Raises SourceError for a file that gives no sound or whose rate is outside 4000 to 384000 Hz, SettingsError for
        a path that is empty or a channel that the file does not have.
        """
        if not settings.path:
            raise SettingsError("[source] path", found="nothing", wanted='the recording to hear, as kind is "file"')
        self.path = Path(settings.path)
        self._reader = _open_reader(self.path)
        self._clock = clock
        self._sleep = sleep
        self._paced = settings.paced
        self._reading = False
        self._closed = False
        self._warned = ""
        try:
            # Refused while the file can still be named: the resampler would know the rate only.
            if not LOWEST_RATE <= self.format.rate <= HIGHEST_RATE:
                raise SourceError(str(self.path), found=f"{self.format.rate} Hz",
                                  wanted=f"{LOWEST_RATE} to {HIGHEST_RATE} Hz")
            check_channel(settings, self.format, str(self.path))
        except EdgeError:
            self._reader.close()
            raise
        self._block_length = max(1, round(settings.block_seconds * self.format.rate))
        warn_of_low_rate(self.format, str(self.path))
        self._warn()

    @property
    def format(self) -> StreamFormat:
        """The file's own rate and channels."""
        return self._reader.format

    @property
    def duration_seconds(self) -> float:
        """What the file holds, in seconds."""
        return self._reader.length / self.format.rate

    @property
    def warning(self) -> str:
        """What is wrong with a file that is heard all the same ("... ends early ..."); empty: nothing."""
        return self._reader.warning

    @property
    def state(self) -> str:
        """"ok", or the warning."""
        return self.warning or "ok"

    def hurry(self, seconds: float) -> None:
        """Not live: never asked."""

    def blocks(self) -> Iterator[Block | None]:
        """Blocks of `block_seconds`, the last one shorter; then the file is closed. Raises SourceError if it fails."""
        self._reading = True
        position = 0
        start = self._clock()
        try:
            while not self._closed:
                samples = self._reader.read(self._block_length)
                self._warn()
                if len(samples) == 0:
                    return
                block = Block(samples, position, self.format)
                position += block.length
                # A microphone hands a block over when its last sample was heard, not before.
                if self._paced and not self._wait_until(start + position / self.format.rate):
                    return
                yield block
        finally:
            self._reading = False
            self._reader.close()

    def close(self) -> None:
        """Stop; whoever reads the blocks closes the file."""
        self._closed = True
        if not self._reading:
            self._reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    def _wait_until(self, deadline: float) -> bool:
        while (left := deadline - self._clock()) > 0 and not self._closed:
            self._sleep(min(left, _SLICE_SECONDS))
        return not self._closed

    def _warn(self) -> None:
        if self.warning != self._warned:
            self._warned = self.warning
            _LOG.warning("%s", self.warning)


def open_recording(path: Path | str, *, block_seconds: float = 0.1, paced: bool = False) -> Recording:
    """A recording at any path, as fast as possible unless `paced`. Raises SourceError, for "" SettingsError."""
    return Recording(SourceSettings(kind="file", path=str(path), block_seconds=block_seconds, paced=paced))


def _open_reader(path: Path) -> WavReader | SoundFileReader:
    """Plain WAV by ourselves, all else by libsndfile."""
    try:
        kind = path.stat()
        if not stat.S_ISREG(kind.st_mode):
            # Opening a pipe would wait for its writer, for ever perhaps.
            raise SourceError(str(path), found="a folder" if path.is_dir() else "a pipe or device", wanted="a file")
        if kind.st_size == 0:
            raise SourceError(str(path), found="an empty file", wanted="a recording")
        with ExitStack() as stack:
            file = stack.enter_context(path.open("rb"))
            magic = file.read(4)
            if magic == b"RIFF" or (path.suffix.lower() == ".wav" and not magic.startswith(_NOT_RIFF)):
                header = read_header(file, path)
                if header.plain:
                    stack.pop_all()
                    return WavReader(file, path, header)
    except SourceError:
        raise
    except (OSError, ValueError) as error:  # ValueError: a NUL within the path
        found = (getattr(error, "strerror", None) or str(error)).lower()
        raise SourceError(str(path), found=found, wanted="a recording that can be read") from error
    return SoundFileReader(path)
