"""Simulated pins (`factory = "simulated"`): gpiozero's, which remember every change for tests, made fit for years."""

from __future__ import annotations

from gpiozero.pins.mock import MockFactory, MockPin

REMEMBERED = 100
"""The newest changes of a pin that are kept."""


class SimulatedPin(MockPin):  # type: ignore[misc]
    """A pin that nothing is wired to."""

    def _change_state(self, value: bool) -> bool:
        changed = bool(super()._change_state(value))
        del self.states[:-REMEMBERED]
        return changed


class SimulatedFactory(MockFactory):  # type: ignore[misc]
    """A Raspberry Pi's pins, all simulated."""

    def __init__(self) -> None:
        super().__init__(pin_class=SimulatedPin)
