"""Plain WAV by our own reader: every width, rate and channel count against libsndfile; damaged files against the story."""

from __future__ import annotations

import logging
import os
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from wav_files import heard, noise, wav

from edge.errors import SourceError
from edge.seams import Source
from edge.sources.recording import Recording, open_recording
from edge.sources.wav import from_float

soundfile = pytest.importorskip("soundfile", reason="soundfile, the independent reader, is not installed")
RNG = np.random.default_rng(3)


@pytest.mark.parametrize("extensible", [False, True])
@pytest.mark.parametrize(("bits", "rate", "channels"), [
    (8, 11_025, 1), (16, 16_000, 1), (16, 44_100, 2), (24, 48_000, 2), (24, 96_000, 6), (32, 192_000, 1), (16, 8_000, 64),
    (8, 22_050, 3)])
def test_integer_widths_agree_with_libsndfile(tmp_path: Path, bits: int, rate: int, channels: int,
                                              extensible: bool) -> None:
    path = wav(tmp_path / "a.wav", noise(bits, 3001 * channels), bits=bits, rate=rate, channels=channels,
               extensible=extensible)
    theirs, their_rate = soundfile.read(path, dtype="int32", always_2d=True)
    ours = heard(path)
    assert open_recording_format(path) == (their_rate, channels)
    rounded = np.clip((theirs.astype(np.int64) + 2**15) >> 16, -32768, 32767)
    np.testing.assert_array_equal(ours, rounded)


def open_recording_format(path: Path) -> tuple[int, int]:
    with open_recording(path) as recording:
        return recording.format.rate, recording.format.channels


@pytest.mark.parametrize("extensible", [False, True])
@pytest.mark.parametrize("bits", [32, 64])
def test_float_agrees_with_libsndfile(tmp_path: Path, bits: int, extensible: bool) -> None:
    values = np.concatenate([RNG.uniform(-1.2, 1.2, 4000), [1.0, -1.0, 0.0, 0.5 / 32768, 1e30, -1e30]])
    path = wav(tmp_path / "a.wav", values.astype(f"<f{bits // 8}").tobytes(), bits=bits, tag=3, extensible=extensible)
    theirs, _ = soundfile.read(path, dtype="float64", always_2d=True)
    np.testing.assert_array_equal(heard(path), np.clip(np.rint(theirs * 32768), -32768, 32767))


@pytest.mark.parametrize("bits", [32, 64])
def test_nan_is_silence_and_infinity_is_full_scale(tmp_path: Path, bits: int) -> None:
    largest = np.finfo(f"f{bits // 8}").max
    values = np.array([np.nan, np.inf, -np.inf, largest, -largest, 0.25], f"<f{bits // 8}")
    path = wav(tmp_path / "a.wav", values.tobytes(), bits=bits, tag=3)
    assert heard(path).ravel().tolist() == [0, 32767, -32768, 32767, -32768, 8192]


def test_float_rounds_clips_and_casts_at_both_ends() -> None:
    values = np.array([-1.0, -32768.6 / 32768, 32767.4 / 32768, 32767.6 / 32768, 1.0, -0.4 / 32768, 130.4 / 32768])
    assert from_float(values).tolist() == [-32768, -32768, 32767, 32767, 32767, 0, 130]


@pytest.mark.parametrize("block_seconds", [0.01, 0.0137, 1.0])
def test_block_size_does_not_change_samples(tmp_path: Path, block_seconds: float) -> None:
    path = wav(tmp_path / "a.wav", noise(24, 2 * 7001), bits=24, rate=44_100, channels=2)
    np.testing.assert_array_equal(heard(path, block_seconds), heard(path))


def test_chunks_around_the_samples_are_skipped(tmp_path: Path) -> None:
    data = noise(16, 500)
    odd = b"LIST" + struct.pack("<I", 3) + b"abc\0"  # odd lengths are padded
    path = wav(tmp_path / "a.wav", data, before=odd, after=odd)
    np.testing.assert_array_equal(heard(path).ravel(), np.frombuffer(data, "<i2"))


def test_a_container_wider_than_its_samples_is_read_by_its_container(tmp_path: Path) -> None:
    """20 bits, left-justified in 3 bytes: WAVEFORMATEX counts the container in its block align."""
    path = wav(tmp_path / "a.wav", noise(24, 300), bits=24)
    whole = heard(path)
    raw = bytearray(path.read_bytes())
    raw[34:36] = struct.pack("<H", 20)
    path.write_bytes(raw)
    np.testing.assert_array_equal(heard(path), whole)


