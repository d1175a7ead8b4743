"""The PortAudio path for real, without a card: ALSA's `file` plugin over `null` plays a known signal into PyAudio."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edge.settings import SourceSettings
from edge.stats import Stats
from edge.stream import StreamFormat

pyaudio = pytest.importorskip("pyaudio", reason="PyAudio is not installed: no microphone to test")

from hearing import PATIENCE_SECONDS, ROOT, SYSTEM_ALSA, Hearing, alsa, ask  # noqa: E402

from edge.sources.microphone import MicrophoneSource  # noqa: E402

pytestmark = [pytest.mark.big,
              pytest.mark.skipif(not SYSTEM_ALSA.exists(), reason=f"no ALSA here: {SYSTEM_ALSA} is missing")]

SIGNAL = (np.arange(2_000_000) % 60_013 - 30_006).astype("<i2")  # longer than any queue below; 60,013 is prime


@pytest.fixture
def house(tmp_path: Path) -> dict[str, str]:
    """Two microphones that play SIGNAL as fast as they are read."""
    (tmp_path / "signal.raw").write_bytes(SIGNAL.tobytes())
    file = f'type file  slave.pcm "null"  file "/dev/null"  infile "{tmp_path}/signal.raw"  format "raw"'
    return alsa(tmp_path, f"""
        pcm.kitchen_mic {{ {file} }}
        pcm.garden_mic {{ {file} }}
    """)


@pytest.fixture
def pair(tmp_path: Path) -> dict[str, str]:
    """A microphone that has exactly two channels."""
    return alsa(tmp_path, """
        pcm.pair { type multi  slaves.a.pcm "null"  slaves.a.channels 2
                   bindings.0.slave a  bindings.0.channel 0  bindings.1.slave a  bindings.1.channel 1 }
    """)


@pytest.mark.parametrize(("rate", "channels"), [(0, 0), (48_000, 2), (44_100, 6)])
def test_capture_is_bit_exact_from_the_first_sample(tmp_path: Path, house: dict[str, str], rate: int,
                                                    channels: int) -> None:
    hearing = Hearing(tmp_path, house, microphone="Kitchen", rate=rate, channels=channels, queue_blocks=4096,
                      most_samples=100_000)
    hearing.wait_for(lambda report: report["heard"] >= 100_000)
    blocks, last = hearing.stop()
    assert {(b.format.rate, b.format.channels) for b in blocks} == {(rate or 16_000, channels or 1)}
    assert [b.position for b in blocks] == [i * blocks[0].length for i in range(len(blocks))]
    assert blocks[0].length == (rate or 16_000) // 10
    assert not any(b.gap for b in blocks) and last["lost_samples"] == last["gaps"] == last["reopened"] == 0
    heard = np.concatenate([b.samples for b in blocks])
    np.testing.assert_array_equal(heard, SIGNAL[:len(heard)])


def test_a_card_of_8_khz_is_heard_with_a_warning(tmp_path: Path, house: dict[str, str],
                                                 capfd: pytest.CaptureFixture[str]) -> None:
    hearing = Hearing(tmp_path, house, microphone="kitchen", rate=8_000, queue_blocks=4096, most_samples=16_000)
    hearing.wait_for(lambda report: report["heard"] >= 16_000)
    hearing.stop()
    assert capfd.readouterr().err.count("microphone 'kitchen_mic': found 8000 Hz, which carries nothing above 4 kHz") == 1


def test_what_a_slow_listener_misses_is_counted_and_marked(tmp_path: Path, house: dict[str, str]) -> None:
    """The plugin is not paced, so the queue of four overflows for certain."""
    hearing = Hearing(tmp_path, house, microphone="garden", queue_blocks=4, slow_seconds=0.05, most_samples=16_000)
    hearing.wait_for(lambda report: report["heard"] >= 16_000)
    blocks, last = hearing.stop()
    expected = lost = gaps = 0
    for block in blocks:
        assert block.position >= expected
        assert block.gap == (block.position > expected)
        lost += block.position - expected
        gaps += block.gap
        expected = block.position + block.length
    assert lost > 0 and (last["lost_samples"], last["gaps"]) == (lost, gaps)
    known = [b for b in blocks if b.position + b.length <= len(SIGNAL)]
    assert known
    for block in known:
        np.testing.assert_array_equal(block.samples, SIGNAL[block.position:block.position + block.length])


def test_microphones_are_listed_with_what_they_offer_and_nothing_else_is_printed(house: dict[str, str]) -> None:
    listed, errors = ask("list", house)
    by_name = {name: (api, channels, rates) for name, api, channels, _, rates in listed}
    api, channels, rates = by_name["kitchen_mic"]
    assert api == "ALSA" and channels >= 2 and {16_000, 44_100, 48_000} <= set(rates)
    assert errors == ""


@pytest.mark.parametrize(("settings", "answer"), [
    ({"microphone": "KITCHEN"}, ["kitchen_mic", "16000 Hz, 1 channel"]),
    ({"microphone": "garden", "channel": 2}, ["garden_mic", "16000 Hz, 3 channels"]),
    ({"microphone": "garden", "rate": 48_000, "channels": 2}, ["garden_mic", "48000 Hz, 2 channels"]),
])
def test_a_microphone_is_found_by_a_part_of_its_name(house: dict[str, str], settings: dict[str, object],
                                                     answer: list[str]) -> None:
    assert ask("find", house, **settings)[0] == answer


@pytest.mark.parametrize(("settings", "kind", "words"), [
    ({"microphone": "USB"}, "SourceError", ["microphone 'USB': found none of that name among ", "'kitchen_mic'"]),
    ({"microphone": "mic"}, "SettingsError", ["'mic', which 2 names contain", "'kitchen_mic', 'garden_mic'"]),
])
def test_what_cannot_be_had_is_refused_with_what_there_is(house: dict[str, str], settings: dict[str, object],
                                                          kind: str, words: list[str]) -> None:
    answer, _ = ask("find", house, **settings)
    assert answer["kind"] == kind
    for word in words:
        assert word in answer["error"]


@pytest.mark.parametrize(("settings", "words"), [
    ({"channels": 5}, ["any rate with 5 channels", "'pair' refuses"]),
    ({"channel": 2}, ["channel 2", "'pair' refuses", "up to 2 channels"]),
])
def test_channels_that_the_microphone_has_not_are_refused(pair: dict[str, str], settings: dict[str, object],
                                                          words: list[str]) -> None:
    answer, _ = ask("find", pair, microphone="pair", **settings)
    assert answer["kind"] == "SettingsError"
    for word in words:
        assert word in answer["error"]


def test_a_setting_that_the_microphone_refuses_ends_the_blocks_with_an_error(tmp_path: Path,
                                                                            pair: dict[str, str]) -> None:
    hearing = Hearing(tmp_path, pair, microphone="pair", channels=5)
    report = hearing.wait_for(lambda report: "error" in report)
    assert report["kind"] == "SettingsError" and "with 5 channels" in report["error"]
    hearing.stop()


def test_a_missing_microphone_is_said_and_waited_for(tmp_path: Path, house: dict[str, str]) -> None:
    hearing = Hearing(tmp_path, house, microphone="no such microphone anywhere")
    report = hearing.wait_for(lambda report: report["state"] != "opening")
    assert report["state"].startswith("microphone 'no such microphone anywhere': none of that name among ")
    assert "'kitchen_mic'" in report["state"]
    assert hearing.process.poll() is None
    blocks, last = hearing.stop()
    assert blocks == [] and last["reopened"] == 0


def test_a_microphone_that_comes_later_is_found(tmp_path: Path, house: dict[str, str]) -> None:
    hearing = Hearing(tmp_path, house, microphone="attic", queue_blocks=4096, most_samples=50_000)
    hearing.wait_for(lambda report: "none of that name" in report["state"])
    path = Path(house["ALSA_CONFIG_PATH"])
    path.with_name("new.conf").write_text(path.read_text().replace("pcm.garden_mic", "pcm.attic_mic"))
    path.with_name("new.conf").rename(path)
    hearing.wait_for(lambda report: report["heard"] >= 50_000)
    blocks, last = hearing.stop()
    assert last["reopened"] == 0 and not blocks[0].gap and blocks[0].position == 0
    np.testing.assert_array_equal(blocks[0].samples, SIGNAL[:1600])


def test_without_pyaudio_edge_is_imported_and_the_ways_out_are_named() -> None:
    program = ("import sys; sys.modules['pyaudio'] = None\n"
               "from edge.settings import SourceSettings\nfrom edge.stats import Stats\n"
               "from edge.sources.open import open_source\n"
               "try: open_source(SourceSettings(), Stats())\nexcept OSError as error: print(error)")
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
                          capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=True)
    assert done.stdout.startswith("microphone: found no PyAudio (")
    assert "python3-pyaudio" in done.stdout and 'kind = "command" with arecord' in done.stdout
    assert done.stderr == ""


def test_an_overflow_is_a_gap_unless_it_is_the_first_block() -> None:
    """PortAudio flags an overflow while a slow board is still starting up (-9981): nothing was lost that had begun."""
    stats = Stats()
    source = MicrophoneSource(SourceSettings(block_seconds=0.01), stats)
    source._crossing.begin(StreamFormat(16_000, 1))
    silence = bytes(320)
    for flags in (pyaudio.paInputOverflow, 0, pyaudio.paInputOverflow, pyaudio.paOutputUnderflow):
        assert source._callback(silence, 160, {}, flags) == (None, pyaudio.paContinue)
    blocks = [source._crossing.take(0.0) for _ in range(4)]
    assert [block is not None and block.gap for block in blocks] == [False, False, True, False]
    assert stats.gaps == 1 and stats.lost_samples == 0
    source.close()


def test_a_microphone_of_zeros_says_so(tmp_path: Path) -> None:
    (tmp_path / "signal.raw").write_bytes(bytes(64_000))
    dead = f'type file  slave.pcm "null"  file "/dev/null"  infile "{tmp_path}/signal.raw"  format "raw"'
    hearing = Hearing(tmp_path, alsa(tmp_path, f"pcm.dead {{ {dead} }}"), microphone="dead")
    report = hearing.wait_for(lambda report: report["state"] not in ("ok", "opening"))
    assert report["state"] == "microphone 'dead' gives only zeros (muted, or not connected?)"
    hearing.stop()
