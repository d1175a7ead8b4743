"""What the listener makes of onsets, patterns, loudness and calibration, and what it shows to those who watch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from edge.settings import GateSettings, TargetSettings
from edge.stream import SAMPLE_RATE, Bands, Hearing
from tests.fakes import FakeSink, FakeSource, LoudnessModel, blocks_of, listener_of, silence, tone

HIT = np.concatenate([tone(0.05, amplitude=20_000.0), silence(0.01)])
CLAP = TargetSettings(name="loud", sound="impulsive")


def hits(*seconds: float, length: float = 8.0) -> np.ndarray:
    """Short tones at these times, in a room with a little noise."""
    sound = np.random.default_rng(3).normal(0.0, 10.0, round(length * SAMPLE_RATE)).astype(np.int16)
    for each in seconds:
        at = round(each * SAMPLE_RATE)
        sound[at: at + len(HIT)] += HIT
    return sound


def hear(sound: np.ndarray, *targets: TargetSettings, block: int = 1600, **options: object) -> FakeSink:
    sink = FakeSink()
    listener_of(LoudnessModel(), targets=targets, **options).run(  # type: ignore[arg-type]
        FakeSource(blocks_of(sound, block=block)), [sink])
    return sink


def begun(sink: FakeSink, target: str = "loud") -> list[float]:
    return [event.start / SAMPLE_RATE for event in sink.events if event.phase == "start" and event.target == target]


@pytest.mark.parametrize("block", [400, 1600, 16_000, 128_000])
def test_two_hits_are_two_events_at_their_onsets_whatever_the_blocks(block: int) -> None:
    assert begun(hear(hits(2.0, 2.25), CLAP, block=block)) == [pytest.approx(2.0, abs=0.02), pytest.approx(2.25, abs=0.02)]


def test_an_impulsive_event_says_where_its_sound_died_away_and_what_made_it() -> None:
    sink = hear(hits(2.0), CLAP)
    start, end = sink.events
    assert end.duration_seconds == pytest.approx(0.06, abs=0.04)
    assert start.peak is not None and end.peak is not None and end.peak.embedding is not None
    assert end.started_at == start.started_at and end.id == start.id


def test_a_suppressed_single_event_keeps_its_own_time_though_it_is_told_later() -> None:
    double = TargetSettings(name="double", pattern_of="loud", suppress=True)
    sink = hear(hits(2.0, 4.0, 4.4), CLAP, double)
    assert begun(sink) == [pytest.approx(2.0, abs=0.02)]
    assert begun(sink, "double") == [pytest.approx(4.0, abs=0.02)]
    single = next(event for event in sink.events if event.target == "loud")
    pair = next(event for event in sink.events if event.target == "double")
    assert (pair.started_at - single.started_at).total_seconds() == pytest.approx(2.0, abs=0.03)
    assert single.level_dbfs > -30.0


def test_patterns_and_loudness_go_on_while_the_gate_is_closed() -> None:
    sound = np.concatenate([hits(length=20.0), hits(1.0, 1.4, length=40.0)])
    double = TargetSettings(name="double", pattern_of="loud", quiet_after_seconds=10.0)
    noisy = TargetSettings(name="noisy", louder_db=20.0)
    sink = hear(sound, CLAP, double, noisy, gate=GateSettings(hang_over_seconds=1.0))
    assert begun(sink, "double") == [pytest.approx(21.0, abs=0.02)]
    assert begun(sink, "noisy") == [pytest.approx(21.0, abs=0.02)]


@dataclass(frozen=True)
class Calibrated:
    scale: float
    offset: float
    scale_below: float | None = None
    threshold: float = 0.5
    release_threshold: float = 0.25


def test_a_calibration_decides_what_is_an_event() -> None:
    assert len(begun(hear(hits(2.0), CLAP, calibrations={"loud": Calibrated(1.0, 0.0)}))) == 1
    assert begun(hear(hits(2.0), CLAP, calibrations={"loud": Calibrated(1.0, -20.0)})) == []


def test_the_score_is_the_models_and_the_probability_the_calibrations() -> None:
    (start, _) = hear(hits(2.0), CLAP, calibrations={"loud": Calibrated(0.5, 0.3)}).events
    logit = np.log(start.score / (1 - start.score))
    assert start.probability == pytest.approx(1 / (1 + np.exp(-(0.5 * logit + 0.3))), abs=1e-4)


class Watching:
    """Someone who watches, or looks away."""

    def __init__(self, *, watching: bool = True) -> None:
        self.watching, self.wants_bands, self.wants_sound = watching, False, False
        self.seen: list[Hearing] = []

    def hearing(self, hearing: Hearing) -> None:
        self.seen.append(hearing)

    def bands(self, bands: Bands) -> None:
        raise AssertionError("nobody wants them")


def test_who_watches_sees_every_hop_and_why_nothing_was_raised() -> None:
    eyes = Watching()
    weak = TargetSettings(name="loud", sound="impulsive", threshold=0.999, release_threshold=0.1)
    hear(hits(2.0), weak, TargetSettings(name="noisy", louder_db=20.0), watcher=eyes)
    steps = {later.position - earlier.position for earlier, later in zip(eyes.seen, eyes.seen[1:], strict=False)}
    assert steps == {3840}
    assert all(each.gate_open and each.top[0][0] == "loud" for each in eyes.seen)
    refused = [target.refused for each in eyes.seen for target in each.targets if target.refused]
    assert "under the threshold" in refused
    assert max(each.level_dbfs for each in eyes.seen) > -20.0
    assert eyes.seen[-1].noise_dbfs == pytest.approx(-70.3, abs=1.0)
    assert any(target.target == "noisy" and target.running for each in eyes.seen for target in each.targets)


def test_a_closed_gate_is_shown_without_probabilities() -> None:
    eyes = Watching()
    hear(hits(length=20.0), CLAP, gate=GateSettings(hang_over_seconds=1.0), watcher=eyes)
    last = eyes.seen[-1]
    assert (last.gate_open, last.top, last.targets[0].probability) == (False, (), None)


def test_nothing_is_made_for_those_who_look_away() -> None:
    eyes = Watching(watching=False)
    hear(hits(2.0), CLAP, watcher=eyes)
    assert eyes.seen == []
