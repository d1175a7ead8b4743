"""Sound on the wire: the samples as they were heard, told only to who wants them, lost before events are."""

from __future__ import annotations

import threading
from base64 import b64decode, b64encode
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge.errors import SinkError
from edge.features.mix import mix
from edge.features.resample import Resampler
from edge.sinks.watching.messages import from_line, message, to_line
from edge.sinks.watching.sink import WatchSink
from edge.sinks.watching.sound import MOST_SAMPLES, sound_from, sound_messages
from edge.stream import Block, Event, Sound, StreamFormat
from tests.fakes import FakeSource, LoudnessModel, listener_of
from tests.sinks.looking import Looker, look, wait_for


def noise(count: int, seed: int = 0) -> NDArray[np.int16]:
    return np.random.default_rng(seed).integers(-32_768, 32_768, count).astype(np.int16)


def heard(looker: Looker) -> NDArray[np.int16]:
    return np.concatenate([sound_from(told).samples for told in looker.kinds("sound")])


def keen(sink: WatchSink) -> Looker:
    looker = look(sink)
    looker.client.want("sound")
    looker.until(lambda _: bool(looker.kinds("answer")))
    return looker


def test_a_message_has_these_names_and_comes_back() -> None:
    sound = Sound(np.array([1, -2, 32_767, -32_768], np.int16), 3_840, gap=True)
    (told,) = sound_messages(sound, "2026-11-30T00:00:02.000Z")
    read = from_line(to_line(told))
    assert read == {"schema": 1, "kind": "sound", "at": "2026-11-30T00:00:02.000Z", "position": 3_840, "samples": 4,
                    "rate": 16_000, "gap": True, "pcm": "AQD+//9/AIA="}
    assert b64decode(read["pcm"]) == b"\x01\x00\xfe\xff\xff\x7f\x00\x80", "little-endian"
    back = sound_from(read)
    assert back.samples.tolist() == [1, -2, 32_767, -32_768] and (back.position, back.gap) == (3_840, True)


@given(st.integers(1, 4 * MOST_SAMPLES), st.integers(0, 9))
def test_a_block_is_cut_into_messages_without_loss(count: int, seed: int) -> None:
    told = list(sound_messages(Sound(noise(count, seed), 160, gap=True), None))
    assert [each["position"] for each in told] == [160 + MOST_SAMPLES * number for number in range(len(told))]
    assert [each["gap"] for each in told] == [True] + [False] * (len(told) - 1)
    assert all(each["samples"] <= MOST_SAMPLES and len(to_line(each)) < 4_500 for each in told)
    assert np.array_equal(np.concatenate([sound_from(each).samples for each in told]), noise(count, seed))


def test_what_is_no_sound_is_refused_in_words() -> None:
    right = {"position": 0, "samples": 1, "rate": 16_000, "gap": False, "pcm": b64encode(b"ab").decode()}
    assert sound_from(message("sound", None, **right)).samples.tolist() == [0x6261]
    for wrong in ({}, {**right, "pcm": "?"}, {**right, "pcm": "YQ=="}, {**right, "samples": 2}, {**right, "rate": 8_000},
                  {**right, "position": None}):
        with pytest.raises(SinkError, match="the same edge-audio on both sides"):
            sound_from(message("sound", None, **wrong))


def test_only_who_wants_it_is_told_any(watch_sink: WatchSink) -> None:
    plain = look(watch_sink)
    assert not watch_sink.wants_sound
    ear = keen(watch_sink)
    wait_for(lambda: watch_sink.wants_sound)
    watch_sink.sound(Sound(noise(1_600), 3_840))
    ear.until(lambda _: bool(ear.kinds("sound")))
    ear.client.want("pins")
    wait_for(lambda: not watch_sink.wants_sound)
    watch_sink.sound(Sound(noise(1_600), 5_440))
    watch_sink.stop()
    for looker in (ear, plain):
        looker.until(lambda _: False)
    assert [told["position"] for told in ear.kinds("sound")] == [3_840] and not plain.kinds("sound")


def test_who_wanted_it_and_left_costs_nothing_more(watch_sink: WatchSink) -> None:
    ear = keen(watch_sink)
    ear.client.close()
    wait_for(lambda: not watch_sink.wants_sound)


@pytest.mark.parametrize("channel", [-1, 1])
def test_a_listeners_sound_comes_through_bit_by_bit(watch_sink: WatchSink, channel: int) -> None:
    """A real listener in a thread of its own, of stereo at 44.1 kHz; it waits for who reads, as real time does."""
    samples, ear = noise(2 * 5 * 44_100), keen(watch_sink)
    reached = 0
    script: list[Block | Callable[[], None]] = []
    for number, at in enumerate(range(0, len(samples) // 2, 4_410)):
        if number % 5 == 0:
            script.append(lambda number=number: wait_for(lambda: reached >= (number - 5) * 1_600))
        script.append(Block(samples[2 * at: 2 * (at + 4_410)], at, StreamFormat(44_100, 2)))
    listener = listener_of(LoudnessModel(), channel=channel, watcher=watch_sink)
    thread = threading.Thread(target=listener.run, args=(FakeSource(script, live=True),))
    thread.start()
    expected = Resampler(44_100).push(mix(samples, 2, channel))

    def enough(_: object) -> bool:
        nonlocal reached
        reached = sum(told["samples"] for told in ear.kinds("sound"))
        return reached >= len(expected)

    ear.until(enough)
    thread.join()
    assert np.array_equal(heard(ear), expected) and not ear.kinds("lost")
    assert [told["gap"] for told in ear.kinds("sound")] == [True] + [False] * (len(ear.kinds("sound")) - 1)


def test_who_does_not_read_keeps_its_newest_events_and_loses_sound(watch_sink: WatchSink,
                                                                   make_event: Callable[..., Event]) -> None:
    deaf, other = keen(watch_sink), keen(watch_sink)
    count = 200
    for number in range(count):
        watch_sink.sound(Sound(noise(1_600), 1_600 * number))
        other.until(lambda told, number=number: told[-1].get("position") == 1_600 * number)
    watch_sink.event(make_event("start"))
    deaf.until(lambda _: bool(deaf.kinds("event")))
    kept = len(deaf.kinds("sound"))
    assert 10 <= kept < count, "a second at least"
    watch_sink.event(make_event("end"))
    deaf.until(lambda _: bool(deaf.kinds("lost")))
    assert deaf.kinds("lost")[0]["messages"] == count - kept
    print(f"the kernel kept {kept / 10:.1f} s of sound")
