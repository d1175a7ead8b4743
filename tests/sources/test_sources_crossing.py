"""The crossing between the device's thread and the listener's, and the pauses between two tries."""

from __future__ import annotations

import os
import signal
import threading
from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.backoff import STEADY_SECONDS, Backoff
from edge.sources.crossing import Bell, BlockQueue
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


def test_the_first_block_after_another_opening_is_told_from_one_after_an_overflow() -> None:
    crossing, samples = BlockQueue(1, Stats()), np.zeros(8, np.int16)

    def heard(*, lost: bool = False) -> tuple[bool, bool]:
        crossing.offer(samples, lost_before=lost)
        block = crossing.take(0.0)
        assert block is not None
        return block.gap, crossing.reopened

    crossing.begin(MONO)
    assert [heard(), heard(), heard(lost=True)] == [(False, False), (False, False), (True, False)]
    crossing.begin(MONO)
    assert [heard(), heard()] == [(True, True), (False, False)]
    crossing.offer(samples)  # nobody takes it before the device is lost
    crossing.begin(MONO)
    crossing.offer(samples)  # dropped
    assert crossing.take(0.0) is not None and not crossing.reopened
    assert heard() == (True, True)


def test_a_full_queue_drops_the_newest_and_marks_the_next() -> None:
    stats = Stats()
    crossing = BlockQueue(2, stats)
    crossing.begin(MONO)
    for _ in range(5):
        crossing.offer(np.zeros(100, np.int16))
    assert [(block.position, block.gap) for block in drain(crossing)] == [(0, False), (100, False)]
    crossing.offer(np.zeros(100, np.int16))
    assert [(block.position, block.gap) for block in drain(crossing)] == [(500, True)]
    assert (stats.lost_samples, stats.gaps, crossing.offered) == (300, 1, 600)


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


# Parts that make a block.


@given(st.integers(1, 3), st.lists(st.one_of(st.integers(1, 700), st.just("hurry"), st.just("overflow")), max_size=60))
def test_however_parts_come_blocks_hold_all_of_them_and_none_is_longer(channels: int, steps: list[int | str]) -> None:
    stats = Stats()
    crossing = BlockQueue(1_000, stats, block_seconds=0.02)
    crossing.begin(StreamFormat(16_000, channels))
    offered, overflow, heard = 0, False, []
    for step in steps:
        if step == "hurry":
            heard += drain(crossing)
            crossing.hurry(0.005)
        elif step == "overflow":
            overflow = True
        else:
            times = np.arange(offered, offered + int(step), dtype=np.int16)
            crossing.offer(np.repeat(times, channels), lost_before=overflow)
            offered, overflow = offered + int(step), False
    crossing.flush()
    heard += drain(crossing)
    assert [block.position for block in heard] == [sum(block.length for block in heard[:n]) for n in range(len(heard))]
    np.testing.assert_array_equal(np.concatenate([np.zeros(0, np.int16), *(block.samples for block in heard)]),
                                  np.repeat(np.arange(offered, dtype=np.int16), channels))
    assert all(block.length <= 320 for block in heard)


def test_a_block_is_whole_unless_the_consumer_is_in_a_hurry() -> None:
    crossing = BlockQueue(8, Stats(), block_seconds=0.1)
    crossing.begin(MONO)
    lengths = []
    for number, seconds in enumerate([*4 * [inf], 0.04, 0.04, 0.07, 0.07, 0.01, *4 * [inf]]):
        crossing.hurry(seconds)
        crossing.offer(np.full(400, number, np.int16))  # 25 ms
        lengths += [block.length for block in drain(crossing)]
    assert lengths == [1_600, 800, 1_200, 1_600]


def test_what_is_less_than_a_block_comes_before_the_device_is_opened_again() -> None:
    crossing = BlockQueue(8, Stats(), block_seconds=0.1)
    crossing.begin(MONO)
    crossing.offer(np.zeros(400, np.int16))
    crossing.begin(StreamFormat(48_000, 2))
    crossing.offer(np.zeros(9_600, np.int16))
    first, second = drain(crossing)
    assert (first.position, first.length, first.gap) == (0, 400, False)
    assert (second.position, second.length, second.gap) == (1_200, 4_800, True)


def test_a_consumer_that_was_in_a_hurry_and_is_late_has_room_for_as_many_seconds_as_ever() -> None:
    stats = Stats()
    crossing = BlockQueue(8, stats, block_seconds=0.1)
    crossing.begin(MONO)
    crossing.offer(np.zeros(1_600, np.int16))
    drain(crossing)
    crossing.hurry(0.04)
    for number in range(74):  # 10 ms at a time: the queue holds 8 blocks
        crossing.offer(np.full(160, number, np.int16))
    assert crossing.waiting_seconds == pytest.approx(0.74)
    assert [block.length for block in drain(crossing)] == [640, *7 * [1_600]]
    assert (stats.gaps, stats.lost_samples) == (0, 0)


def test_what_waits_is_told_in_seconds_at_any_rate() -> None:
    crossing = BlockQueue(4, Stats(), block_seconds=0.1)
    assert crossing.waiting_seconds == 0.0
    crossing.begin(MONO)
    crossing.offer(np.zeros(800, np.int16))
    assert crossing.waiting_seconds == 0.05  # less than a block
    crossing.begin(StreamFormat(48_000, 2))
    crossing.offer(np.zeros(9_600, np.int16))
    assert crossing.waiting_seconds == 0.15
    assert crossing.take(0.0) is not None and crossing.waiting_seconds == pytest.approx(0.1)
    assert crossing.take(0.0) is not None and crossing.waiting_seconds == 0.0
