"""The sound that a watcher is shown: bit by bit what the front end heard, at its place, and only while wanted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.control.changes import Change, Control
from edge.features.mix import mix
from edge.features.resample import Resampler
from edge.sources.recording import open_recording
from edge.stream import Bands, Block, Hearing, Sound, StreamFormat
from tests.fakes import FakeSource, LoudnessModel, blocks_of, listener_of, tone

DEMO = Path(__file__).resolve().parents[1] / "models" / "demo"


class Ears:
    """A watcher that keeps the sound."""

    watching, wants_bands = True, False

    def __init__(self, wants_sound: bool = True) -> None:
        self.wants_sound = wants_sound
        self.shown: list[Sound] = []
        self.hops = 0

    def hearing(self, hearing: Hearing) -> None:
        self.hops += 1

    def bands(self, bands: Bands) -> None:
        raise AssertionError("nobody wants them")

    def sound(self, sound: Sound) -> None:
        assert self.wants_sound and len(sound.samples) and sound.samples.dtype == np.int16
        self.shown.append(sound)

    def stretches(self) -> list[tuple[int, NDArray[np.int16]]]:
        """What was shown, from gap to gap: where each stretch begins, and its samples without a hole."""
        found: list[tuple[int, list[NDArray[np.int16]]]] = []
        for each in self.shown:
            if each.gap:
                found.append((each.position, []))
            else:
                assert each.position == found[-1][0] + sum(map(len, found[-1][1]))
            found[-1][1].append(each.samples)
        return [(position, np.concatenate(parts)) for position, parts in found]


def hear(script: list[Any], ears: Ears, *, live: bool = True, **options: Any) -> None:
    listener_of(LoudnessModel(), watcher=ears, **options).run(FakeSource(script, live=live))


def stereo(rate: int, seconds: float) -> NDArray[np.int16]:
    """Two channels of noise, interleaved."""
    return np.random.default_rng(rate).integers(-32_768, 32_768, 2 * round(rate * seconds)).astype(np.int16)


def blocks_at(rate: int, samples: NDArray[np.int16], length: int, position: int = 0, *, gap: bool = False) -> list[Block]:
    form = StreamFormat(rate, 2)
    return [Block(samples[2 * at: 2 * (at + length)], position + at, form, gap and at == 0)
            for at in range(0, len(samples) // 2, length)]


@pytest.mark.parametrize("channel", [-1, 0, 1])
@pytest.mark.parametrize(("rate", "length"), [(48_000, 4_800), (44_100, 441), (16_000, 1_777), (8_000, 8_000)])
def test_it_is_what_the_front_end_mixed_and_resampled(rate: int, length: int, channel: int) -> None:
    samples, ears = stereo(rate, 2.0), Ears()
    hear(list(blocks_at(rate, samples, length)), ears, channel=channel)
    ((position, shown),) = ears.stretches()
    expected = Resampler(rate).push(mix(samples, 2, channel))
    assert position == 0 and np.array_equal(shown, expected) and len(shown) > 31_000


def test_a_recording_of_16_khz_is_shown_as_it_is() -> None:
    with open_recording(DEMO / "claps.wav") as source:
        blocks = [block for block in source.blocks() if block is not None]
    ears = Ears()
    hear(list(blocks), ears, live=False)
    ((_, shown),) = ears.stretches()
    assert np.array_equal(shown, np.concatenate([block.samples for block in blocks])) and len(shown) > 160_000


def test_a_gap_is_said_and_the_position_leaps_where_it_is_known_how_far() -> None:
    """An overflow of a card loses nobody knows how many: there the position goes on."""
    samples, ears = stereo(48_000, 1.0), Ears()
    hear([*blocks_at(48_000, samples, 4_800), *blocks_at(48_000, samples, 480, 144_000, gap=True),
          *blocks_at(48_000, samples, 4_800, 192_000, gap=True)], ears)
    found = ears.stretches()
    assert [position for position, _ in found] == [0, 48_000, 64_000]
    expected = Resampler(48_000).push(mix(samples, 2))
    assert all(np.array_equal(shown, expected) for _, shown in found)


def test_a_gap_before_a_block_that_gives_no_sample_yet_is_said_with_the_first() -> None:
    samples, ears = stereo(11_025, 1.0), Ears()
    hear([*blocks_at(11_025, samples, 1_000), *blocks_at(11_025, samples, 110, 22_050, gap=True)], ears)
    found = ears.stretches()
    assert [position for position, _ in found] == [0, 32_000]
    assert all(np.array_equal(shown, Resampler(11_025).push(mix(samples, 2))) for _, shown in found)


def test_nothing_is_shown_while_muted_and_what_follows_is_at_its_place() -> None:
    control, ears = Control(), Ears()

    def mute(on: bool) -> Callable[[], None]:
        return lambda: control.put(Change(muted=on)) and None

    blocks: list[Block] = list(blocks_of(tone(6.0)))
    hear([*blocks[:20], mute(True), *blocks[20:40], mute(False), *blocks[40:]], ears, control=control)
    found = ears.stretches()
    assert [(position, len(shown)) for position, shown in found] == [(0, 32_000), (64_000, 32_000)]
    assert np.array_equal(np.concatenate([shown for _, shown in found]), np.delete(tone(6.0), slice(32_000, 64_000)))


def test_nobody_who_wants_none_is_shown_any_and_who_comes_later_hears_on() -> None:
    ears = Ears(wants_sound=False)

    def want() -> None:
        ears.wants_sound = True

    blocks = list(blocks_of(tone(2.0)))
    hear([*blocks[:10], want, *blocks[10:]], ears)
    assert ears.hops and [(each.position, each.gap) for each in ears.shown][:2] == [(16_000, False), (17_600, False)]
    assert len(ears.shown) == 10
