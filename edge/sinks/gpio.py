"""Events to GPIO pins. The one file that imports gpiozero, and only once a pin is opened.

The pins are written by one thread of this sink, so `event` returns at once and no two actions write at the same time.

Two limits of gpiozero to know when wiring a relay:

- lgpio, the library of today's Raspberry Pi systems, makes a line an output before it sets its level, and the level
  it starts with is low: a relay that switches on low (`active_high = false`) may click at start. rpigpio does not.
- A closed line becomes an input again. `stop` drives it to the safe state first; what holds it there afterwards is a
  pull resistor (most relay boards have one), not this program.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from edge.errors import SettingsError, SinkError
from edge.settings import PinSettings
from edge.sinks.pin_library import PinLibraries, in_words, library_errors, remedy
from edge.sinks.trigger import Trigger
from edge.stream import Event

LOG = logging.getLogger(__name__)

PIN_NAME = re.compile(r"(GPIO|BCM|BOARD|WPI)?\d{1,3}|[A-Z][A-Z0-9]*:\d{1,3}")
"""How gpiozero names pins: 17, GPIO17, BCM17, BOARD11, WPI0, J8:11."""

STOP_SECONDS = 2.0
"""How long `stop` waits for a pin library that hangs."""

BLINK_SECONDS, BLINKS = 0.25, 10
"""How a pin shows which device this is: on and off time of one blink, and how many."""

RETRY_SECONDS = 1.0
"""A pin that could not be written is tried again so soon: it may be a relay that should be off."""


class GpioSink:
    """Drives pins; see Trigger for the actions. Raises SettingsError for a pin name or target that cannot be."""

    name = "gpio"

    def __init__(self, pins: Sequence[PinSettings], on_change: Callable[[str, bool], None] | None = None) -> None:
        """pins: one entry per pin and target; on_change: told (pin as named in the settings, on) after each change,
        in this sink's thread; it must return at once."""
        self._pins = [_Pin(settings, on_change) for settings in pins]
        self._libraries = PinLibraries()
        self._events: deque[Event] = deque()
        self._asked: list[tuple[_Pin, Callable[[_Pin, float], None]]] = []
        self._wake = threading.Condition()
        self._stopping = False
        self._thread: threading.Thread | None = None

    @property
    def state(self) -> str:
        """"ok", or which pin could not be written and why, for health."""
        thread = self._thread
        ended = thread is not None and not thread.is_alive()
        return next((pin.fault for pin in self._pins if pin.fault),
                    "its thread ended by itself; the pins are in their safe state" if ended else "ok")

    def start(self) -> None:
        """Take the pins and put them into their safe state. Raises SinkError where one cannot be had."""
        try:
            for pin in self._pins:
                pin.open(self._libraries.factory(pin.settings.factory, pin=pin.settings.pin))
        except SinkError:
            self._close()
            raise
        thread = threading.Thread(target=self._run, name="gpio", daemon=True)
        thread.start()
        self._thread = thread

    def event(self, event: Event) -> None:
        """Start what the event triggers; never waits for a pin."""
        with self._wake:
            self._events.append(event)
            self._wake.notify()

    def identify(self) -> tuple[str, ...]:
        """Blink with the pins that are there for it (`identify`); their names. Returns at once."""
        return self._ask([pin for pin in self._pins if pin.settings.identify], _Pin.identify)

    def test(self, name: str) -> bool:
        """Do once what an event makes the pin do; False for a pin that is not there. Returns at once."""
        return bool(self._ask([pin for pin in self._pins if pin.settings.pin == name], _Pin.test))

    def _ask(self, pins: Sequence[_Pin], what: Callable[[_Pin, float], None]) -> tuple[str, ...]:
        with self._wake:  # who asks again before it was done asks for the same
            self._asked += [(pin, what) for pin in pins if (pin, what) not in self._asked]
            self._wake.notify()
        return tuple(pin.settings.pin for pin in pins)

    def health(self, health: Mapping[str, object]) -> None:
        """Pins show no health."""

    def stop(self) -> None:
        """Every pin into its safe state, then give the lines back (they become inputs). Safe twice, bounded in time."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(STOP_SECONDS)
            if thread.is_alive():
                LOG.error("gpio: the pin library has not answered for %g s; the pins stay as they are", STOP_SECONDS)

    def pin(self, name: str) -> Any:
        """gpiozero's own pin behind `name` (as in the settings), to look at; between `start` and `stop` only."""
        return next(pin.device.pin for pin in self._pins if pin.settings.pin == name)

    def _run(self) -> None:
        # Whatever ends this thread, every pin is made safe and then given back, even where another one's turn fails.
        with ExitStack() as ending:
            ending.callback(self._close)
            for pin in reversed(self._pins):
                ending.callback(pin.make_safe)
            while self._step():
                pass

    def _step(self) -> bool:
        """Wait for an event or for the next step of an action, and do it; False when it is time to stop."""
        with self._wake:
            if not self._events and not self._asked and not self._stopping:
                self._wake.wait(self._pause())
            if self._stopping:
                return False
            events, asked = list(self._events), self._asked
            self._events.clear()
            self._asked = []
        for pin, what in asked:
            what(pin, time.monotonic())
        for pin in self._pins:
            pin.advance(time.monotonic())
            pin.write()
            for event in events:
                if pin.settings.target == event.target:
                    pin.trigger.event(event, time.monotonic())
                    pin.write()
        return True

    def _pause(self) -> float | None:
        """Seconds to the next step of any action or the next try of a pin that failed, or None where there is none."""
        now = time.monotonic()
        pauses = [max(due - now, 0.0) for pin in self._pins if (due := pin.due) is not None]
        if any(pin.fault for pin in self._pins):
            pauses.append(RETRY_SECONDS)
        return min(pauses, default=None)

    def _close(self) -> None:
        for pin in self._pins:
            pin.close()
        self._libraries.close()


