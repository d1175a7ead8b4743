"""The parts under microphone and command: the crossing, the back-off, the condition, the choices, the quiet, the opening."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from wav_files import noise, wav

from edge.errors import EdgeError, SettingsError, SourceError
from edge.listener import Source
from edge.settings import SourceSettings
from edge.sources.backoff import STEADY_SECONDS, Backoff
from edge.sources.cards import USUAL_RATES, channel_counts, choose, pick_format
from edge.sources.command import Command
from edge.sources.condition import AFTER_SECONDS, Condition
from edge.sources.crossing import Bell, BlockQueue
from edge.sources.live import LiveSource
from edge.sources.open import open_source
from edge.sources.quiet import quiet_libraries
from edge.sources.recording import Recording
from edge.stats import Stats
from edge.stream import Block, StreamFormat

MONO = StreamFormat(16_000, 1)


def drain(crossing: BlockQueue) -> list[Block]:
    blocks = []
    while (block := crossing.take(0.0)) is not None:
        blocks.append(block)
    return blocks


# The crossing.


@given(st.lists(st.one_of(st.integers(1, 50), st.just("take"), st.just("overflow"), st.just("reopen")), max_size=60))
def test_received_and_lost_add_up_to_what_was_offered(steps: list[int | str]) -> None:
    """Whatever the order: positions never go back, every hole is marked with a gap and counted, nothing is invented."""
    stats = Stats()
    crossing = BlockQueue(4, stats)
    crossing.begin(MONO)
    offered, overflow, heard = 0, False, []
    for step in [*steps, "take", 7, "take"]:
        if step == "take":
            heard += drain(crossing)
        elif step == "reopen":
            crossing.begin(MONO)
        elif step == "overflow":
            overflow = True
        else:
            crossing.offer(np.arange(offered, offered + int(step), dtype=np.int16), lost_before=overflow)
            offered, overflow = offered + int(step), False
    assert sum(block.length for block in heard) + stats.lost_samples == offered
    assert stats.gaps == sum(block.gap for block in heard)
    expected = 0
    for block in heard:
        assert block.position == expected or (block.gap and block.position > expected)
        np.testing.assert_array_equal(block.samples, np.arange(block.position, block.position + block.length))
        expected = block.position + block.length


def test_a_full_queue_drops_the_newest_and_marks_the_next() -> None:
    stats = Stats()
    crossing = BlockQueue(2, stats)
    crossing.begin(MONO)
    for _ in range(5):
        crossing.offer(np.zeros(100, np.int16))
    assert [(block.position, block.gap) for block in drain(crossing)] == [(0, False), (100, False)]
    crossing.offer(np.zeros(100, np.int16))
    assert [(block.position, block.gap) for block in drain(crossing)] == [(500, True)]
    assert (stats.lost_samples, stats.gaps, crossing.offered) == (300, 1, 6)


def test_positions_count_sample_times_not_samples() -> None:
    crossing = BlockQueue(8, Stats())
    crossing.begin(StreamFormat(48_000, 2))
    for _ in range(2):
        crossing.offer(np.zeros(960, np.int16))
    assert [block.position for block in drain(crossing)] == [0, 480]


def test_another_rate_goes_on_at_the_same_moment_after_a_gap() -> None:
    stats = Stats()
    crossing = BlockQueue(8, stats)
    for form, position in ((MONO, 0), (StreamFormat(44_100, 1), 4410), (MONO, 1600 + 1600)):
        crossing.begin(form)
        crossing.offer(np.zeros(form.rate // 10, np.int16))
        block = crossing.take(0.0)
        assert block is not None and (block.position, block.gap, block.format) == (position, position > 0, form)
    assert stats.lost_samples == 0 and stats.gaps == 2


def test_wake_ends_a_take_that_waits() -> None:
    crossing = BlockQueue(8, Stats())
    threading.Timer(0.05, crossing.wake).start()
    assert crossing.take(60.0) is None


def test_a_bell_may_be_rung_by_a_signal_handler_of_the_thread_that_waits() -> None:
    bell = Bell()
    assert not bell.wait(0.0)
    before = signal.signal(signal.SIGUSR1, lambda *_: bell.ring())
    try:
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR1)).start()
        assert bell.wait(60.0) and bell.wait(60.0) and bell.rung
    finally:
        signal.signal(signal.SIGUSR1, before)


# The back-off.


def test_pauses_double_up_to_the_longest_and_begin_again_after_a_steady_run() -> None:
    backoff = Backoff(5.0, jitter=lambda: 0.0)
    assert [backoff.pause_seconds() for _ in range(6)] == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0]
    assert backoff.pause_seconds(ran_seconds=1.0) == 5.0
    assert backoff.pause_seconds(ran_seconds=STEADY_SECONDS) == 0.5
    backoff.reset()
    assert backoff.pause_seconds() == 0.5


@given(st.floats(0.1, 3600.0), st.floats(0.0, 1.0, exclude_max=True))
def test_jitter_shortens_a_pause_by_at_most_half(longest: float, jitter: float) -> None:
    backoff, plain = Backoff(longest, jitter=lambda: jitter), Backoff(longest, jitter=lambda: 0.0)
    for _ in range(15):
        pause, whole = backoff.pause_seconds(), plain.pause_seconds()
        assert 0.5 * whole <= pause <= whole <= longest


# The condition.


def condition_after(samples: np.ndarray, seconds: float, channel: int = -1, channels: int = 1,
                    condition: Condition | None = None) -> Condition:
    condition = condition or Condition(channel)
    for i in range(round(seconds * 10)):
        condition.heard(Block(samples.astype(np.int16), i * 1600, StreamFormat(16_000, channels)))
    return condition


SPEECH = np.random.default_rng(5).normal(0, 3000, 1600)
ZEROS, STUCK = np.zeros(1600), np.full(1600, 700)
CLIPPED = np.where(np.arange(1600) % 4 < 2, 32767, -32768)


@pytest.mark.parametrize(("samples", "words"), [
    (ZEROS, "gives only zeros"), (STUCK, "is stuck: every sample is 700"), (CLIPPED, "clips"),
    (np.full(1600, -32768), "is stuck: every sample is -32768")])
def test_a_fault_is_said_after_a_while_and_taken_back(samples: np.ndarray, words: str) -> None:
    condition = condition_after(samples, AFTER_SECONDS - 0.1)
    assert condition.state == "ok"
    condition_after(samples, 0.2, condition=condition)
    assert condition.state.startswith(words)
    condition_after(SPEECH, 4 * AFTER_SECONDS + 0.2, condition=condition)
    assert condition.state == "ok"


def test_pauses_and_loud_moments_are_no_fault() -> None:
    condition = Condition(-1)
    for _ in range(20):
        for samples, seconds in ((ZEROS, AFTER_SECONDS - 0.5), (CLIPPED, 1.0), (SPEECH, 5.0)):
            condition_after(samples, seconds, condition=condition)
            assert condition.state == "ok"


def test_values_that_change_from_block_to_block_are_not_stuck() -> None:
    condition = Condition(-1)
    for value in range(200):
        condition_after(np.full(1600, value + 1), 0.1, condition=condition)
    assert condition.state == "ok"


def test_only_the_channel_in_use_is_watched() -> None:
    half_dead = np.stack([SPEECH, ZEROS], axis=1).ravel()
    assert condition_after(half_dead, 12, channel=0, channels=2).state == "ok"
    assert condition_after(half_dead, 12, channel=1, channels=2).state.startswith("gives only zeros")
    assert condition_after(half_dead, 12, channel=-1, channels=2).state == "ok"


def test_reset_forgets() -> None:
    condition = condition_after(ZEROS, 12)
    condition.reset()
    assert vars(condition) == vars(Condition(-1))


# The choices.

NAMES = ("HDA Intel PCH: ALC269 (hw:0,0)", "USB PnP Sound Device: Audio (hw:1,0)", "USB Camera: Audio (hw:2,0)", "default")


@pytest.mark.parametrize(("wanted", "index"), [("pnp", 1), ("usb cam", 2), ("DEFAULT", 3), (NAMES[1].upper(), 1)])
def test_a_part_of_one_name_chooses(wanted: str, index: int) -> None:
    assert choose(NAMES, wanted) == index


def test_the_whole_name_wins_over_a_longer_one() -> None:
    assert choose(("mic", "mic array"), "Mic") == 0


def test_two_of_a_name_and_none_of_it_list_what_there_is() -> None:
    with pytest.raises(SettingsError, match=r"'USB', which 2 names contain; wanted a longer part of one of 'USB PnP.*'"):
        choose(NAMES, "USB")
    with pytest.raises(SourceError, match=r"microphone 'RODE': found none of that name among 'HDA.*, 'default'; wanted"):
        choose(NAMES, "RODE")
    with pytest.raises(SourceError, match="microphone 'RODE': found no microphone at all"):
        choose((), "RODE")


@pytest.mark.parametrize(("settings", "rates", "channels", "most", "expected"), [
    ({}, {16_000, 48_000}, {1, 2}, 2, (16_000, 1)),
    ({}, {44_100, 48_000}, {2}, 2, (44_100, 2)),  # the card's own rate before 48000
    ({}, {48_000}, {2}, 2, (48_000, 2)),
    ({}, {96_000}, {18}, 18, (96_000, 18)),
    ({}, {8_000}, {1}, 1, (8_000, 1)),
    ({"channel": 1}, {16_000}, {1, 2, 4}, 4, (16_000, 2)),
    ({"channel": 2}, {16_000}, {1, 2, 4}, 4, (16_000, 4)),
    ({"rate": 48_000}, {16_000, 48_000}, {1, 2}, 2, (48_000, 1)),
    ({"channels": 2}, {16_000, 48_000}, {1, 2}, 2, (16_000, 2)),
    ({"rate": 12_345, "channels": 2}, {12_345}, {2}, 2, (12_345, 2)),
])
def test_the_best_that_the_card_really_offers_is_taken(settings: dict[str, int], rates: set[int], channels: set[int],
                                                       most: int, expected: tuple[int, int]) -> None:
    form = pick_format(SourceSettings(**settings), "card", most, 44_100,  # type: ignore[arg-type]
                       lambda rate, count: rate in rates and count in channels)
    assert form == StreamFormat(*expected)


@pytest.mark.parametrize(("settings", "words"), [
    ({"rate": 12_345}, r"\[source\] 12345 Hz with any number of channels: found microphone 'card' refuses; wanted what"),
    ({"channels": 2}, "any rate with 2 channels: found"),
    ({"channel": 1}, "any number of channels, of which channel 1: found"),
    ({"channel": 1, "channels": 1}, "with 1 channels, of which channel 1: found"),
])
def test_explicit_settings_are_honoured_or_refused(settings: dict[str, int], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        pick_format(SourceSettings(**settings), "card", 1, 44_100,  # type: ignore[arg-type]
                    lambda rate, count: rate in USUAL_RATES and count == 1)


def test_as_few_channels_as_possible_are_tried_first_and_all_last() -> None:
    assert channel_counts(2) == (1, 2)
    assert channel_counts(18) == (1, 2, 3, 4, 5, 6, 7, 8, 18)
    assert channel_counts(128, 3) == (3, 4, 5, 6, 7, 8, 64)
    assert channel_counts(2, 3) == ()


# The quiet.


def test_chatter_is_kept_off_standard_error_and_other_lines_pass(capfd: pytest.CaptureFixture[str],
                                                                caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), quiet_libraries():
        os.write(2, b"ALSA lib pcm.c:2664:(snd_pcm_open_noupdate) Unknown PCM cards.pcm.rear\nsomething of ours\n"
                    b"jack server is not running or cannot be started\nExpression 'ret' failed in 'pa_linux_alsa.c'\n")
        os.write(2, b"half a line, and ")
        os.write(2, b"its end\n")
    assert capfd.readouterr().err == "something of ours\nhalf a line, and its end\n"
    assert [record.getMessage().split()[0] for record in caplog.records] == ["ALSA", "jack", "Expression"]
    os.write(2, b"ALSA lib afterwards\n")
    assert capfd.readouterr().err == "ALSA lib afterwards\n"


# The opening.


def test_a_source_is_opened_by_its_kind(tmp_path: Path) -> None:
    def checked(source: Source) -> Source:
        source.close()
        source.close()
        return source

    path = wav(tmp_path / "a.wav", noise(16, 100))
    assert isinstance(checked(open_source(SourceSettings(kind="file", path=str(path)), Stats())), Recording)
    assert isinstance(checked(open_source(SourceSettings(kind="command", command=("cat",)), Stats())), Command)


@pytest.mark.parametrize(("settings", "words"), [
    (SourceSettings(kind="file"), r"\[source\] path: found nothing; wanted the recording"),
    (SourceSettings(kind="command"), r"\[source\] command: found nothing; wanted a program"),
    (SourceSettings(kind="radio"), r"\[source\] kind: found 'radio'; wanted microphone, file or command"),
])
def test_a_kind_without_what_it_needs_is_refused(settings: SourceSettings, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        open_source(settings, Stats())


class Scripted(LiveSource):
    """A device that does what a list says: an error to raise, or a format to begin and be lost after one block."""

    name = "scripted"

    def __init__(self, script: list[EdgeError | StreamFormat]) -> None:
        super().__init__(SourceSettings(retry_seconds=0.01), Stats())
        self._script = iter(script)

    def _hear(self) -> None:
        step = next(self._script, None)
        if step is None:
            self._closing.wait(60.0)
        elif isinstance(step, StreamFormat):
            self._crossing.begin(step)
            self._opened()
            self._crossing.offer(np.ones(step.rate // 10, np.int16))
            raise SourceError("scripted", found="lost", wanted="sound")
        else:
            raise step


REFUSAL = SettingsError("[source] rate", found="1", wanted="2")


def test_a_refused_setting_ends_the_blocks_at_the_start() -> None:
    with pytest.raises(SettingsError, match="rate: found 1; wanted 2"):
        list(Scripted([SourceError("scripted", found="nothing", wanted="sound"), REFUSAL]).blocks())


def test_a_refused_setting_is_a_state_once_sound_was_heard() -> None:
    source = Scripted([MONO, REFUSAL, MONO])
    blocks: Iterator[Block | None] = (block for block in source.blocks() if block is not None)
    first, second = next(blocks), next(blocks)
    assert first is not None and second is not None and (second.position, second.gap) == (1600, True)
    source.close()
    assert source._stats.reopened == 1
