"""Recordings: what libsndfile reads, pacing, closing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from wav_files import heard, noise, wav

from edge.errors import SettingsError, SourceError
from edge.features import resample
from edge.settings import SourceSettings
from edge.sources import recording
from edge.sources.recording import Recording, open_recording

soundfile = pytest.importorskip("soundfile", reason="the extra that these tests are about is not installed")


class FakeClock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.mark.parametrize(("name", "subtype", "endian"), [
    ("a.flac", "PCM_16", "FILE"), ("a.aiff", "PCM_16", "FILE"), ("a.w64", "PCM_16", "FILE"), ("rifx.wav", "PCM_16", "BIG"),
    ("a.caf", "PCM_16", "FILE")])
def test_lossless_files_are_heard_exactly(tmp_path: Path, name: str, subtype: str, endian: str) -> None:
    samples = np.frombuffer(noise(16, 2 * 9000), "<i2").reshape(-1, 2)
    soundfile.write(tmp_path / name, samples, 48_000, subtype=subtype, endian=endian)
    np.testing.assert_array_equal(heard(tmp_path / name), samples)


def test_24_bit_flac_is_rounded_like_24_bit_wav(tmp_path: Path) -> None:
    path = wav(tmp_path / "a.wav", noise(24, 3000), bits=24)
    samples, rate = soundfile.read(path, dtype="int32")
    soundfile.write(tmp_path / "a.flac", samples, rate, subtype="PCM_24")
    # Halves apart (half even against half up), where the two ways may differ by one.
    difference = heard(tmp_path / "a.flac").astype(int) - heard(path)
    assert np.abs(difference).max() <= 1 and np.count_nonzero(difference) < 30


@pytest.mark.parametrize("name", ["a.ogg", "a.mp3"])
def test_lossy_files_are_heard_as_libsndfile_decodes_them(tmp_path: Path, name: str) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 440 / 44_100 * np.arange(20_000))
    soundfile.write(tmp_path / name, tone, 44_100)
    theirs, _ = soundfile.read(tmp_path / name, dtype="float32", always_2d=True)
    np.testing.assert_array_equal(heard(tmp_path / name, 10.0), np.clip(np.rint(theirs * 32768), -32768, 32767))


@pytest.mark.parametrize("subtype", ["ULAW", "ALAW", "IMA_ADPCM"])
def test_a_compressed_wav_goes_to_libsndfile(tmp_path: Path, subtype: str) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 440 / 8_000 * np.arange(8_000))
    soundfile.write(tmp_path / "a.wav", tone, 8_000, subtype=subtype)
    theirs, _ = soundfile.read(tmp_path / "a.wav", dtype="int16", always_2d=True)
    np.testing.assert_array_equal(heard(tmp_path / "a.wav", 10.0), theirs)


def test_a_file_called_wav_is_heard_for_what_it_is(tmp_path: Path) -> None:
    samples = np.frombuffer(noise(16, 1000), "<i2")
    soundfile.write(tmp_path / "a.wav", samples, 16_000, format="FLAC")
    np.testing.assert_array_equal(heard(tmp_path / "a.wav").ravel(), samples)


@pytest.mark.parametrize("name", ["a.flac", "a.ogg", "a.txt"])
def test_what_libsndfile_cannot_read_is_said(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("Dear diary\n" * 100)
    with pytest.raises(SourceError, match=r"found .*(unknown format|not recognised).*; wanted sound: WAV, FLAC, Ogg"):
        open_recording(tmp_path / name)
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(SourceError, match="found an empty file"):
        open_recording(tmp_path / name)


@pytest.mark.parametrize("name", ["a.flac", "a.ogg"])
def test_a_truncated_file_is_heard_as_far_as_it_goes_and_said(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    tone = 0.5 * np.sin(2 * np.pi * 440 / 16_000 * np.arange(80_000)) + RNG_NOISE
    soundfile.write(path, tone, 16_000)
    path.write_bytes(path.read_bytes()[:path.stat().st_size // 2])
    recording = open_recording(path)
    count = 0
    try:
        for block in recording.blocks():
            assert block is not None
            count += block.length
    except SourceError as error:
        assert "of 80000 samples" in str(error)
    else:
        # Ogg says its length at its end only, so nothing tells what is missing.
        assert "ends early" in recording.state or name == "a.ogg"
    assert 20_000 < count < 60_000


RNG_NOISE = np.random.default_rng(1).normal(0, 0.05, 80_000)


def test_without_soundfile_flac_names_the_extra_and_wav_is_heard(tmp_path: Path,
                                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    soundfile.write(tmp_path / "a.flac", np.zeros(100), 16_000)
    path = wav(tmp_path / "a.wav", noise(16, 100))
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(SourceError, match=r"wanted pip install 'edge-audio\[files\]'"):
        open_recording(tmp_path / "a.flac")
    assert len(heard(path)) == 100


def test_paced_blocks_come_when_their_last_sample_would_be_heard(tmp_path: Path) -> None:
    path = wav(tmp_path / "a.wav", noise(16, 20_000), rate=16_000)
    clock = FakeClock()
    recording = Recording(SourceSettings(kind="file", path=str(path), block_seconds=0.5), clock=clock, sleep=clock.sleep)
    times = []
    for block in recording.blocks():
        assert block is not None
        times.append(clock.now - 100.0)
        clock.now += 0.2  # the listener's own time does not add up
    assert times == pytest.approx([0.5, 1.0, 1.25])
    assert max(clock.slept) <= 0.1


def test_a_slow_listener_loses_nothing_of_a_paced_recording(tmp_path: Path) -> None:
    path = wav(tmp_path / "a.wav", noise(16, 16_000), rate=16_000)
    clock = FakeClock()
    recording = Recording(SourceSettings(kind="file", path=str(path), block_seconds=0.1), clock=clock, sleep=clock.sleep)
    count = 0
    for block in recording.blocks():
        assert block is not None and not block.gap
        count += block.length
        clock.now += 5.0
    assert count == 16_000


def test_as_fast_as_possible_never_sleeps(tmp_path: Path) -> None:
    path = wav(tmp_path / "a.wav", noise(16, 16_000))
    clock = FakeClock()
    settings = SourceSettings(kind="file", path=str(path), paced=False)
    assert len(list(Recording(settings, clock=clock, sleep=clock.sleep).blocks())) == 10
    assert clock.slept == []


def test_close_ends_the_blocks_even_while_they_are_paced(tmp_path: Path) -> None:
    path = wav(tmp_path / "a.wav", noise(16, 16_000))
    clock = FakeClock()

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        recording.close()

    recording = Recording(SourceSettings(kind="file", path=str(path), block_seconds=1.0), clock=clock, sleep=sleep)
    assert list(recording.blocks()) == []
    recording.close()
    assert clock.now < 100.2


def test_only_what_is_heard_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A day of sound must not be loaded for its first second."""
    path = wav(tmp_path / "a.wav", noise(16, 200_000))
    sizes: list[int] = []
    real_open = Path.open

    def counting_open(self: Path, *arguments: Any, **more: Any) -> Any:
        file = real_open(self, *arguments, **more)
        return Counting(file)

    class Counting:
        def __init__(self, file: Any) -> None:
            self._file = file

        def read(self, size: int = -1) -> bytes:
            data: bytes = self._file.read(size)
            sizes.append(len(data))
            return data

        def __getattr__(self, name: str) -> Any:
            return getattr(self._file, name)

        def __enter__(self) -> Counting:
            return self

        def __exit__(self, *_: object) -> None:
            self._file.close()

    monkeypatch.setattr(Path, "open", counting_open)
    recording = open_recording(path)
    next(recording.blocks())
    assert sum(sizes) < 4000
    recording.close()


