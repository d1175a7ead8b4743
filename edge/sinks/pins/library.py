"""Which of gpiozero's pin libraries, or ours (`factory.py`), drives the pins, and what its errors mean in words.

Libraries are named, made and handed on: gpiozero's own choice (the global `Device.pin_factory`) falls back from one
to the next with a warning, and that is not wanted here.
"""

from __future__ import annotations

import importlib
import logging
import sys
import threading
from collections.abc import Sequence
from typing import Any

from edge.errors import SinkError

LOG = logging.getLogger(__name__)

LIBRARIES = {
    "gpiod": ("edge.sinks.pins.factory", "GpiodFactory"),
    "lgpio": ("gpiozero.pins.lgpio", "LGPIOFactory"),
    "rpigpio": ("gpiozero.pins.rpigpio", "RPiGPIOFactory"),
    "pigpio": ("gpiozero.pins.pigpio", "PiGPIOFactory"),
    "native": ("gpiozero.pins.native", "NativeFactory"),
    "simulated": ("edge.sinks.pins.simulated", "SimulatedFactory"),
}
"""Module and factory by the name in `pin.factory`."""

AUTOMATIC = ("gpiod", "lgpio", "rpigpio", "pigpio", "native")
"""What `auto` tries, in this order: never the simulated one."""


class PinLibraries:
    """Makes each factory once, when it is first asked for, for all sinks that have pins: some libraries give back
    every pin of the program when they are closed. From any thread."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}
        self._users = 0
        self._lock = threading.Lock()

    def open(self) -> None:
        """One more sink uses them, until its `close`."""
        with self._lock:
            self._users += 1

    def factory(self, name: str, *, pin: str) -> Any:
        """gpiozero's factory for `name` (auto or a key of LIBRARIES). Raises SinkError with each one's reason."""
        with self._lock:
            if name not in self._made:
                chosen, factory = _first_that_works(AUTOMATIC if name == "auto" else (name,), pin)
                self._made[name] = self._made[chosen] = self._made.get(chosen, factory)
            return self._made[name]

    def close(self) -> None:
        """One sink less; the last one gives back what the factories hold. Once for each `open`."""
        with self._lock:
            self._users -= 1
            if self._users > 0:
                return
            for factory in {id(factory): factory for factory in self._made.values()}.values():
                factory.close()
            self._made.clear()


def _first_that_works(names: Sequence[str], pin: str) -> tuple[str, Any]:
    reasons = []
    for name in names:
        module, kind = LIBRARIES[name]
        try:
            factory = getattr(importlib.import_module(module), kind)()
            board = factory.board_info.description  # asks which Raspberry Pi this is: most fail here on another board
        except library_errors() as error:
            reasons.append(f"{name}: {in_words(error)}")
        else:
            LOG.info("gpio: pins by %s, %s", name, board)
            return name, factory
    raise SinkError(f"pin {pin}", found="no pin library that works (" + "; ".join(reasons) + ")",
                    wanted="a board whose /dev/gpiochip* this user may open (group gpio), or factory = \"simulated\"")


def library_errors() -> tuple[type[Exception], ...]:
    """What gpiozero and the libraries beneath it raise; for an except clause, so looked up when something was raised.

    lgpio's and pigpio's own errors are plain Exceptions, known only while those are loaded; RPi.GPIO raises
    RuntimeError and ValueError; all of them OSError. A library that is not there is an ImportError, one that is an
    empty module (lgpio, on the package index for Python 3.13) an AttributeError.
    """
    known: list[type[Exception]] = [OSError, RuntimeError, ValueError, ImportError, AttributeError]
    for module, kind in (("gpiozero", "GPIOZeroError"), ("lgpio", "error"), ("pigpio", "error"),
                         ("gpiod", "RequestReleasedError")):
        found = getattr(sys.modules.get(module), kind, None)
        if isinstance(found, type) and issubclass(found, Exception):
            known.append(found)
    return tuple(known)


def in_words(error: Exception) -> str:
    """What was found, for a SinkError."""
    if isinstance(error, AttributeError) and "lgpio" in str(error):
        return "an lgpio that is an empty module"
    words = {"PinInvalidPin": "no GPIO pin of this board", "GPIOPinInUse": "a pin that another entry uses"}
    return words.get(type(error).__name__) or str(error) or type(error).__name__


def remedy(error: Exception) -> str:
    """What is wanted instead, for a SinkError."""
    words = {"PinInvalidPin": "a GPIO pin (the command `pinout` shows them)",
             "GPIOPinInUse": "each pin in one table only"}
    return words.get(type(error).__name__, "a free pin and access to /dev/gpiochip* (group gpio)")
