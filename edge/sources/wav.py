"""Plain WAV, read with nothing extra: 8, 16, 24, 32-bit PCM and float, also WAVE_FORMAT_EXTENSIBLE.

The stdlib's `wave` refuses float and is strict about broken lengths; recorders that lost power leave just those.
Chunk layout: Microsoft, "Multiple Channel Audio Data and WAVE Files" (RIFF, `fmt `, `data`).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from edge.errors import SourceError
from edge.stream import StreamFormat

PCM, FLOAT, EXTENSIBLE = 0x0001, 0x0003, 0xFFFE
_GUID_TAIL = bytes.fromhex("000000001000800000aa00389b71")  # KSDATAFORMAT_SUBTYPE_*: the tag, then this
_NOT_STATED = 0x7FFF_F000
"""A data length from here up stands for an unknown one: programs write it when they write into a pipe."""
Decode = Callable[[bytes], NDArray[np.int16]]
"""Little-endian sample bytes, a whole number of samples, to int16 `(n,)`."""
WANTED = "a WAV file of 8, 16, 24, 32-bit PCM or 32, 64-bit float"


@dataclass(frozen=True, slots=True)
class WavHeader:
    """What the chunks before the samples say."""

    tag: int
    """PCM, FLOAT, or another format tag (with EXTENSIBLE resolved)."""
    channels: int
    rate: int
    bits: int
    """Of one sample's container."""
    frame_bytes: int
    """Bytes of one sample time, all channels."""
    data_bytes: int
    """Bytes of samples that are really there, a whole number of sample times."""
    promised_bytes: int
    """What the header says; equal to `data_bytes` where it says nothing."""

    @property
    def plain(self) -> bool:
        """We read it; else libsndfile may."""
        return self.tag in (PCM, FLOAT) and decoder(self.bits, self.tag == FLOAT) is not None


def read_header(file: BinaryIO, path: Path) -> WavHeader:
    """Walk the chunks and leave `file` at the first sample. Raises SourceError where there is none."""
    size = file.seek(0, 2)
    file.seek(0)
    riff = file.read(12)
    if riff[:4] != b"RIFF":
        raise SourceError(str(path), found=f"{size} bytes that begin with {riff[:4]!r}, not RIFF", wanted=WANTED)
    if riff[8:12] != b"WAVE":
        raise SourceError(str(path), found=f"a RIFF file of kind {riff[8:12]!r}", wanted=WANTED)
    form: tuple[int, int, int, int, int] | None = None
    while len(head := file.read(8)) == 8:
        name, length = struct.unpack("<4sI", head)
        if name == b"data":
            if form is None:
                raise SourceError(str(path), found="samples before a fmt chunk", wanted=WANTED)
            return _at_samples(file, path, form, length, size)
        after = file.tell() + length + (length & 1)
        if name == b"fmt ":
            form = _read_form(file.read(min(length, 40)), path)
        file.seek(after)
    raise SourceError(str(path), found="a WAV header and no samples", wanted=WANTED)


def _read_form(chunk: bytes, path: Path) -> tuple[int, int, int, int, int]:
    """The fmt chunk as (tag, channels, rate, container bits, bytes of a sample time), checked against itself."""
    if len(chunk) < 16:
        raise SourceError(str(path), found=f"a fmt chunk of {len(chunk)} bytes", wanted="at least 16 bytes")
    tag, channels, rate, _, frame_bytes, bits = struct.unpack("<HHIIHH", chunk[:16])
    if tag == EXTENSIBLE and len(chunk) >= 40 and chunk[26:40] == _GUID_TAIL:
        tag = struct.unpack("<H", chunk[24:26])[0]
    if not 1 <= channels <= 64:
        raise SourceError(str(path), found=f"{channels} channels", wanted="1 to 64 channels")
    if rate == 0:
        raise SourceError(str(path), found="a rate of 0 Hz", wanted="a rate above 0 Hz")
    # Samples of 12 or 20 bits are left-justified in a container of whole bytes, which alone matters here.
    container = frame_bytes // channels
    if tag in (PCM, FLOAT) and (frame_bytes % channels or container * 8 < bits):
        raise SourceError(str(path), found=f"{frame_bytes} bytes for each sample time in the fmt chunk",
                          wanted=f"{channels * ((bits + 7) // 8)} ({channels} channels of {bits} bits)")
    return tag, channels, rate, container * 8, frame_bytes


