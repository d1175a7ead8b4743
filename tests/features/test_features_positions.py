"""Where patches and rows lie in time: gaps, other formats, the end of the stream."""


import numpy as np
import pytest
from features_blocks import FORMATS, MONO, blocks, noise, plain_bands, push, same

from edge.features.frontend import FrontEnd
from edge.stream import PATCH_SAMPLES, Block, StreamFormat


@pytest.mark.parametrize("sound_format", FORMATS, ids=str)
@pytest.mark.parametrize("wants", ["bands", "samples"])
def test_a_gap_never_yields_a_mixed_patch(sound_format, wants):
    """What follows a gap is what a new front end would have made of it alone."""
    before, after = noise(sound_format, 1.61), noise(sound_format, 1.3, seed=1)
    start = sound_format.rate * 2  # 0.39 s were lost
    broken = FrontEnd(wants=wants, hop_seconds=0.24)
    first = push(broken, blocks(before, sound_format))
    second = push(broken, blocks(after, sound_format, start=start, gap=True))
    alone = push(FrontEnd(wants=wants, hop_seconds=0.24), blocks(after, sound_format, start=start))
    assert len(first) == 3
    assert len(second) > 0
    assert same(second, alone)
    assert second[0].first
    assert second[0].position == 32_000


def test_samples_that_a_gap_leaves_in_no_patch_are_counted():
    front_end = FrontEnd(wants="bands", hop_seconds=0.24)
    push(front_end, blocks(noise(MONO, 1.5)))  # patches at 0, 0.24 and 0.48 s: heard to 1.455 s
    assert front_end.deaf_samples == 0
    push(front_end, blocks(noise(MONO, 0.5), start=40_000, gap=True))
    assert front_end.deaf_samples == 24_000 - (2 * 3_840 + PATCH_SAMPLES)
    push(front_end, blocks(noise(MONO, 0.5), start=60_000, gap=True))  # too short for any patch: all of it
    assert front_end.deaf_samples == 24_000 - (2 * 3_840 + PATCH_SAMPLES) + 8_000


def test_deafness_is_counted_at_16_khz_whatever_the_card_does():
    sound_format = StreamFormat(44_100, 2)
    front_end = FrontEnd(wants="bands", hop_seconds=0.24)
    push(front_end, blocks(noise(sound_format, 0.5), sound_format))
    push(front_end, blocks(noise(sound_format, 0.1), sound_format, start=44_100, gap=True))
    assert front_end.deaf_samples == 8_000


def test_a_block_that_does_not_begin_where_the_last_ended_counts_as_a_gap():
    front_end = FrontEnd(wants="samples", hop_seconds=0.24)
    push(front_end, blocks(noise(MONO, 0.9)))
    patches = push(front_end, blocks(noise(MONO, 1.0, seed=1), start=14_401))
    assert [(patch.position, patch.first) for patch in patches] == [(14_401, True)]
    assert front_end.deaf_samples == 14_400


def test_another_format_begins_afresh_and_positions_go_on():
    front_end = FrontEnd(wants="samples", hop_seconds=0.24)
    push(front_end, blocks(noise(MONO, 1.2)))
    fast = StreamFormat(48_000, 2)
    samples = noise(fast, 1.0, seed=1)
    patches = push(front_end, blocks(samples, fast, start=57_600))
    alone = push(FrontEnd(wants="samples", hop_seconds=0.24), blocks(samples, fast))
    assert [(patch.position, patch.first) for patch in patches] == [(19_200, True)]
    assert np.array_equal(patches[0].data, alone[0].data)
    assert front_end.position == 35_200


def test_positions_never_go_back():
    front_end = FrontEnd(wants="bands", hop_seconds=0.24)
    push(front_end, blocks(noise(MONO, 1.0)))
    patches = push(front_end, blocks(noise(MONO, 1.0), start=0, gap=True))  # a source that broke its promise
    assert [patch.position for patch in patches] == [16_000]
    assert front_end.position == 32_000


