"""Recordings made by hand, and hearing them whole."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.sources.recording import open_recording

RNG = np.random.default_rng(2)


def wav(path: Path, data: bytes, *, bits: int = 16, rate: int = 16_000, channels: int = 1, tag: int = 1,
        promised: int | None = None, extensible: bool = False, before: bytes = b"", after: bytes = b"") -> Path:
    """A WAV file made by hand; `promised` is the data length in the header."""
    frame = channels * bits // 8
    form = struct.pack("<HHIIHH", 0xFFFE if extensible else tag, channels, rate, rate * frame, frame, bits)
    if extensible:
        form += struct.pack("<HHIH", 22, bits, 0, tag) + bytes.fromhex("000000001000800000aa00389b71")
    promised = len(data) if promised is None else promised
    body = b"WAVE" + before + struct.pack("<4sI", b"fmt ", len(form)) + form
    body += struct.pack("<4sI", b"data", promised) + data + b"\0" * (len(data) & 1) + after
    path.write_bytes(struct.pack("<4sI", b"RIFF", len(body) & 0xFFFF_FFFF) + body)
    return path


def heard(path: Path, block_seconds: float = 0.1) -> NDArray[np.int16]:
    """All samples, `(n, channels)`, with the positions checked on the way."""
    with open_recording(path, block_seconds=block_seconds) as recording:
        blocks = [block for block in recording.blocks() if block is not None]
        position = 0
        for block in blocks:
            assert block.position == position and not block.gap and block.format == recording.format
            position += block.length
        return np.concatenate([block.samples for block in blocks]).reshape(-1, recording.format.channels)


def noise(bits: int, count: int) -> bytes:
    """Random samples with both ends of the range among them."""
    if bits == 8:
        return bytes([0, 255, 128]) + RNG.integers(0, 256, count - 3, dtype=np.uint8).tobytes()
    top = 2 ** (bits - 1)
    values = RNG.integers(-top, top, count, dtype=np.int64)
    values[:4] = -top, top - 1, 0, -1
    return b"".join(int(v).to_bytes(bits // 8, "little", signed=True) for v in values)
