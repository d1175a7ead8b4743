"""Sound in blocks, for the tests of the front end."""

import numpy as np

from edge.features.logmel import LogMel
from edge.stream import PATCH_SAMPLES, Block, StreamFormat

MONO = StreamFormat(16_000, 1)
FORMATS = [MONO, StreamFormat(48_000, 2), StreamFormat(44_100, 1), StreamFormat(96_000, 6), StreamFormat(8_000, 2)]


def noise(sound_format, seconds, seed=0):
    count = int(sound_format.rate * seconds) * sound_format.channels
    return np.random.default_rng(seed).integers(-20_000, 20_000, count).astype(np.int16)


def blocks(samples, sound_format=MONO, size=1_600, start=0, gap=False):
    """Cut into blocks of `size` sample times, the first of them at `start` and perhaps after a gap."""
    step = size * sound_format.channels
    return [Block(samples[at:at + step], start + at // sound_format.channels, sound_format, gap and at == 0)
            for at in range(0, len(samples), step)]


def push(front_end, some):
    return [patch for block in some for patch in front_end.push(block)]


def same(left, right):
    return len(left) == len(right) and all(
        one.position == other.position and one.first == other.first and np.array_equal(one.data, other.data)
        for one, other in zip(left, right, strict=True))


def plain_bands(samples, hop):
    """The front end written down plainly for 16 kHz mono: every frame of every patch computed by itself."""
    return [LogMel().rows(np.lib.stride_tricks.sliding_window_view(samples[start:start + PATCH_SAMPLES], 400)[::160])
            for start in range(0, len(samples) - PATCH_SAMPLES + 1, hop)]