def test_a_channel_that_is_not_there_is_a_settings_error(tmp_path: Path) -> None:
    path = wav(tmp_path / "a.wav", noise(16, 100), channels=2)
    with pytest.raises(SettingsError, match=r"\[source\] channel: found 2; wanted -1 \(the mean\) or 0 to 1: .* gives "
                                            "16000 Hz, 2 channels"):
        Recording(SourceSettings(kind="file", path=str(path), channel=2))


def test_real_recordings_are_heard_as_libsndfile_decodes_them(shared: Path) -> None:
    paths = [p for p in sorted((shared / "data").rglob("*")) if p.suffix in (".wav", ".flac", ".ogg")]
    assert paths
    for path in paths[::max(len(paths) // 5, 1)]:
        theirs, _ = soundfile.read(path, dtype="float32", always_2d=True)
        np.testing.assert_array_equal(heard(path), np.clip(np.rint(theirs * 32768), -32768, 32767))


@pytest.mark.parametrize(("rate", "taken"), [(1, False), (3999, False), (4000, True), (384_000, True),
                                             (384_001, False)])
def test_a_rate_outside_4_to_384_khz_names_the_file_when_it_is_opened(tmp_path: Path, rate: int, taken: bool) -> None:
    path = wav(tmp_path / "a.wav", noise(16, 100), rate=rate)
    if taken:
        assert heard(path).shape == (100, 1)
        return
    with pytest.raises(SourceError, match=rf"a\.wav: found {rate} Hz; wanted 4000 to 384000 Hz"):
        open_recording(path)


def test_the_rates_are_those_of_the_resampler() -> None:
    assert (recording.LOWEST_RATE, recording.HIGHEST_RATE) == (resample.LOWEST_RATE, resample.HIGHEST_RATE)


def test_an_empty_path_is_a_settings_error() -> None:
    with pytest.raises(SettingsError, match=r"\[source\] path: found nothing; wanted the recording to hear"):
        open_recording("")
