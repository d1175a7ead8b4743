"""What is left out where the board is too slow: first patches, then sound, and all comes back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.decision.pace import BEHIND_SECONDS, CALM_SECONDS, CAUGHT_UP_SECONDS, LATEST_SECONDS, Pace

HOP, PATCH, BLOCK = 3_840, 15_600, 0.1


def paced() -> Pace:
    return Pace(hop_samples=HOP, patch_samples=PATCH)


def scored(pace: Pace, count: int, start: int = 0) -> list[int]:
    """Numbers of the patches that are scored."""
    return [number for number in range(start, start + count) if pace.scores(number * HOP, first=number == 0)]


def test_a_board_in_time_hears_every_patch() -> None:
    pace = paced()
    for _ in range(100):
        pace.take(0.3, BLOCK)
    assert (pace.state, pace.trouble, scored(pace, 5)) == ("ok", "", [0, 1, 2, 3, 4])


def test_the_hop_doubles_while_more_and_more_waits_up_to_a_patch() -> None:
    pace = paced()
    pace.take(0.6, BLOCK)
    assert (pace.stretch, pace.state, pace.trouble) == (2, "too slow: listens every 0.48 s", "slow")
    assert scored(pace, 6) == [0, 2, 4]
    pace.take(0.7, BLOCK)
    assert (pace.stretch, pace.state) == (4, "too slow: listens every 0.96 s")
    pace.take(0.9, BLOCK)
    assert pace.stretch == 4 and not pace.drops, "a longer hop than the patch would pass over sounds"


@pytest.mark.parametrize("hop", [HOP, 15_360])
def test_at_the_longest_hop_patches_are_passed_over_until_little_waits(hop: int) -> None:
    pace = Pace(hop_samples=hop, patch_samples=PATCH)
    for waiting in (0.6, 0.7, 0.8, 0.9):
        pace.take(waiting, BLOCK)
    assert not any(pace.scores(number * hop, first=False) for number in range(8)) and not pace.drops
    assert (pace.state, pace.trouble) == ("too slow: listens every 0.96 s or less often", "slow")
    pace.take(CAUGHT_UP_SECONDS + 0.01, BLOCK)
    assert not pace.scores(8 * hop, first=False)
    assert pace.scores(9 * hop, first=True), "after a gap the model must know that nothing was before"
    pace.take(CAUGHT_UP_SECONDS, BLOCK)
    assert pace.scores(13 * hop, first=False) and pace.trouble
    for _ in range(2 * round(CALM_SECONDS / BLOCK) + 2):
        pace.take(0.0, BLOCK)
    assert pace.state == "ok"


def test_a_board_that_catches_up_by_itself_is_left_alone() -> None:
    pace = paced()
    pace.take(0.0, BLOCK)
    for tenths in range(50, -1, -1):
        pace.take(tenths / 10, BLOCK)
    assert pace.stretch <= 2, "only the first look at what waits may have been a surprise"
    pace = paced()
    pace.take(0.6, BLOCK)
    for _ in range(20):
        pace.take(0.6 - 0.01, BLOCK)
        pace.take(0.6 - 0.02, BLOCK)
    assert pace.stretch <= 4


@pytest.mark.parametrize("hop", [HOP, 15_360])
def test_a_pause_of_the_board_loses_nothing(hop: int) -> None:
    pace, waiting = Pace(hop_samples=hop, patch_samples=PATCH), 5.0
    for number in range(101):
        pace.take(waiting, BLOCK)
        assert not pace.drops and pace.stretch <= 2 and pace.scores(2 * number * hop, first=False)
        waiting -= BLOCK / 2


def test_sound_is_dropped_where_the_longest_hop_does_not_help_until_it_is_in_time() -> None:
    pace = paced()
    for waiting in (0.6, 0.8, 1.0, LATEST_SECONDS):
        pace.take(waiting, BLOCK)
        assert not pace.drops
    pace.take(LATEST_SECONDS + 0.1, BLOCK)
    assert pace.drops and pace.state == "too slow: listens every 0.96 s, and sound is dropped"
    pace.take(0.5, BLOCK)
    assert pace.drops
    pace.take(0.2, BLOCK)
    assert not pace.drops and pace.stretch == 4


def test_all_comes_back_after_a_calm_time() -> None:
    pace = paced()
    for waiting in (0.6, 0.8):
        pace.take(waiting, BLOCK)
    for stretch in (4, 2):
        assert pace.stretch == stretch
        for _ in range(round(CALM_SECONDS / BLOCK) + 1):
            pace.take(0.1, BLOCK)
    assert (pace.stretch, pace.state) == (1, "ok")


@pytest.mark.parametrize("hop", [7_680, 15_360])
def test_a_hop_that_can_hardly_stretch_goes_to_dropping(hop: int) -> None:
    pace = Pace(hop_samples=hop, patch_samples=PATCH)
    for waiting in (0.6, 0.8, 1.6, 1.7):
        pace.take(waiting, BLOCK)
    assert pace.stretch * hop <= PATCH and pace.drops


@given(share=st.floats(0.02, 2.0), cost_of_patch=st.floats(0.0, 1.0))
def test_little_waits_whatever_share_of_the_processor_is_left(share: float, cost_of_patch: float) -> None:
    """A board of which `share` hears a second of sound in a second, with every patch; a part of it is the patches' cost."""
    pace, waiting, worst, at = paced(), 0.0, 0.0, 0
    for block in range(600):
        pace.take(waiting, BLOCK)
        if pace.drops:
            waiting, at = max(waiting - BLOCK, 0.0), block * 1_600 // HOP + 1  # what is dropped gives no patch
            continue
        cost = BLOCK / share * (1.0 - cost_of_patch)
        while at * HOP <= block * 1_600:
            cost += pace.scores(at * HOP, first=at == 0) * HOP / 16_000 / share * cost_of_patch
            at += 1
        waiting = max(waiting + cost - BLOCK, 0.0)
        worst = max(worst, waiting)
    step = BLOCK / share * (1.0 - cost_of_patch) + 2 * HOP / 16_000 / share * cost_of_patch
    assert worst <= max(LATEST_SECONDS, BEHIND_SECONDS + step) + step
    if share > 1.0:
        assert worst <= BEHIND_SECONDS + step