def test_truncated_wav_is_heard_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    data = noise(16, 2 * 1000)
    path = wav(tmp_path / "a.wav", data[:-401], channels=2, promised=len(data))
    path.write_bytes(path.read_bytes()[:-1])  # the padding byte
    with caplog.at_level(logging.WARNING):
        samples = heard(path)
    np.testing.assert_array_equal(samples.ravel(), np.frombuffer(data, "<i2")[:2 * 899])
    with open_recording(path) as recording:
        assert recording.warning == recording.state == f"{path} ends early: 899 of 1000 samples are there"
        assert recording.duration_seconds == 899 / 16_000
        assert [record.getMessage() for record in caplog.records][:1] == [recording.warning]


@pytest.mark.parametrize("promised", [0, 0x7FFF_FFFF, 0xFFFF_FFFF])
def test_a_recording_whose_length_was_never_written_is_heard_whole(tmp_path: Path, promised: int) -> None:
    """What arecord and ffmpeg leave in a pipe, and a recorder that lost its power."""
    data = noise(16, 700)
    path = wav(tmp_path / "a.wav", data, promised=promised)
    np.testing.assert_array_equal(heard(path).ravel(), np.frombuffer(data, "<i2"))
    with open_recording(path) as recording:
        assert recording.state == "ok"


def no_fmt(path: Path) -> None:
    path.write_bytes(b"RIFF\x10\0\0\0WAVEdata\x04\0\0\0abcd")


def no_data(path: Path) -> None:
    wav(path, b"")
    path.write_bytes(path.read_bytes()[:36])


def short_fmt(path: Path) -> None:
    path.write_bytes(b"RIFF\x10\0\0\0WAVEfmt \x04\0\0\0abcd")


BROKEN = {
    "empty file": (lambda path: path.write_bytes(b""), "found an empty file"),
    "text": (lambda path: path.write_text("Dear diary, today I heard a clap.\n"), "begin with b'Dear'"),
    "three bytes": (lambda path: path.write_bytes(b"RIF"), "begin with b'RIF'"),
    "avi": (lambda path: path.write_bytes(b"RIFF\0\0\0\0AVI LIST"), "found a RIFF file of kind b'AVI '"),
    "no samples promised": (lambda path: wav(path, b""), "found no samples"),
    "no samples, then a chunk": (lambda path: wav(path, b"", after=b"LIST\x02\0\0\0ab"), "found no samples"),
    "no samples there": (lambda path: wav(path, b"", promised=1000), "(1000 bytes promised, 0 there)"),
    "half a sample": (lambda path: wav(path, b"a", promised=1), "found no samples"),
    "no data chunk": (no_data, "found a WAV header and no samples"),
    "no fmt chunk": (no_fmt, "found samples before a fmt chunk"),
    "short fmt chunk": (short_fmt, "found a fmt chunk of 4 bytes; wanted at least 16"),
    "no channels": (lambda path: wav(path, b"abcd", channels=0), "found 0 channels; wanted 1 to 64"),
    "65 channels": (lambda path: wav(path, b"abcd" * 65, channels=65), "found 65 channels; wanted 1 to 64"),
    "no rate": (lambda path: wav(path, b"abcd", rate=0), "found a rate of 0 Hz"),
    "missing": (lambda path: None, "found no such file or directory"),
    "folder": (lambda path: path.mkdir(), "found a folder; wanted a file"),
    "pipe": (lambda path: os.mkfifo(path), "found a pipe or device; wanted a file"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_no_sound_is_one_line_that_names_file_found_and_wanted(tmp_path: Path, case: str) -> None:
    make, found = BROKEN[case]
    path = tmp_path / "a.wav"
    make(path)
    with pytest.raises(SourceError) as caught:
        open_recording(path)
    line = str(caught.value)
    assert line.startswith(f"{path}: found ") and "; wanted " in line and "\n" not in line
    assert found in line
    assert isinstance(caught.value, OSError) and caught.value.exit_code == 2


def test_a_header_at_odds_with_itself_is_refused(tmp_path: Path) -> None:
    path = wav(tmp_path / "a.wav", noise(16, 100), channels=2)
    raw = bytearray(path.read_bytes())
    raw[32:34] = struct.pack("<H", 3)
    path.write_bytes(raw)
    with pytest.raises(SourceError, match=r"found 3 bytes for each sample time .* wanted 4 \(2 channels of 16 bits\)"):
        open_recording(path)


@pytest.fixture
def not_root() -> Iterator[None]:
    """File permissions do not bind root: be nobody for a moment."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65_534)
    yield
    os.seteuid(0)


def test_no_permission_is_said(not_root: None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = wav(Path(folder) / "a.wav", b"abcd")
        path.chmod(0)
        with pytest.raises(SourceError, match="found permission denied; wanted a recording that can be read"):
            open_recording(path)


def test_a_path_with_a_nul_is_said() -> None:
    with pytest.raises(SourceError, match="null byte"):
        open_recording("a\0b.wav")


def test_a_recording_is_a_source() -> None:
    def takes(source: Source) -> bool:
        return source.live

    assert takes(Recording.__new__(Recording)) is False
