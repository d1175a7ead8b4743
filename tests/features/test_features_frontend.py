from itertools import pairwise

import numpy as np
import pytest
from features_blocks import FORMATS, MONO, blocks, noise, plain_bands, push, same
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.errors import SettingsError
from edge.features.frontend import FrontEnd
from edge.stream import Block, StreamFormat


@pytest.mark.parametrize("hop_seconds", [0.01, 0.12, 0.24, 0.48, 0.96])
def test_a_patch_comes_out_every_hop(hop_seconds):
    samples = noise(MONO, 3)
    hop = round(hop_seconds * 16_000)
    patches = push(FrontEnd(wants="bands", hop_seconds=hop_seconds), blocks(samples))
    expected = plain_bands(samples, hop)
    assert [patch.position for patch in patches] == [hop * k for k in range(len(expected))]
    assert [patch.first for patch in patches] == [True] + [False] * (len(expected) - 1)
    assert all(np.array_equal(patch.data, data) for patch, data in zip(patches, expected, strict=True))
    assert patches[0].data.dtype == np.float32
    assert patches[0].data.shape == (96, 64)


@pytest.mark.parametrize("patch_samples", [15_600, 16_000, 8_000, 1_920])
def test_a_model_that_takes_the_waveform_gets_the_samples_themselves(patch_samples):
    samples = noise(MONO, 3)
    front_end = FrontEnd(wants="samples", patch_samples=patch_samples, hop_seconds=0.12)
    patches = push(front_end, blocks(samples))
    assert [patch.position for patch in patches] == list(range(0, len(samples) - patch_samples + 1, 1_920))
    for patch in patches:
        assert np.array_equal(patch.data, samples[patch.position:patch.position + patch_samples])
        assert patch.data.dtype == np.int16


@pytest.mark.big
@pytest.mark.parametrize("sound_format", FORMATS, ids=str)
@pytest.mark.parametrize("wants", ["bands", "samples"])
@settings(max_examples=5, deadline=None)
@given(cuts=st.lists(st.floats(0, 1), max_size=12))
def test_block_size_does_not_change_patches(sound_format, wants, cuts):
    samples = noise(sound_format, 1.5)
    length = len(samples) // sound_format.channels
    edges = sorted({0, length, *(int(cut * length) for cut in cuts)})
    cut_up = [Block(samples[start * sound_format.channels:end * sound_format.channels], start, sound_format)
              for start, end in pairwise(edges)]
    one, other = (FrontEnd(wants=wants, hop_seconds=0.24) for _ in range(2))
    assert same(push(one, cut_up) + one.finish(), push(other, [Block(samples, 0, sound_format)]) + other.finish())
    assert one.position == other.position


def test_blocks_of_seven_samples_give_the_same_patches():
    samples = noise(MONO, 1.3)
    one, other = (FrontEnd(wants="bands", hop_seconds=0.12) for _ in range(2))
    assert same(push(one, blocks(samples, size=7)) + one.finish(), push(other, blocks(samples)) + other.finish())


def test_patches_may_be_kept_and_cannot_be_written_to():
    front_end = FrontEnd(wants="bands", hop_seconds=0.96)
    (kept,) = push(front_end, blocks(noise(MONO, 1.0)))
    copy = kept.data.copy()
    push(front_end, blocks(noise(MONO, 3.0, seed=1), start=16_000))
    assert np.array_equal(kept.data, copy)
    with pytest.raises(ValueError, match="read-only"):
        kept.data[0, 0] = 0.0


def test_rows_of_a_patch_alone_are_not_hurried_and_those_after_a_rise_or_for_a_look_are():
    front_end = FrontEnd(wants="bands", hop_seconds=0.24)
    front_end.early = True
    made = []
    sound = noise(MONO, 4.0) // 50
    sound[40_000:41_000] *= 40  # in the block from 2.5 s: a first look is due at 2.65 s
    for block in blocks(sound, size=800):
        patches = front_end.push(block)
        if len(front_end.rows):
            made.append((block.position, bool(patches), front_end.hurried))
    assert [position for position, _, hurried in made if hurried and position > 8_000] == [41_600]
    assert all(patches for _, patches, hurried in made if not hurried)
    front_end.wanted = front_end.position + 100
    assert not front_end.hurried
    front_end.push(Block(sound[:800], len(sound), MONO))
    assert front_end.hurried and len(front_end.rows)


