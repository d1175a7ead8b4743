"""How the status LED shows the board, in made-up time; and which state the board is in."""

from __future__ import annotations

from itertools import pairwise
from math import inf
from typing import Any

import pytest

from edge.sinks.pins.light import MOMENTS, STATES, Light, state_of

WELL: dict[str, object] = {"muted": False, "trouble": "", "lost": False, "pins": "ok"}


@pytest.mark.parametrize(("else_than_well", "state"), [
    ({}, "hearing"), ({"lost": True}, "trouble"), ({"trouble": "opening"}, "starting"), ({"trouble": "missing"}, "trouble"),
    ({"trouble": "clipping"}, "trouble"), ({"muted": True}, "muted"), ({"muted": True, "trouble": "silent"}, "muted"),
    ({"muted": True, "lost": True}, "trouble"), ({"pins": "pin 17 cannot be written: busy"}, "trouble"),
    ({"pins": "ok; 41 events came while it did not answer and were dropped"}, "hearing")])
def test_the_state_of_the_board(else_than_well: Any, state: str) -> None:
    assert state_of(**(WELL | else_than_well)) == state


def seen(light: Light, begin: float, seconds: float) -> list[tuple[float, bool]]:
    """Each change from `begin` on, called exactly when due: (seconds after `begin`, lit)."""
    changes: list[tuple[float, bool]] = []
    now = begin
    while now < begin + seconds:
        lit, until = light.look(now)
        if not changes or changes[-1][1] != lit:
            changes.append((round(now - begin, 6), lit))
        assert until > now
        now = until
    return changes


@pytest.mark.parametrize(("state", "changes"), [
    ("starting", [(0.0, True), (1.0, False), (2.0, True), (3.0, False)]), ("hearing", [(0.0, True)]),
    ("dark", [(0.0, False)]), ("muted", [(0.0, True), (0.1, False), (3.0, True), (3.1, False)]),
    ("trouble", [(round(0.2 * step, 1), step % 2 == 0) for step in range(20)])])
def test_each_state_has_its_pattern(state: str, changes: list[tuple[float, bool]]) -> None:
    light = Light()
    light.show("hearing" if state == "starting" else "starting", 60.0)
    light.show(state, 64.0)
    assert seen(light, 64.0, 4.0 - 1e-9) == changes


def test_a_state_that_is_shown_again_goes_on() -> None:
    light = Light()
    light.show("muted", 10.0)
    light.show("muted", 10.5)
    assert light.look(10.55) == (False, 13.0)


def test_an_event_flickers_once_and_the_state_goes_on_beneath() -> None:
    light = Light()
    light.show("hearing", 0.0)
    light.flash("event", 8.0)
    light.flash("event", 8.05)  # a moment is being shown
    assert seen(light, 8.0, 4.0) == [(0.0, False), (0.1, True), (0.2, False), (0.3, True)]
    light.flash("judged", 20.0)
    assert seen(light, 20.0, 4.0) == [(0.0, False), (0.5, True), (1.0, False), (1.5, True)]
    light.show("muted", 30.0)
    light.flash("judged", 31.5)
    assert seen(light, 31.5, 3.0) == [(0.0, False), (0.5, True), (1.0, False), (1.5, True), (2.0, False)]


def test_no_light_flashes_three_times_a_second() -> None:
    for steps in (*STATES.values(), *MOMENTS.values()):
        if inf not in steps:
            assert len(steps) % 2 == 0 and len(steps) / 2 / sum(steps) < 3.0


def test_events_one_after_another_do_not_look_like_trouble() -> None:
    light, lit_at = Light(), []
    light.show("hearing", 0.0)
    for tick in range(100):
        light.flash("event", tick / 10)
        lit_at += [tick / 10] if light.look(tick / 10 + 0.01)[0] else []
    runs = [later - earlier for earlier, later in pairwise(lit_at)]
    assert len(lit_at) >= 70 and max(runs) <= 0.21
