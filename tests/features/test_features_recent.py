"""The ring of recent sound, against the whole of what was pushed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.features.frontend import FrontEnd
from edge.features.recent import RecentSound
from edge.stream import StreamFormat
from tests.features.features_blocks import MONO, blocks, noise

RING = 400


@pytest.mark.big
@given(st.lists(st.tuples(st.integers(0, 900), st.integers(0, 900)), min_size=1, max_size=8), st.integers(0, 2_000),
       st.integers(0, 2_000))
def test_a_cut_is_what_was_pushed_with_silence_for_what_was_lost(pushes: list[tuple[int, int]], start: int,
                                                                  length: int) -> None:
    ring, whole, position = RecentSound(RING / 16_000), np.zeros(20_000, np.int16), 100
    for lost, count in pushes:
        position += lost
        samples = np.arange(position, position + count).astype(np.int16) + 1
        whole[position:position + count] = samples
        ring.push(samples, position)
        position += count
    first = 100 + pushes[0][0]
    begin = max(start, first, position - RING)
    assert ring.cut(start, start + length).tolist() == whole[begin:max(begin, min(start + length, position))].tolist()


def test_a_longer_ring_keeps_what_it_held() -> None:
    ring, whole = RecentSound(RING / 16_000), np.arange(2_000, dtype=np.int16)
    ring.lengthen(0.5 * RING / 16_000)
    ring.push(whole[:1_000], 100)
    ring.lengthen(3 * RING / 16_000)
    assert ring.cut(0, 5_000).tolist() == whole[1_000 - RING:1_000].tolist()
    ring.push(whole[1_000:], 1_100)
    assert ring.cut(0, 5_000).tolist() == whole[2_000 - 3 * RING:].tolist()
    empty = RecentSound(RING / 16_000)
    empty.lengthen(2 * RING / 16_000)
    assert empty.cut(-5, 5).size == 0


def test_a_ring_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="wanted more than 0"):
        RecentSound(0.0)


@pytest.mark.parametrize("sound_format", [MONO, StreamFormat(48_000, 2)])
def test_the_front_end_gives_the_sound_that_patches_are_made_of(sound_format: StreamFormat) -> None:
    front_end, ring, patches = FrontEnd(wants="samples", hop_seconds=0.48), RecentSound(4.0), []
    for block in blocks(noise(sound_format, 3.0), sound_format):
        patches += front_end.push(block)
        ring.push(front_end.samples, front_end.samples_position)
    assert len(patches) >= 4
    for patch in patches:
        assert np.array_equal(ring.cut(patch.position, patch.position + 15_600), patch.data)