def test_the_blocks_own_samples_are_never_written_to():
    samples = noise(StreamFormat(48_000, 2), 1.5)
    samples.setflags(write=False)
    push(FrontEnd(wants="bands", hop_seconds=0.24), blocks(samples, StreamFormat(48_000, 2)))


def test_the_level_is_that_of_the_newest_block():
    front_end = FrontEnd(wants="bands", hop_seconds=0.24)
    assert front_end.level is None
    front_end.push(Block(np.full(1_600, -32_768, np.int16), 0, MONO))
    assert front_end.level.rms_dbfs == 0.0
    assert front_end.level.clipped == 1_600
    front_end.push(Block(np.zeros(1_600, np.int16), 1_600, MONO))
    assert (front_end.level.rms_dbfs, front_end.level.clipped) == (-120.0, 0)


def test_clipping_on_one_of_two_channels_is_seen_before_the_mean_and_the_resampler_hide_it():
    stereo = StreamFormat(48_000, 2)
    samples = np.zeros(9_600, np.int16)
    samples[0:200:2] = 32_767
    hears_both, hears_right = FrontEnd(wants="bands", hop_seconds=0.24), FrontEnd(wants="bands", hop_seconds=0.24, channel=1)
    hears_both.push(Block(samples, 0, stereo))
    hears_right.push(Block(samples, 0, stereo))
    assert hears_both.level.clipped == 100
    assert hears_right.level.clipped == 0


def test_each_clipped_sample_is_told_once_however_small_the_blocks():
    stereo = StreamFormat(44_100, 1)
    front_end = FrontEnd(wants="bands", hop_seconds=0.24)
    told = 0
    for block in blocks(np.full(44_100, 32_767, np.int16), stereo, size=30):  # less than a period of the resampler
        front_end.push(block)
        told += front_end.level.clipped if front_end.level else 0
    front_end.finish()
    told += front_end.level.clipped
    assert told == 44_100


@pytest.mark.parametrize("samples", [
    np.full(48_000, -32_768), np.full(48_000, 32_767), np.zeros(48_000), np.full(48_000, 1),
    np.where(np.arange(48_000) // 60 % 2, 32_767, -32_768), np.where(np.arange(48_000) % 2, 32_767, -32_768),
], ids=["lowest", "highest", "silence", "one step", "square wave", "fastest square wave"])
@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_extreme_sound_gives_finite_patches(samples, rate):
    front_end = FrontEnd(wants="bands", hop_seconds=0.24)
    patches = push(front_end, blocks(samples.astype(np.int16), StreamFormat(rate, 1))) + front_end.finish()
    assert all(np.all(np.isfinite(patch.data)) for patch in patches)
    assert all(patch.data.min() > -6.91 and patch.data.max() < 7.0 for patch in patches)


@pytest.mark.parametrize("hop_seconds", [0.0, -0.24, 0.005, 0.125, 0.97, float("nan"), float("inf")])
def test_a_hop_that_is_no_multiple_of_10_ms_or_leaves_sound_unheard_is_refused(hop_seconds):
    with pytest.raises(SettingsError, match=r"multiple of 0\.01 from 0\.01 to 0\.96"):
        FrontEnd(wants="bands", hop_seconds=hop_seconds)


def test_every_hop_of_whole_hundredths_is_taken():
    for hundredths in range(1, 97):
        FrontEnd(wants="bands", hop_seconds=hundredths / 100)


def test_a_hop_longer_than_a_waveform_patch_is_refused():
    with pytest.raises(SettingsError, match=r"0\.24; wanted .* to 0\.1"):
        FrontEnd(wants="samples", patch_samples=1_600, hop_seconds=0.24)


@pytest.mark.parametrize("arguments", [{"wants": "waveform"}, {"wants": "samples", "patch_samples": 159},
                                       {"wants": "bands", "patch_samples": 16_000}])
def test_patches_that_cannot_be_made_are_refused(arguments):
    with pytest.raises(SettingsError, match="front end: found patches of"):
        FrontEnd(hop_seconds=0.24, **arguments)


def test_a_channel_that_the_sound_lacks_is_an_error():
    with pytest.raises(SettingsError, match="found channel 1, sound of 1"):
        FrontEnd(wants="bands", hop_seconds=0.24, channel=1).push(Block(np.zeros(160, np.int16), 0, MONO))


def test_an_impossible_rate_is_an_error():
    with pytest.raises(SettingsError, match="found 1000 Hz"):
        FrontEnd(wants="bands", hop_seconds=0.24).push(Block(np.zeros(160, np.int16), 0, StreamFormat(1_000, 1)))
