"""Double claps, triple knocks, three beeps: a pattern fires once, at its last event."""

from __future__ import annotations

import pytest
from decision_scripts import clap_target, holding, pattern, rows_with, run, starts

from edge.decision.targets import PatternTarget, Targets


def hear(times: list[float], *patterns: PatternTarget, seconds: float = 12.0, sent: bool = True) -> list[object]:
    """Who starts when: (target, seconds), in the order in which they are told."""
    found = run(rows_with(seconds, [(each, 0.0) for each in times]), holding(times),
                Targets((clap_target(sent=sent),), patterns))
    for name in {each.target for each in found}:
        phases = [each.phase for each in found if each.target == name]
        assert phases == ["start", "end"] * (len(phases) // 2), "every start has its end, before the next start"
    return [(each.target, pytest.approx(each.start / 16_000, abs=0.03)) for each in found if each.phase == "start"]


def of(found: list[object], target: str) -> int:
    return sum(each[0] == target for each in found)  # type: ignore[index]


def test_two_claps_are_a_double_clap_told_with_the_second() -> None:
    assert hear([2.0, 2.4], pattern()) == [("clap", 2.0), ("clap", 2.4), ("double", 2.0)] or \
        hear([2.0, 2.4], pattern()) == [("clap", 2.0), ("double", 2.0), ("clap", 2.4)]


def test_a_pattern_fires_once_for_its_events() -> None:
    assert of(hear([2.0, 2.4, 2.8, 3.2], pattern()), "double") == 2
    assert of(hear([2.0, 2.4, 2.8], pattern()), "double") == 1


@pytest.mark.parametrize("times", [[2.0], [2.0, 3.0], [2.0, 4.0, 6.0]])
def test_what_is_too_far_apart_is_no_pattern(times: list[float]) -> None:
    assert of(hear(times, pattern(maximum=0.8)), "double") == 0


def test_what_is_too_close_is_no_pattern() -> None:
    assert of(hear([2.0, 2.2], pattern(minimum=0.3)), "double") == 0
    assert of(hear([2.0, 2.2, 2.6], pattern(minimum=0.3)), "double") == 1


def test_a_triple_knock_is_three() -> None:
    triple = pattern(3, name="triple")
    assert of(hear([2.0, 2.4], triple), "triple") == 0
    assert of(hear([2.0, 2.4, 2.8], triple), "triple") == 1


def test_quiet_after_tells_a_double_from_a_triple() -> None:
    double, triple = pattern(after=1.0), pattern(3, name="triple")
    assert of(hear([2.0, 2.4], double, triple), "double") == 1
    found = hear([2.0, 2.4, 2.8], double, triple)
    assert (of(found, "double"), of(found, "triple")) == (0, 1)


def test_quiet_before_wants_no_event_before_the_first() -> None:
    assert of(hear([2.0, 2.4], pattern(before=1.5)), "double") == 1
    assert of(hear([1.5, 2.5, 2.9], pattern(maximum=0.6, before=1.5)), "double") == 0


def test_a_suppressing_pattern_keeps_its_single_events_to_itself() -> None:
    assert hear([2.0, 2.4], pattern(suppress=True)) == [("double", 2.0)]


def test_single_events_that_become_no_pattern_are_let_go() -> None:
    assert hear([2.0, 5.0, 5.4, 8.0], pattern(suppress=True)) == [("clap", 2.0), ("double", 5.0), ("clap", 8.0)]


def test_a_sound_heard_for_its_pattern_only_is_not_sent() -> None:
    assert hear([2.0, 2.4, 6.0], pattern(), sent=False) == [("double", 2.0)]


def test_the_end_of_the_stream_lets_held_events_go() -> None:
    assert hear([2.0], pattern(suppress=True), seconds=3.1) == [("clap", 2.0)]


def test_the_rhythm_of_iso_8201_is_three_beeps_then_a_pause() -> None:
    beeps = [start + beep for start in (2.0, 6.0) for beep in (0.0, 1.0, 2.0)]
    alarm = pattern(3, minimum=0.85, maximum=1.15, before=1.3, after=1.3, name="smoke_alarm")
    assert of(hear(beeps, alarm), "smoke_alarm") == 2
    assert of(hear([2.0 + each for each in range(8)], alarm, seconds=14.0), "smoke_alarm") == 0, "steady beeps are none"


def test_the_weakest_event_is_the_patterns_probability() -> None:
    times = [2.0, 2.6]
    rows = rows_with(8.0, [(each, 0.0) for each in times])
    found = run(rows, lambda start: 0.9 if start <= 2.0 <= start + 0.9 else 0.6 if start <= 2.6 <= start + 0.9 else 0.0,
                Targets((clap_target(),), (pattern(),)))
    (fired,) = [each for each in found if each.target == "double" and each.phase == "start"]
    assert fired.probability == pytest.approx(min(each.probability for each in found if each.phase == "start"))
    assert starts(found, "double") == [pytest.approx(2.0, abs=0.03)]
