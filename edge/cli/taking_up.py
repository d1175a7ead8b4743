"""What a command does once something was learnt: it has the running appliance take that up, and says so."""

from __future__ import annotations

from pathlib import Path

from edge.cli.options import TAKEN_UP
from edge.errors import EdgeError
from edge.workshop.running import reload_running


def taken_up(state_dir: Path, sound: str = "") -> str:
    """Have the appliance that runs with this state directory take up what has changed; what came of it, in words.

    sound: the name of what was taught.
    """
    try:
        heard = reload_running(state_dir)
    except EdgeError as error:
        return f"it is kept, but the running appliance does not take it up: {error}"
    if heard is None:
        return TAKEN_UP
    if sound and sound not in heard:
        return f'the running appliance has taken it up, but its settings name other sounds (add [[target]] name = "{sound}")'
    return "the running appliance has taken it up"
