"""Recordings: what is no sound must be told off, and what is one must be heard whole."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edge.errors import SettingsError, SourceError
from edge.sources.recording import open_recording
from edge.stream import HIGHEST_RATE, LOWEST_RATE
from edge.workshop.recordings import read_recordings
from tests.fuzz import mutation

DEMO = Path(__file__).resolve().parents[2] / "models" / "demo"
MOST_SAMPLES = 40_000_000
"""Of one file, all channels: a file of some kilobytes that gives more is a bomb."""
LEARNT_EVERY = 16
"""Of files, by their sum: so many to one that is also read as the workshop reads it, whole and resampled."""


class _Recordings:
    allowed = (SourceError, SettingsError)
    suffix = ".wav"

    def __init__(self, folder: Path) -> None:
        self._path = folder / f"heard{self.suffix}"

    def try_one(self, data: bytes) -> None:
        self._path.write_bytes(data)
        heard = 0
        with open_recording(self._path, block_seconds=0.5) as recording:
            form, state = recording.format, recording.duration_seconds
            assert LOWEST_RATE <= form.rate <= HIGHEST_RATE and 1 <= form.channels <= 64 and state > 0.0
            for block in recording.blocks():
                assert block is not None and block.samples.dtype == np.int16 and block.position == heard
                assert 0 < len(block.samples) == block.length * form.channels
                heard += block.length
                assert heard * form.channels <= MOST_SAMPLES, f"{len(data)} bytes give over {MOST_SAMPLES} samples"
            assert recording.warning or heard == round(state * form.rate)
        if zlib.crc32(data) % LEARNT_EVERY == 0 and heard < MOST_SAMPLES // 100:
            _, problems = read_recordings([self._path])
            assert len(problems) <= 1


class Wav(_Recordings):
    """Plain WAV, of every width, with chunks before and behind the samples."""

    def seeds(self) -> Sequence[bytes]:
        claps = (DEMO / "claps.wav").read_bytes()[44:44 + 2_000]
        made = [wav(claps, bits=bits, channels=channels, tag=tag, rate=rate)
                for bits, tag in ((8, 1), (16, 1), (24, 1), (32, 1), (32, 3), (64, 3)) for channels in (1, 2, 3)
                for rate in (16_000, 44_100)]
        info = struct.pack("<4sI4s", b"LIST", 4, b"INFO")
        return [*made, wav(claps, extensible=True), wav(claps, bits=24, extensible=True, channels=8),
                *(wav(claps, promised=length) for length in (0, 9_999, 0xFFFF_FFFF)),
                wav(claps, before=info), wav(claps, after=info), wav(claps, tag=2, bits=4),
                wav(claps, tag=6, bits=8), wav(b"", promised=0), b"RIFF", b"RIFX" + bytes(40)]

    def mutate(self, data: bytes, chance: random.Random) -> bytes:
        tokens = (b"fmt ", b"data", b"LIST", b"RIFF", b"WAVE", b"fact", struct.pack("<H", 0xFFFE), b"RF64", b"ds64")
        if chance.random() < 0.7:  # the header is where the mistakes are
            return mutation.of_bytes(data[:80], chance, tokens=tokens) + data[80:]
        return mutation.of_bytes(data, chance, tokens=tokens)


class SoundFile(_Recordings):
    """What libsndfile reads. Its seeds are written by libsndfile itself."""

    suffix = ".flac"

    def seeds(self) -> Sequence[bytes]:
        import soundfile

        samples = np.frombuffer((DEMO / "claps.wav").read_bytes()[44 + 40_000:44 + 44_000], "<i2")
        stereo = np.stack([samples, samples[::-1]], axis=1)
        made = []
        for kind, subtype, rate in (("FLAC", "PCM_16", 16_000), ("FLAC", "PCM_24", 48_000), ("OGG", "VORBIS", 16_000),
                                    ("OGG", "OPUS", 16_000), ("MP3", "MPEG_LAYER_III", 16_000), ("AIFF", "PCM_16", 16_000),
                                    ("AU", "PCM_16", 16_000), ("CAF", "ALAC_16", 16_000), ("W64", "PCM_16", 16_000),
                                    ("RF64", "PCM_16", 16_000), ("WAV", "IMA_ADPCM", 16_000), ("WAV", "ULAW", 8_000),
                                    ("WAV", "MS_ADPCM", 16_000), ("WAV", "GSM610", 8_000), ("AIFF", "FLOAT", 16_000)):
            for sound in (samples, stereo) if subtype not in ("GSM610",) else (samples,):
                file = io.BytesIO()
                soundfile.write(file, sound, rate, format=kind, subtype=subtype)
                made.append(file.getvalue())
        return made

    def mutate(self, data: bytes, chance: random.Random) -> bytes:
        tokens = (b"fLaC", b"OggS", b"FORM", b"AIFC", b"COMM", b"SSND", b".snd", b"caff", b"desc", b"pakt", b"ID3")
        if chance.random() < 0.5:
            return mutation.of_bytes(data[:100], chance, tokens=tokens) + data[100:]
        return mutation.of_bytes(data, chance, tokens=tokens)


def wav(data: bytes, *, bits: int = 16, rate: int = 16_000, channels: int = 1, tag: int = 1, promised: int | None = None,
        extensible: bool = False, before: bytes = b"", after: bytes = b"") -> bytes:
    """A WAV file made by hand. promised: the length of the samples in the header."""
    frame = max(channels * bits // 8, 1)
    form = struct.pack("<HHIIHH", 0xFFFE if extensible else tag, channels, rate, rate * frame, frame, bits)
    if extensible:
        form += struct.pack("<HHIH", 22, bits, 0, tag) + bytes.fromhex("000000001000800000aa00389b71")
    body = b"WAVE" + before + struct.pack("<4sI", b"fmt ", len(form)) + form
    body += struct.pack("<4sI", b"data", len(data) if promised is None else promised) + data + after
    return struct.pack("<4sI", b"RIFF", len(body)) + body
