"""A pin that is driven: opened at a level, written, tried again where that failed, given back."""

from __future__ import annotations

import logging
import time
from typing import Any

from edge.backoff import Fault
from edge.errors import SinkError
from edge.sinks.pins.library import in_words, library_errors, remedy

LOG = logging.getLogger(__name__)

RETRY_SECONDS = 1.0
"""How soon a pin that could not be written is tried again: it may be a relay that should be off."""


class Output:
    """One output. `on` is what was written last, whatever level that is on the wire. For one thread."""

    def __init__(self, name: str, *, active_high: bool, on: bool, sink: str) -> None:
        """name: as in the settings; on: how it is at every start; sink: what log lines begin with."""
        self.name = name
        self.on = on
        self.retry_at: float | None = None
        """When a pin that could not be written is tried again, on the monotonic clock; None where it could."""
        self.device: Any = None
        self.fault = Fault(LOG, sink)
        self._active_high, self._at_start, self._sink = active_high, on, sink

    def open(self, factory: Any) -> None:
        """Make the line an output, as it is at every start. Raises SinkError."""
        import gpiozero

        try:
            self.device = gpiozero.OutputDevice(self.name, active_high=self._active_high, initial_value=self._at_start,
                                                pin_factory=factory)
        except library_errors() as error:
            raise SinkError(f"pin {self.name}", found=in_words(error), wanted=remedy(error)) from error

    def write(self, on: bool) -> bool:
        """Drive the line, unless it is so already; whether it has changed. A write that fails is due again at
        `retry_at`."""
        if on == self.on and self.retry_at is None:
            return False
        try:
            self.device.value = on
        except library_errors() as error:
            self.fault.found(f"pin {self.name} cannot be written: {in_words(error)}")
            self.retry_at = time.monotonic() + RETRY_SECONDS
            return False
        self.fault.over(f"pin {self.name} can be written again")
        self.retry_at = None
        changed, self.on = on != self.on, on
        LOG.debug("%s: pin %s %s", self._sink, self.name, "on" if on else "off")
        return changed

    def close(self) -> None:
        """Give the line back: with most libraries it becomes an input."""
        device, self.device = self.device, None
        if device is None:
            return
        try:
            device.close()
        except library_errors() as error:
            LOG.error("%s: pin %s cannot be given back: %s", self._sink, self.name, in_words(error))
