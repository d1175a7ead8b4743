"""The loop: blocks in, events out, whatever the source does."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from edge.errors import SettingsError, SourceError
from edge.listener import Listener
from edge.settings import GateSettings, TargetSettings
from edge.stream import SAMPLE_RATE
from tests.fakes import FakeSink, FakeSource, LoudnessModel, blocks_of, listener_of, silence, tone


class Hands:
    """Clocks that move when told to."""

    def __init__(self) -> None:
        self.seconds = 50.0

    def __call__(self) -> float:
        return self.seconds


def listener(model: LoudnessModel | None = None, **options: object) -> Listener:
    return listener_of(model or LoudnessModel(), **options)  # type: ignore[arg-type]


SOUND = np.concatenate([silence(2.0), tone(1.5), silence(3.0)])


def test_one_sound_is_one_event_with_a_start_and_an_end() -> None:
    sink = FakeSink()
    listener().run(FakeSource(blocks_of(SOUND)), [sink])
    start, end = sink.events
    assert (start.phase, end.phase, start.id) == ("start", "end", end.id)
    assert (start.sequence, end.sequence) == (1, 2)
    assert start.start / SAMPLE_RATE == pytest.approx(2.0, abs=0.25)
    assert end.end is not None and end.end / SAMPLE_RATE == pytest.approx(3.5, abs=0.25)
    assert end.duration_seconds == pytest.approx(1.5, abs=0.4)
    assert start.ended_at is None and end.ended_at is not None
    assert end.started_at == start.started_at
    assert (end.ended_at - end.started_at).total_seconds() == pytest.approx(end.duration_seconds)
    assert start.level_dbfs == pytest.approx(20 * np.log10(12_000 / 32_768 / np.sqrt(2)), abs=0.5)


@pytest.mark.parametrize("block", [160, 777, 1600, 16_000])
def test_block_size_does_not_change_events(block: int) -> None:
    expected, sink = FakeSink(), FakeSink()
    listener().run(FakeSource(blocks_of(SOUND)), [expected])
    listener().run(FakeSource(blocks_of(SOUND, block=block)), [sink])
    assert [(e.phase, e.start, e.end, e.probability) for e in sink.events] == [
        (e.phase, e.start, e.end, e.probability) for e in expected.events]


def test_a_recording_gives_the_same_events_with_the_gate_as_without() -> None:
    shut, opened = FakeSink(), FakeSink()
    model = LoudnessModel()
    noise = np.random.default_rng(1).normal(0, 20, len(SOUND) + 20 * SAMPLE_RATE).astype(np.int16)
    noise[-len(SOUND):] += SOUND // 2
    gated = listener(model, gate=GateSettings())
    gated.run(FakeSource(blocks_of(noise)), [shut])
    listener().run(FakeSource(blocks_of(noise)), [opened])
    assert gated.stats.gated_patches > 10
    assert gated.stats.patches == len(model.patches)
    assert [(e.phase, e.start, e.end) for e in shut.events] == [(e.phase, e.start, e.end) for e in opened.events]
    assert len(shut.events) == 2


def test_a_gap_ends_what_runs_and_the_deafness_is_counted() -> None:
    sink = FakeSink()
    heard = listener()
    first = blocks_of(tone(2.05))
    second = blocks_of(tone(2.0), position=round(2.05 * SAMPLE_RATE) + 5000, gap=True)
    heard.run(FakeSource([*first, *second]), [sink])
    assert [event.phase for event in sink.events] == ["start", "end", "start", "end"]
    before, after = sink.events[1], sink.events[2]
    assert before.end is not None and before.end <= 2.05 * SAMPLE_RATE
    assert after.start >= round(2.05 * SAMPLE_RATE) + 5000
    assert heard.stats.deaf_seconds > 0.0


def test_samples_missing_without_a_flag_end_what_runs_too() -> None:
    sink = FakeSink()
    listener().run(FakeSource([*blocks_of(tone(2.0)), *blocks_of(tone(2.0), position=10 * SAMPLE_RATE)]), [sink])
    assert [event.phase for event in sink.events] == ["start", "end", "start", "end"]


def test_a_source_that_falls_silent_ends_what_runs() -> None:
    """A microphone pulled out while a sound lasts must not leave the lamp on."""
    hands, sink = Hands(), FakeSink()

    def pass_time() -> None:
        hands.seconds += 10.0

    source = FakeSource([*blocks_of(tone(2.0)), None, pass_time, None, lambda: phases.extend(e.phase for e in sink.events)],
                        live=True)
    phases: list[str] = []
    listener(monotonic=hands, utc=hands).run(source, [sink])
    assert phases == ["start", "end"]


def test_a_live_source_is_dated_as_it_arrives() -> None:
    hands, sink = Hands(), FakeSink()
    script: list[object] = []
    for block in blocks_of(SOUND):
        script += [lambda: setattr(hands, "seconds", hands.seconds + 0.1), block]
    listener(monotonic=hands, utc=hands).run(FakeSource(script, live=True), [sink])  # type: ignore[arg-type]
    assert sink.events[0].started_at.timestamp() == pytest.approx(50.0 + sink.events[0].start / SAMPLE_RATE, abs=0.02)


def test_a_source_that_stalled_is_dated_anew() -> None:
    """A camera's stream hiccups for 20 s and goes on without a word: what follows is dated when it is heard."""
    hands, sink = Hands(), FakeSink()

    def move(seconds: float) -> Callable[[], None]:
        return lambda: setattr(hands, "seconds", hands.seconds + seconds)

    first, second = blocks_of(silence(2.0)), blocks_of(SOUND, position=2 * SAMPLE_RATE)
    script: list[object] = []
    for block in first:
        script += [move(0.1), block]
    script += [move(20.0), None]
    for block in second:
        script += [move(0.1), block]
    listener(monotonic=hands, utc=hands).run(FakeSource(script, live=True), [sink])  # type: ignore[arg-type]
    start = sink.events[0]
    assert start.started_at.timestamp() == pytest.approx(50.0 + 20.0 + start.start / SAMPLE_RATE, abs=0.1)