@pytest.mark.parametrize("sound_format", FORMATS, ids=str)
def test_position_is_that_after_the_last_sample_heard(sound_format):
    front_end = FrontEnd(wants="bands", hop_seconds=0.24)
    for block in blocks(noise(sound_format, 1.0), sound_format, size=sound_format.rate // 8, start=sound_format.rate):
        front_end.push(block)
        assert front_end.position == (block.position + block.length) * 16_000 // sound_format.rate


@pytest.mark.big
@pytest.mark.parametrize("sound_format", FORMATS, ids=str)
@pytest.mark.parametrize("seconds", [0.001, 0.5, 0.975, 1.0, 1.215, 2.3])
@pytest.mark.parametrize("wants", ["bands", "samples"])
def test_at_the_end_every_sample_lies_in_a_patch_and_no_patch_is_all_padding(sound_format, seconds, wants):
    front_end = FrontEnd(wants=wants, hop_seconds=0.24)
    patches = push(front_end, blocks(noise(sound_format, seconds), sound_format))
    patches += front_end.finish()
    end = front_end.position
    assert [patch.position for patch in patches] == [3_840 * k for k in range(len(patches))]
    assert [patch.first for patch in patches] == [True] + [False] * (len(patches) - 1)
    assert patches[-1].position + PATCH_SAMPLES >= end
    assert len(patches) == 1 or patches[-2].position + PATCH_SAMPLES < end
    assert front_end.deaf_samples == 0


@pytest.mark.parametrize("length", [PATCH_SAMPLES, PATCH_SAMPLES + 3_840])
def test_sound_that_ends_with_a_patch_gives_no_further_patch(length):
    front_end = FrontEnd(wants="bands", hop_seconds=0.24)
    assert push(front_end, blocks(noise(MONO, 2)[:length]))
    assert front_end.finish() == []


def test_the_tail_is_padded_with_silence():
    samples = noise(MONO, 0.5)
    for wants in ("bands", "samples"):
        front_end = FrontEnd(wants=wants, hop_seconds=0.24)
        assert push(front_end, blocks(samples)) == []
        (patch,) = front_end.finish()
        padded = np.concatenate((samples, np.zeros(7_600, np.int16)))
        assert np.array_equal(patch.data, padded if wants == "samples" else plain_bands(padded, 1)[0])


def test_no_sound_gives_no_patch_and_finishing_twice_gives_none_the_second_time():
    front_end = FrontEnd(wants="bands", hop_seconds=0.24)
    assert front_end.finish() == []
    push(front_end, blocks(noise(MONO, 0.5)))
    assert len(front_end.finish()) == 1
    assert front_end.finish() == []
    assert front_end.position == 8_000


def test_after_the_end_a_block_begins_afresh_and_positions_go_on():
    front_end = FrontEnd(wants="samples", hop_seconds=0.24)
    push(front_end, blocks(noise(MONO, 0.5)))
    front_end.finish()
    samples = noise(MONO, 1.0, seed=1)
    (patch,) = push(front_end, blocks(samples, start=8_000))
    assert (patch.position, patch.first) == (8_000, True)
    assert np.array_equal(patch.data, samples[:PATCH_SAMPLES])


@pytest.mark.parametrize("sound_format", FORMATS, ids=str)
@pytest.mark.parametrize("wants", ["bands", "samples"])
def test_each_row_is_handed_out_once_with_its_position(sound_format, wants):
    front_end = FrontEnd(wants=wants, hop_seconds=0.12)
    rows, patches, expected = [], [], 0
    for block in blocks(noise(sound_format, 2), sound_format, size=sound_format.rate // 7):
        patches += front_end.push(block)
        assert front_end.rows_position == expected
        expected += 160 * len(front_end.rows)
        rows += list(front_end.rows)
    patches += front_end.finish()
    assert front_end.rows_position == expected
    rows += list(front_end.rows)
    if wants == "bands":
        for patch in patches:
            first = patch.position // 160
            assert np.array_equal(patch.data, rows[first:first + 96])


def test_after_a_gap_the_rows_begin_at_the_gaps_position():
    front_end = FrontEnd(wants="bands", hop_seconds=0.12)
    push(front_end, blocks(noise(MONO, 0.3)))
    front_end.push(Block(noise(MONO, 0.5), 7_777, MONO, gap=True))
    assert len(front_end.rows) == 0, "rows come with the patch that they complete"
    front_end.push(Block(noise(MONO, 0.5), 7_777 + 8_000, MONO))
    assert front_end.rows_position == 7_777
    assert len(front_end.rows) == 98
