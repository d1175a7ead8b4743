import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.features.framing import Framer


def frames_of(framer, samples, sizes):
    made, at = [], 0
    for size in [*sizes, len(samples)]:
        made += [frame.copy() for stretch in framer.push(samples[at:at + size]) for frame in stretch]
        at += size
    return made


@pytest.mark.big
@given(st.integers(1, 30), st.data(), st.lists(st.integers(0, 90), max_size=12))
def test_block_size_does_not_change_frames(length, data, sizes):
    step = data.draw(st.integers(1, length))
    samples = np.arange(200, dtype=np.int16)
    framer = Framer(length, step, dtype=np.int16, room=data.draw(st.integers(1, 64)))
    expected = [samples[start:start + length].tolist() for start in range(0, 200 - length + 1, step)]
    assert [frame.tolist() for frame in frames_of(framer, samples, sizes)] == expected


def test_too_few_samples_make_no_frame_and_are_kept():
    framer = Framer(400, 160, dtype=np.int16)
    assert frames_of(framer, np.zeros(399, np.int16), []) == []
    assert framer.held == 399
    assert len(frames_of(framer, np.zeros(1, np.int16), [])) == 1
    assert framer.held == 240


def test_reset_forgets_what_was_held():
    framer = Framer(4, 2, dtype=np.int16)
    frames_of(framer, np.full(3, 9, np.int16), [])
    framer.reset()
    assert framer.held == 0
    assert [frame.tolist() for frame in frames_of(framer, np.arange(4, dtype=np.int16), [])] == [[0, 1, 2, 3]]


@settings(max_examples=20)
@given(st.integers(1, 3_000))
def test_frames_lie_in_one_memory_that_never_grows(size):
    framer = Framer(400, 160, dtype=np.int16)
    places = {stretch.__array_interface__["data"][0]
              for _ in range(20) for stretch in framer.push(np.zeros(size, np.int16))}
    assert len(places) <= 1


def test_frames_cannot_be_written_to():
    with pytest.raises(ValueError, match="read-only"):
        next(Framer(4, 2, dtype=np.int16).push(np.zeros(4, np.int16)))[0, 0] = 1


@pytest.mark.parametrize("step", [0, 5])
def test_a_step_over_the_length_is_refused(step):
    with pytest.raises(ValueError, match="step"):
        Framer(4, step, dtype=np.int16)
