"""Dead, stuck and clipping microphones, told from their samples alone."""

from __future__ import annotations

import numpy as np
import pytest

from edge.sources.condition import AFTER_SECONDS, GAP_SECONDS, GAPS, OFF_ZERO, Condition
from edge.stream import Block, StreamFormat


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


@pytest.mark.parametrize(("samples", "trouble"), [
    (ZEROS, "silent"), (STUCK, "stuck"), (CLIPPED, "clipping"), (SPEECH / 10 + OFF_ZERO + 20, "offset"),
    (SPEECH / 10 - OFF_ZERO - 20, "offset"), (SPEECH / 3000, ""), (SPEECH / 10 + OFF_ZERO / 2, "")])
def test_each_fault_has_a_word_for_programs_and_a_quiet_room_has_none(samples: np.ndarray, trouble: str) -> None:
    condition = condition_after(samples, AFTER_SECONDS + 0.5)
    assert condition.trouble == trouble and (condition.state == "ok") == (not trouble)
    condition_after(SPEECH, 4 * AFTER_SECONDS + 0.2, condition=condition)
    assert condition.trouble == ""


def test_rumble_is_no_offset() -> None:
    """A lorry of 2.5 Hz: every block is off zero, to one side and then to the other."""
    condition = Condition(-1)
    for i in range(300):
        condition_after(np.full(1600, (-1) ** (i // 2) * 3000) + SPEECH / 10, 0.1, condition=condition)
        assert condition.trouble == ""


def test_samples_lost_again_and_again_are_a_fault_and_a_reopening_is_none() -> None:
    condition = Condition(-1)

    def hear(seconds: float, gap: bool) -> str:
        form = StreamFormat(16_000, 1)
        condition.heard(Block(SPEECH.astype(np.int16), 0, form, gap=gap))
        condition_after(SPEECH, seconds, condition=condition)
        return condition.trouble

    for _ in range(5):
        assert hear(GAP_SECONDS, gap=True) == ""
    assert [hear(1.0, gap=True) for _ in range(GAPS)] == ["", "", "overflowing"]
    assert hear(GAP_SECONDS, gap=False) == "overflowing"
    assert hear(GAPS * GAP_SECONDS, gap=False) == ""


def test_a_microphone_that_was_opened_again_three_times_in_a_minute_is_not_said_to_lose_samples() -> None:
    """It was missing each time, and that was said. For a minute after it was heard again health still named a trouble."""
    condition = Condition(-1)
    for _ in range(2 * GAPS):
        condition.heard(Block(SPEECH.astype(np.int16), 0, StreamFormat(16_000, 1), gap=True), reopened=True)
        condition_after(SPEECH, 5.0, condition=condition)
        assert condition.trouble == ""


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