def test_blocks_dropped_by_a_full_queue_do_not_move_the_dates() -> None:
    """The board was busy for a moment: blocks come late and some are missing, but their positions tell the truth."""
    hands, sink = Hands(), FakeSink()
    script: list[object] = []
    for block in blocks_of(silence(2.0)):
        script += [lambda: setattr(hands, "seconds", hands.seconds + 0.1), block]
    late = blocks_of(SOUND, position=3 * SAMPLE_RATE, gap=True)
    script += [lambda: setattr(hands, "seconds", 50.0 + 3.0 + len(SOUND) / SAMPLE_RATE), *late]
    listener(monotonic=hands, utc=hands).run(FakeSource(script, live=True), [sink])  # type: ignore[arg-type]
    start = sink.events[0]
    assert start.started_at.timestamp() == pytest.approx(50.0 + start.start / SAMPLE_RATE, abs=0.1)


def test_what_has_started_ends_even_if_the_source_fails() -> None:
    def fail() -> None:
        raise SourceError("microphone", found="smoke", wanted="sound")

    sink = FakeSink()
    with pytest.raises(SourceError, match="smoke"):
        listener().run(FakeSource([*blocks_of(tone(2.0)), fail]), [sink])
    assert [event.phase for event in sink.events] == ["start", "end"]
    assert sink.healths


def test_the_level_is_that_of_the_start() -> None:
    sink = FakeSink()
    loud_then_quiet = np.concatenate([silence(2.0), tone(1.0, amplitude=30_000), tone(8.0, amplitude=6_000), silence(2.0)])
    listener(targets=[TargetSettings(name="loud", minimum_duration_seconds=3.0)]).run(
        FakeSource(blocks_of(loud_then_quiet)), [sink])
    assert [event.level_dbfs for event in sink.events] == [pytest.approx(-3.8, abs=0.3)] * 2


def test_a_second_recording_is_dated_by_its_own_start() -> None:
    hands, sink = Hands(), FakeSink()
    heard = listener(monotonic=hands, utc=hands)
    heard.run(FakeSource(blocks_of(SOUND)), [sink])
    hands.seconds = 5000.0
    heard.run(FakeSource(blocks_of(SOUND)), [sink])
    assert sink.events[2].started_at.timestamp() == pytest.approx(5002.0, abs=0.3)


def test_health_comes_when_it_is_due_and_at_the_end() -> None:
    hands, sink = Hands(), FakeSink()
    script: list[object] = []
    for block in blocks_of(silence(10.0)):
        script += [lambda: setattr(hands, "seconds", hands.seconds + 0.1), block]
    listener(monotonic=hands, utc=hands, health_seconds=2.0, about=lambda: {"source": "ok"}).run(
        FakeSource(script, live=True), [sink])  # type: ignore[arg-type]
    assert 5 <= len(sink.healths) <= 7
    last = sink.healths[-1]
    assert last["source"] == "ok"
    assert last["blocks"] == 100
    assert last["samples"] == 160_000
    assert last["level_dbfs"] == -120.0


def test_every_sample_of_a_short_recording_is_in_a_patch() -> None:
    model = LoudnessModel()
    listener(model).run(FakeSource(blocks_of(tone(0.3))))
    assert [patch.position for patch in model.patches] == [0]


def test_a_target_that_the_model_lacks_is_refused_before_anything_opens() -> None:
    with pytest.raises(SettingsError, match="quiet"):
        listener(targets=[TargetSettings(name="quiet")])
    with pytest.raises(SettingsError, match="hop"):
        listener(hop_seconds=0.123456)
