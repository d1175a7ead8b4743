"""Smoke and CO alarms by their rhythm, in sounds made by formula."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from edge.decision.alarm import GATHERED_ROWS, Alarms
from edge.decision.detection import Detection
from edge.decision.rhythm import RHYTHMS, T3, T4
from edge.decision.targets import RhythmTarget
from edge.decision.tones import TonePulses
from edge.features.logmel import LogMel
from edge.stream import FRAME_SAMPLES, FRAME_STEP, SAMPLE_RATE
from tests.alarm_sounds import Pulses, babble, grouped, in_a_room, over, pcm, sounding, t3, t4


def rows_of(sound: NDArray[np.int16]) -> NDArray[np.float32]:
    return LogMel().rows(sliding_window_view(sound, FRAME_SAMPLES)[::FRAME_STEP])


def listening(threshold: float = 0.5) -> Alarms:
    return Alarms([RhythmTarget(name, rhythm, threshold, rhythm.release, SAMPLE_RATE // 2)
                   for name, rhythm in RHYTHMS.items()], [])


def hear(sound: NDArray[np.int16], *, threshold: float = 0.5, batch: int = 24) -> list[Detection]:
    """All detections of a sound, the end of the stream among them."""
    rows, alarms = rows_of(sound), listening(threshold)
    found = []
    for start in range(0, len(rows), batch):
        found += alarms.push(rows[start: start + batch], FRAME_STEP * start)
    return found + alarms.interrupt()


def told(sound: NDArray[np.int16], **more: float) -> list[str]:
    """The targets whose events start, in order."""
    return [each.target for each in hear(sound, **more) if each.phase == "start"]  # type: ignore[arg-type]


@pytest.mark.parametrize("hertz", [520.0, 2_500.0, 2_800.0, 3_100.0, 3_333.0, 3_600.0, 3_950.0])
def test_t3_is_a_smoke_alarm_at_every_frequency(hertz: float) -> None:
    assert told(pcm(sounding(t3(), 14.0, hertz=hertz, square=hertz < 1_000.0))) == ["smoke_alarm"]


@pytest.mark.parametrize("hertz", [2_500.0, 3_100.0, 3_950.0])
def test_t4_is_a_co_alarm(hertz: float) -> None:
    assert told(pcm(sounding(t4(), 18.0, hertz=hertz))) == ["co_alarm"]


@pytest.mark.parametrize("pulse", [0.76, 1.0, 1.24])
@pytest.mark.parametrize("gap", [0.76, 1.24])
@pytest.mark.parametrize("pause", [0.76, 1.24])
def test_a_device_may_have_times_of_its_own(pulse: float, gap: float, pause: float) -> None:
    assert told(pcm(sounding(t3(pulse=0.5 * pulse, gap=0.5 * gap, pause=1.5 * pause), 16.0))) == ["smoke_alarm"]
    assert told(pcm(sounding(t4(pulse=0.1 * pulse, gap=0.1 * gap, pause=5.0 * pause), 22.0))) == ["co_alarm"]


def test_an_event_starts_with_the_first_pulse_and_ends_with_the_last() -> None:
    pulses = t3(2.0, 4)
    start, end = hear(pcm(sounding(pulses, 30.0)))
    assert (start.phase, end.phase, start.label) == ("start", "end", "T3")
    assert start.start == end.start == pytest.approx(2.0 * SAMPLE_RATE, abs=480)
    last = sum(pulses[-1])
    assert end.end == pytest.approx(last * SAMPLE_RATE, abs=960)
    assert 0.9 < start.probability <= end.probability <= 1.0


def test_it_is_told_when_the_second_group_is_over() -> None:
    rows, alarms = rows_of(pcm(sounding(t3(1.0), 14.0))), listening()
    first = next(number for number in range(len(rows)) if alarms.push(rows[number: number + 1], FRAME_STEP * number))
    known = 1.0 + 4.0 + 2.5
    assert known - 0.1 <= first / 100.0 <= known + 0.1 + GATHERED_ROWS / 100.0


def test_one_cycle_is_enough_only_for_a_lower_threshold() -> None:
    sound = pcm(sounding(t3(1.0, 1), 9.0))
    assert told(sound) == [] and told(sound, threshold=0.4) == ["smoke_alarm"]


@pytest.mark.parametrize("batch", [1, 7, 12, 96, 5_000])
def test_how_rows_are_batched_changes_nothing(batch: int) -> None:
    sound = pcm(over(in_a_room(sounding(t3(0.7, 6), 28.0), 0.4), babble(28.0), 0.0))
    wanted = hear(sound)
    assert [each.phase for each in wanted] == ["start", "end"]
    assert hear(sound, batch=batch) == wanted
    rows, parts = rows_of(sound), TonePulses()
    pulses = []
    for start in range(0, len(rows), batch):
        pulses += parts.push(rows[start: start + batch], start * FRAME_STEP)
    assert pulses == TonePulses().push(rows, 0)


@pytest.mark.parametrize("seed", range(3))
def test_it_is_heard_with_speech_as_loud_over_it(seed: int) -> None:
    assert told(pcm(over(sounding(t3(1.0, 5), 24.0), babble(24.0, seed), 0.0))) == ["smoke_alarm"]
    assert "co_alarm" in told(pcm(over(sounding(t4(1.0, 5), 32.0), babble(32.0, seed), 0.0)))


@pytest.mark.parametrize("seconds", [0.3, 0.8, 1.2])
def test_a_reverberant_room_fills_the_pauses(seconds: float) -> None:
    assert told(pcm(in_a_room(sounding(t3(1.0, 4), 20.0), seconds))) == ["smoke_alarm"]


@pytest.mark.parametrize("seed", range(3))
def test_short_pulses_are_parted_by_their_rise_where_a_room_fills_the_pauses(seed: int) -> None:
    assert told(pcm(in_a_room(sounding(t4(1.0, 3), 24.0), 1.5, seed))) == ["co_alarm"]


def test_white_noise_as_loud_and_a_glide_within_the_pulse_leave_it_heard() -> None:
    noise = np.random.default_rng(2).normal(size=18 * SAMPLE_RATE)
    assert told(pcm(over(sounding(t3(), 18.0), noise, 0.0))) == ["smoke_alarm"]
    assert told(pcm(sounding(t3(), 18.0, glide=120.0))) == ["smoke_alarm"]


ALIKE: dict[str, tuple[Pulses, float]] = {
    "a telephone": ([(0.5 + 6.0 * n, 2.0) for n in range(5)], 3_000.0),
    "a British telephone": ([(0.5 + 3.0 * n + each, 0.4) for n in range(10) for each in (0.0, 0.6)], 3_000.0),
    "three beeps of a microwave oven": ([(1.0 + each, 0.5) for each in range(3)], 3_100.0),
    "five beeps of a microwave oven": ([(1.0 + each, 0.5) for each in range(5)], 3_100.0),
    "a reminder each half minute": ([(1.0 + 30.0 * n + each, 0.5) for n in range(2) for each in range(3)], 3_100.0),
    "an alarm clock": (grouped(4, 20, 0.5, 0.06, 0.06, 0.5), 2_730.0),
    "a metronome": ([(0.5 + 0.5 * n, 0.03) for n in range(60)], 3_000.0),
    "steady beeps": ([(0.5 + n, 0.5) for n in range(30)], 3_100.0),
    "a lorry that backs": ([(0.5 + 1.2 * n, 0.6) for n in range(25)], 2_600.0),
    "three beeps of a doorbell": ([(1.0 + 0.7 * each, 0.35) for each in range(3)], 2_900.0),
    "two and a pause": (grouped(2, 8, 0.5, 0.5, 0.5, 1.5), 3_100.0),
    "four and a pause": (grouped(4, 6, 0.5, 0.5, 0.5, 1.5), 3_100.0),
    "three quick ones and a pause": (grouped(3, 10, 0.5, 0.2, 0.2, 1.5), 3_100.0),
    "three short ones and five seconds": (grouped(3, 5, 0.5, 0.1, 0.1, 5.0), 3_100.0),
    "five short ones and five seconds": (grouped(5, 5, 0.5, 0.1, 0.1, 5.0), 3_100.0),
    "four short ones each two seconds": (grouped(4, 14, 0.5, 0.1, 0.1, 1.3), 3_100.0),
    "a low battery": ([(0.5 + 30.0 * n, 0.05) for n in range(2)], 3_100.0),
    "T3 at a pitch that no alarm has": (t3(1.0, 6), 900.0),
    "a tone without an end": ([(0.5, 34.0)], 3_100.0),
}


@pytest.mark.parametrize("what", ALIKE)
def test_what_is_alike_is_no_alarm(what: str) -> None:
    pulses, hertz = ALIKE[what]
    assert hear(pcm(sounding(pulses, 36.0, hertz=hertz))) == []


def test_a_siren_and_a_voice_are_no_alarm() -> None:
    time = np.arange(30 * SAMPLE_RATE) / SAMPLE_RATE
    for period in (0.5, 2.0, 4.0):
        sweep = np.sin(2.0 * np.pi * np.cumsum(1_800.0 + 1_400.0 * np.sin(2.0 * np.pi * time / period)) / SAMPLE_RATE)
        assert hear(pcm(0.3 * sweep)) == []
    assert hear(pcm(0.1 * babble(60.0, 5))) == []


def test_a_gap_begins_the_rhythm_afresh() -> None:
    rows, alarms = rows_of(pcm(sounding(t3(0.5, 2), 8.0))), listening()
    half = 420  # after the first group
    assert alarms.push(rows[:half], 0) == [] and alarms.interrupt() == []
    assert alarms.push(rows[half:], FRAME_STEP * half) == [] and alarms.interrupt() == []
    assert [each.phase for each in (*alarms.push(rows, 10 * SAMPLE_RATE), *alarms.interrupt())] == ["start", "end"]


def test_silence_for_two_cycles_ends_it_and_a_masked_cycle_does_not() -> None:
    assert told(pcm(sounding(t3(0.5, 3) + t3(16.5, 2), 26.0))) == ["smoke_alarm"]
    apart = t3(0.5, 2) + t3(24.0, 2)
    found = hear(pcm(sounding(apart, 40.0)))
    assert [each.phase for each in found] == ["start", "end"] * 2
    assert found[1].end == pytest.approx(7.0 * SAMPLE_RATE, abs=960)


def test_the_longest_silence_is_two_cycles() -> None:
    assert (T3.cycle, T4.cycle) == (4 * SAMPLE_RATE, 5.7 * SAMPLE_RATE)
    assert (T3.release, T4.release) == (8 * SAMPLE_RATE, round(11.4 * SAMPLE_RATE))


def test_how_it_stands_is_shown_while_it_is_heard() -> None:
    rows, alarms = rows_of(pcm(sounding(t3(0.5), 14.0))), listening()
    alarms.push(rows[:100], 0)
    assert [(each.target, each.probability, each.running) for each in alarms.hearing()] == [
        ("smoke_alarm", 0.0, False), ("co_alarm", 0.0, False)]
    alarms.push(rows[100:420], FRAME_STEP * 100)
    one = alarms.hearing()[0]
    assert 0.3 < (one.probability or 0.0) < 0.5 and one.refused == "under the threshold" and one.label == "T3"
    alarms.push(rows[420:900], FRAME_STEP * 420)
    two = alarms.hearing()[0]
    assert (two.probability or 0.0) > 0.9 and two.running and not two.refused
