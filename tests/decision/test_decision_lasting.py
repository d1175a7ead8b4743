"""One sound gives one event: hysteresis, minimum duration, release and refractory time, on scripted scores."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.decision.decision import Decision
from edge.decision.detection import Detection
from edge.decision.targets import Target, Targets
from edge.stream import SAMPLE_RATE, Scores

PATCH, HOP = 15_600, 3_840  # 0.975 s, 0.24 s


def target(name: str = "clap", rows: Sequence[int] = (0,), *, threshold: float = 0.6, release_threshold: float = 0.3,
           minimum: float = 0.0, release: float = 0.5, refractory: float = 0.5) -> Target:
    return Target(name, np.array(rows, np.intp), threshold, release_threshold, round(minimum * SAMPLE_RATE),
                  round(release * SAMPLE_RATE), round(refractory * SAMPLE_RATE))


def hear(values: Sequence[float], *targets: Target, first: bool = False, finish: bool = True) -> list[Detection]:
    detector = Decision(Targets(targets or (target(),)), ("clap", "hands"), patch_samples=PATCH, hop_samples=HOP)
    found: list[Detection] = []
    for number, value in enumerate(values):
        scores = Scores(number * HOP, np.array([value, value / 2], np.float32), first=first and number == 0)
        found += detector.push(scores)
    return found + (detector.interrupt(len(values) * HOP + PATCH) if finish else [])


def test_one_clap_in_four_overlapping_patches_is_one_event() -> None:
    found = hear([0, 0, 0, 0.7, 0.9, 0.8, 0.5, 0, 0, 0, 0, 0])
    assert [detection.phase for detection in found] == ["start", "end"]
    start, end = found
    assert start.probability == pytest.approx(0.7)
    assert end.probability == pytest.approx(0.9)
    assert start.start == 3 * HOP + PATCH - HOP
    assert end.end is not None and end.end >= end.start == start.start


def test_a_lasting_sound_ends_where_it_was_last_heard() -> None:
    end = hear([0, *[0.9] * 20, *[0.0] * 10])[-1]
    assert end.phase == "end"
    assert end.start == HOP + PATCH - HOP
    assert end.end == 20 * HOP + HOP


def test_a_pause_shorter_than_the_release_time_does_not_split() -> None:
    assert len(hear([0.9, 0.9, 0.1, 0.9, 0.9], target(release=0.5))) == 2
    assert len(hear([0.9, 0.9, 0.1, 0.1, 0.1, 0.9], target(release=0.5, refractory=0.0))) == 4


def test_between_the_thresholds_a_running_event_goes_on_and_none_starts() -> None:
    assert hear([0.5] * 10) == []
    assert len(hear([0.7, *[0.4] * 10])) == 2


def test_a_sound_shorter_than_the_minimum_duration_is_no_event() -> None:
    assert hear([0.9, 0.9, 0, 0, 0, 0], target(minimum=0.5)) == []
    found = hear([0.9, 0.9, 0.9, 0.9, 0, 0, 0], target(minimum=0.5), first=True)
    assert found[0].start == 0, "the event starts where the sound did, not where it was believed"


def test_no_event_starts_in_the_refractory_time() -> None:
    again = [0.9, 0, 0, 0, 0.9, 0, 0, 0, 0]
    assert len(hear(again, target(refractory=0.0))) == 4
    assert len(hear(again, target(refractory=3.0))) == 2


def test_the_first_patch_is_new_from_its_first_sample() -> None:
    assert hear([0.9, 0], first=True)[0].start == 0


def test_the_highest_label_names_the_event() -> None:
    detector = Decision(Targets((target(rows=(0, 1)),)), ("clap", "hands"), patch_samples=PATCH, hop_samples=HOP)
    detector.push(Scores(0, np.array([0.7, 0.1], np.float32)))
    detector.push(Scores(HOP, np.array([0.2, 0.95], np.float32)))
    (end,) = detector.interrupt(HOP + PATCH)
    assert (end.label, end.probability) == ("hands", pytest.approx(0.95))


def test_targets_do_not_disturb_each_other() -> None:
    found = hear([0.9, 0.9, 0, 0, 0, 0], target("one"), target("two", rows=(1,), threshold=0.4, release_threshold=0.2))
    assert [(d.target, d.phase) for d in found] == [("one", "start"), ("two", "start"), ("one", "end"), ("two", "end")]


def test_a_sound_that_the_end_cuts_off_lasts_to_the_end() -> None:
    detector = Decision(Targets((target(),)), ("clap",), patch_samples=PATCH, hop_samples=HOP)
    for number in range(10):
        detector.push(Scores(number * HOP, np.array([0.9], np.float32)))
    heard = 9 * HOP + PATCH - 100
    assert [d.end for d in detector.interrupt(heard)] == [heard]


def test_a_score_that_is_no_number_is_no_sound() -> None:
    assert hear([float("nan"), float("nan"), 0.1]) == []


def test_an_interruption_ends_what_runs_and_nothing_else() -> None:
    detector = Decision(Targets((target(),)), ("clap",), patch_samples=PATCH, hop_samples=HOP)
    assert detector.interrupt(0) == []
    detector.push(Scores(0, np.array([0.9], np.float32)))
    assert detector.busy
    assert [d.phase for d in detector.interrupt(PATCH)] == ["end"]
    assert not detector.busy


def test_a_position_that_goes_back_is_refused() -> None:
    detector = Decision(Targets((target(),)), ("clap",), patch_samples=PATCH, hop_samples=HOP)
    detector.push(Scores(HOP, np.array([0.9], np.float32)))
    with pytest.raises(ValueError, match="position"):
        detector.push(Scores(0, np.array([0.9], np.float32)))


@given(st.lists(st.floats(0, 1, width=32), max_size=80), st.floats(0, 1), st.floats(0, 1))
def test_starts_and_ends_alternate_and_never_overlap(values: list[float], release: float, refractory: float) -> None:
    found = hear(values, target(release=release, refractory=refractory))
    assert [d.phase for d in found] == ["start", "end"] * (len(found) // 2)
    ends = [d for d in found if d.phase == "end"]
    for detection in ends:
        assert detection.end is not None and detection.end >= detection.start
        assert detection.probability >= 0.6 - 1e-6
    for before, after in itertools.pairwise(ends):
        assert before.end is not None and after.start >= before.end
