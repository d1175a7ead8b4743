"""How a light shows the state of the board. Pure: time is an argument, so tests need no clock and no pin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf

STATES: Mapping[str, tuple[float, ...]] = {
    "starting": (1.0, 1.0),
    "hearing": (inf,),
    "muted": (0.1, 2.9),
    "trouble": (0.2, 0.2),
    "dark": (0.0, inf),
}
"""Seconds lit, dark, lit ... of each state, over and over. None flashes three times a second: such a light can bring on a
seizure."""

MOMENTS: Mapping[str, tuple[float, ...]] = {
    "event": (0.1, 0.1, 0.1, 0.7),
    "judged": (0.5, 0.5, 0.5, 0.5),
}
"""Seconds dark, lit, dark, lit of what is shown once, over the state. The lit end keeps many events from looking like
trouble."""


def state_of(*, muted: bool, trouble: str, lost: bool, pins: str) -> str:
    """A key of STATES. trouble: `source_trouble` of health; lost: whether the listener makes no progress; pins: "ok", or
    what is wrong with those that events drive.

    A broker that is away is no trouble here: the board hears, pins act, and events wait.
    """
    if lost or not pins.startswith("ok"):  # "ok; 41 events ... were dropped" is over
        return "trouble"
    if muted:
        return "muted"
    return "starting" if trouble == "opening" else "trouble" if trouble else "hearing"


class Light:
    """One light: a state, and now and then a moment over it."""

    def __init__(self) -> None:
        self._state = "starting"
        self._since = 0.0
        self._moment = ""
        self._moment_at = 0.0

    def show(self, state: str, now: float) -> None:
        """Show a state from now on; the one that is shown already goes on."""
        if state != self._state:
            self._state, self._since = state, now

    def flash(self, moment: str, now: float) -> None:
        """Show a moment, unless another one is being shown."""
        if not self._moment:
            self._moment, self._moment_at = moment, now

    def look(self, now: float) -> tuple[bool, float]:
        """Whether it is lit, and when that changes next (infinite: not by itself)."""
        if self._moment:
            steps = MOMENTS[self._moment]
            if now < self._moment_at + sum(steps):
                place, until = _place(steps, now - self._moment_at)
                return place % 2 == 1, self._moment_at + until
            self._moment = ""
        steps = STATES[self._state]
        elapsed = (now - self._since) % sum(steps)
        place, until = _place(steps, elapsed)
        if elapsed >= until - 1e-6:  # a round is over
            place, until = 0, until + steps[0]
        return place % 2 == 0, now - elapsed + until


def _place(steps: Sequence[float], elapsed: float) -> tuple[int, float]:
    """Which step is on after `elapsed` seconds, and when it ends, from the first one's start."""
    end = 0.0
    for place, step in enumerate(steps):
        end += step
        if elapsed < end - 1e-6:  # who comes when it ends finds the next one, however sums are rounded
            return place, end
    return len(steps) - 1, end
