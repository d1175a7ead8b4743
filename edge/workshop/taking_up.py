"""What a command does once something was learnt: it has the running appliance take that up, and says so."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edge.errors import EdgeError
from edge.workshop.running import reload_running

TAKEN_UP = "a running appliance takes it up at `systemctl reload edge-audio` (SIGHUP)"
"""What is said of everything that a reload brings into force."""


@dataclass(frozen=True, slots=True)
class TakenUp:
    """Whether a running appliance took up what was learnt, and what came of it in words."""

    reloaded: bool
    words: str


def take_up(state_dir: Path, sound: str = "") -> TakenUp:
    """Have the appliance that runs with this state directory take up what has changed.

    sound: the name of what was taught.
    """
    try:
        heard = reload_running(state_dir)
    except EdgeError as error:
        return TakenUp(False, f"the change is kept, but the running appliance does not take it up: {error}")
    if heard is None:
        return TakenUp(False, TAKEN_UP)
    if sound and sound not in heard:
        return TakenUp(True, "the running appliance has taken it up, but its settings name other sounds "
                             f'(add [[target]] name = "{sound}")')
    return TakenUp(True, "the running appliance has taken it up")
