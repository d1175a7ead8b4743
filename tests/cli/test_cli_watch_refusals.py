"""Why there was no event: one line for a stretch of hops, none for the rise and fall of a sound that was one."""

from __future__ import annotations

from edge.cli.screen.refusals import Refusal, Refusals
from edge.stream import TargetHearing
from tests.cli.made_hearings import HOP, PATCH, hearing, target

UNDER = "under the threshold"


def refusals_of(*stands: TargetHearing) -> list[Refusal]:
    """One hop after the other, then the end."""
    refusals = Refusals()
    found: list[Refusal] = []
    for number, stand in enumerate(stands):
        found += refusals.push(hearing(stand, position=number * HOP), number * HOP + PATCH, f"at {number}")
    return found + refusals.finish()


def test_a_stretch_of_hops_is_one_refusal_with_its_highest_probability() -> None:
    (found,) = refusals_of(target(probability=0.1), target(probability=0.3, refused=UNDER),
                           target(probability=0.45, refused=UNDER), target(probability=0.26, refused=UNDER),
                           target(probability=0.1))
    assert (found.target, found.reason, found.probability, found.threshold) == ("hand_clap", UNDER, 0.45, 0.5)
    assert (found.position, found.at) == (HOP + PATCH, "at 1"), "where it was first refused"


def test_two_stretches_are_two_refusals() -> None:
    near = target(probability=0.3, refused=UNDER)
    assert len(refusals_of(near, target(), near)) == 2


def test_the_rise_and_fall_of_an_event_are_no_refusals() -> None:
    rising, running = target(probability=0.3, refused=UNDER), target(probability=0.9, running=True)
    assert refusals_of(rising, running, target(probability=0.9, refused="the same onset"), rising, target()) == []
    assert len(refusals_of(running, target(), rising, target())) == 1, "another stretch"


def test_an_event_whose_hops_were_missed_is_still_one() -> None:
    """Who comes in the middle of a sound, or was too slow, is told of the event, but not of the hops that ran."""
    refusals = Refusals()
    refusals.raised("hand_clap")
    assert refusals.push(hearing(target(probability=0.9, refused="the same onset")), PATCH, None) == []
    assert refusals.open == ()


def test_an_echo_is_told_though_its_clap_was_an_event() -> None:
    (found,) = refusals_of(target(probability=0.9, running=True), target(probability=0.9, running=True, refused="an echo"),
                           target(probability=0.3, refused=UNDER), target())
    assert (found.reason, found.at) == ("an echo", "at 1")


def test_a_reason_that_says_more_goes_before_one_that_says_less() -> None:
    (found,) = refusals_of(target(probability=0.4, refused=UNDER),
                           target(probability=0.8, refused="shorter than the minimum duration"),
                           target(probability=0.3, refused=UNDER), target())
    assert (found.reason, found.probability) == ("shorter than the minimum duration", 0.8)


def test_a_closed_gate_ends_a_stretch() -> None:
    refusals = Refusals()
    assert refusals.push(hearing(target(probability=0.3, refused=UNDER)), PATCH, None) == []
    assert len(refusals.open) == 1
    assert len(refusals.push(hearing(target(probability=None), gate_open=False), PATCH + HOP, None)) == 1
    assert refusals.open == ()


def test_targets_are_judged_apart() -> None:
    refusals = Refusals()
    refusals.push(hearing(target("clap", 0.9, running=True), target("snap", 0.3, refused=UNDER)), PATCH, None)
    (found,) = refusals.push(hearing(target("clap", 0.9, running=True), target("snap", 0.1)), PATCH + HOP, None)
    assert found.target == "snap"