def _at_samples(file: BinaryIO, path: Path, form: tuple[int, int, int, int, int], promised: int,
                size: int) -> WavHeader:
    tag, channels, rate, bits, frame_bytes = form
    there = size - file.tell()
    frame_bytes = max(frame_bytes, 1)  # a compressed file may say 0; it goes to libsndfile anyway
    if promised >= _NOT_STATED or (promised == 0 and not _only_chunks_follow(file, size)):
        promised = there // frame_bytes * frame_bytes  # a pipe's header, or a recorder that never came to close it
    data = min(promised, there) // frame_bytes * frame_bytes
    if data == 0:
        raise SourceError(str(path), found=f"no samples ({promised} bytes promised, {there} there)",
                          wanted="at least one sample")
    return WavHeader(tag, channels, rate, bits, frame_bytes, data, promised)


def _only_chunks_follow(file: BinaryIO, size: int) -> bool:
    """After a data length of 0: tidy chunks up to the end mean an empty recording; else it was not closed."""
    start = position = file.tell()
    while position + 8 <= size:
        file.seek(position + 4)
        length = struct.unpack("<I", file.read(4))[0]
        position += 8 + length + (length & 1)
    file.seek(start)
    return position in (size, size + 1)


class WavReader:
    """Samples of one plain WAV file, a stretch at a time."""

    def __init__(self, file: BinaryIO, path: Path, header: WavHeader) -> None:
        """file: at the first sample, as `read_header` leaves it; closed by `close`."""
        decode = decoder(header.bits, header.tag == FLOAT) if header.plain else None
        if decode is None:
            raise SourceError(str(path), found=f"format tag {header.tag:#06x}, {header.bits} bits", wanted=WANTED)
        self._file = file
        self._path = path
        self._decode = decode
        self._frame_bytes = header.frame_bytes
        self._left = header.data_bytes
        self.format = StreamFormat(header.rate, header.channels)
        self.length = header.data_bytes // header.frame_bytes
        promised = header.promised_bytes // header.frame_bytes
        self.warning = ""
        if self.length < promised:
            self.warning = f"{path} ends early: {self.length} of {promised} samples are there"

    def read(self, length: int) -> NDArray[np.int16]:
        """The next `length` sample times, fewer at the end, as int16 `(n * channels,)`. Raises SourceError."""
        try:
            data = self._file.read(min(length * self._frame_bytes, self._left))
        except OSError as error:
            raise SourceError(str(self._path), found=error.strerror or str(error), wanted="a readable file") from error
        self._left -= len(data)
        return self._decode(data[:len(data) // self._frame_bytes * self._frame_bytes])

    def close(self) -> None:
        """Give the file back. Safe twice."""
        self._file.close()


def from_float(samples: NDArray[np.floating[Any]]) -> NDArray[np.int16]:
    """float32 or float64 `(n,)`, full scale -1..1, to int16 `(n,)`. NaN becomes 0; beyond full scale clips."""
    # Clipped before it is scaled: 3e38 * 32768 would overflow float32.
    clipped = np.clip(np.nan_to_num(samples, nan=0.0, posinf=1.0, neginf=-1.0), -1.0, 1.0)
    rounded: NDArray[np.int16] = np.clip(np.rint(clipped * 32768), -32768, 32767).astype(np.int16)
    return rounded


def decoder(bits: int, floating: bool) -> Decode | None:
    """What turns little-endian samples of `bits` (of their container) into int16, or None where we cannot."""
    if floating:
        return {32: _float32, 64: _float64}.get(bits)
    return {8: _int8, 16: _int16, 24: _int24, 32: _int32}.get(bits)


def _int8(data: bytes) -> NDArray[np.int16]:
    """8-bit WAV is the one unsigned width: 128 is silence. -128..127 << 8 stays within int16."""
    return (np.frombuffer(data, np.uint8).astype(np.int16) - 128) << 8


def _int16(data: bytes) -> NDArray[np.int16]:
    return np.frombuffer(data, "<i2").astype(np.int16, copy=False)


def _int24(data: bytes) -> NDArray[np.int16]:
    wide = np.zeros((len(data) // 3, 4), np.uint8)
    wide[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
    return _upper_half(wide.view("<i4").ravel())


def _int32(data: bytes) -> NDArray[np.int16]:
    return _upper_half(np.frombuffer(data, "<i4"))


def _upper_half(samples: NDArray[np.int32]) -> NDArray[np.int16]:
    """int32 / 65536, rounded half up. The rounding bit is added after the shift, so nothing overflows but 32767 + 1."""
    rounded = (samples >> 16) + ((samples >> 15) & 1)
    return np.minimum(rounded, 32767).astype(np.int16)


def _float32(data: bytes) -> NDArray[np.int16]:
    return from_float(np.frombuffer(data, "<f4"))


def _float64(data: bytes) -> NDArray[np.int16]:
    return from_float(np.frombuffer(data, "<f8"))
