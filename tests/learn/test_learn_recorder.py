"""Sounds cut out of a running microphone: each one once, with room around it, however blocks are cut."""

from __future__ import annotations

import numpy as np
import pytest

from edge.learn.recorder import AFTER, BEFORE, Recorder

RATE = 16_000


def stream(*at: float, seconds: float = 12.0, length: float = 0.2) -> np.ndarray:
    random = np.random.default_rng(1)
    samples = random.normal(0.0, 30.0, round(seconds * RATE))
    for second in at:
        first = round(second * RATE)
        samples[first: first + round(length * RATE)] += random.normal(0.0, 5000.0, round(length * RATE))
    return np.clip(np.rint(samples), -32768, 32767).astype(np.int16)


@pytest.mark.parametrize("block", [160, 1000, 4096, 50_000])
def test_every_sound_is_one_recording_whatever_the_blocks(block: int) -> None:
    samples, recorder = stream(3.0, 5.5, 8.0), Recorder()
    found = [one for start in range(0, len(samples), block) for one in recorder.push(samples[start: start + block])]
    assert len(found) == 3 and not recorder.hearing
    for one in found:
        loud = np.flatnonzero(np.abs(one.astype(int)) > 3000)
        assert abs(loud[0] - BEFORE) < 400 and len(one) - loud[-1] > AFTER - 800


def test_the_first_second_is_the_rooms() -> None:
    recorder = Recorder()
    recorder.push(stream(0.2, seconds=0.9))
    assert recorder.room_dbfs is None and not recorder.hearing


def test_a_sound_without_end_is_refused_and_is_the_room_from_then_on() -> None:
    """A fan that began after the start was cut into recordings of ten seconds, all accepted, and was never the room."""
    samples, recorder = stream(2.0, seconds=30.0, length=28.0), Recorder()
    samples[20 * RATE: 20 * RATE + 3200] //= 4
    samples = np.concatenate((samples, stream(3.0, seconds=6.0, length=0.2)))
    found = [one for start in range(0, len(samples), 1600) for one in recorder.push(samples[start: start + 1600])]
    assert recorder.endless == 1 and len(found) == 1 and len(found[0]) < 2 * RATE
    assert recorder.room_dbfs is not None and recorder.room_dbfs < -55.0, "what ended is the room no longer"