class _Pin:
    """One entry of the settings, its trigger and, once opened, its device."""

    def __init__(self, settings: PinSettings, on_change: Callable[[str, bool], None] | None) -> None:
        if not PIN_NAME.fullmatch(settings.pin):
            raise SettingsError("[[pin]] pin", found=repr(settings.pin), wanted="17, GPIO17, BOARD11 or the like")
        if not settings.target and not settings.identify:
            raise SettingsError(f"[[pin]] {settings.pin} target", found="nothing", wanted="the name of a target")
        self.settings = settings
        self.trigger = Trigger(settings)
        self._blinker = Trigger(replace(settings, action="blink", seconds=BLINK_SECONDS, count=BLINKS))
        self.device: Any = None
        self.fault = ""
        self._on_change = on_change
        self._on = settings.safe_on

    def open(self, factory: Any) -> None:
        """Make the line an output in its safe state. Raises SinkError."""
        import gpiozero  # type: ignore[import-untyped]

        try:
            self.device = gpiozero.OutputDevice(self.settings.pin, active_high=self.settings.active_high,
                                                initial_value=self.settings.safe_on, pin_factory=factory)
        except library_errors() as error:
            raise SinkError(f"pin {self.settings.pin}", found=in_words(error), wanted=remedy(error)) from error

    def identify(self, now: float) -> None:
        """Blink, whatever the trigger does meanwhile; then the pin shows that again."""
        self._blinker.test(now)
        self.write()

    def test(self, now: float) -> None:
        """Do the action once."""
        self.trigger.test(now)
        self.write()

    def advance(self, now: float) -> None:
        """Do what is due: at most one step of each."""
        self.trigger.advance(now)
        self._blinker.advance(now)

    @property
    def due(self) -> float | None:
        """When there is something to advance."""
        return min((due for due in (self.trigger.due, self._blinker.due) if due is not None), default=None)

    def write(self) -> None:
        """Drive the line to what the trigger wants, unless it is there; a pin that fails is tried again soon."""
        wanted = (self.trigger if self._blinker.due is None else self._blinker).on
        if wanted == self._on and not self.fault:
            return
        try:
            self.device.value = wanted
        except library_errors() as error:
            if not self.fault:
                LOG.error("gpio: pin %s cannot be written: %s", self.settings.pin, in_words(error))
            self.fault = f"pin {self.settings.pin} cannot be written: {in_words(error)}"
            return
        self.fault = ""
        changed, self._on = wanted != self._on, wanted
        LOG.debug("gpio: pin %s %s", self.settings.pin, "on" if wanted else "off")
        if changed and self._on_change is not None:
            self._on_change(self.settings.pin, wanted)

    def make_safe(self) -> None:
        """Drop the action and drive the line to its safe state."""
        self.trigger.reset()
        self._blinker.reset()
        self.write()

    def close(self) -> None:
        """Give the line back: it becomes an input."""
        device, self.device = self.device, None
        if device is None:
            return
        try:
            device.close()
        except library_errors() as error:
            LOG.error("gpio: pin %s cannot be given back: %s", self.settings.pin, in_words(error))
