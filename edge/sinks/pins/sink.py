"""Events to GPIO pins. gpiozero is imported only once a pin is opened.

The pins are written by one thread of this sink, so `event` returns at once and no two actions write at the same time.

Two limits of pin libraries to know when wiring a relay:

- lgpio makes a line an output before it sets its level, and the level it starts with is low: a relay that switches
  on low (`active_high = false`) may click at start. gpiod (`factory.py`) and rpigpio do not.
- A closed line becomes an input again, with most libraries. `stop` drives it to the safe state first; what holds it
  there afterwards is a pull resistor (most relay boards have one), not this program. gpiod gives the line back as it
  stands, and the board's driver decides.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from math import inf
from typing import Any

from edge.backoff import Fault
from edge.errors import SettingsError, SinkError
from edge.settings.pins import PinSettings, check_pin_name, check_trigger, pin_line, same_pin_twice
from edge.sinks.pins.claims import refuse_claimed
from edge.sinks.pins.library import PinLibraries
from edge.sinks.pins.output import Output
from edge.sinks.pins.progress import Progress
from edge.sinks.pins.trigger import Trigger
from edge.sinks.worker import Worker
from edge.stream import Event

LOG = logging.getLogger(__name__)

QUEUE_EVENTS = 2_000
"""Events that may wait for a pin library that hangs."""

SILENT_SECONDS = 2.0
"""A pin library that has not answered for so long is said in health."""

LOOK_SECONDS = 1.0
"""How often a lost listener is looked for."""

STOP_SECONDS = 2.0
"""How long `stop` waits for a pin library that hangs."""

BLINK_SECONDS, BLINKS = 0.25, 10
"""How a pin shows which device this is: on and off time of one blink, and how many."""


class GpioSink:
    """Drives pins; see Trigger for the actions. Raises SettingsError for a pin name or target that cannot be."""

    name = "gpio"
    waiting_messages = 0

    def __init__(self, pins: Sequence[PinSettings], on_change: Callable[[str, bool], None] | None = None, *,
                 libraries: PinLibraries | None = None, progress: Progress | None = None) -> None:
        """pins: one entry per pin; on_change: told (pin as named in the settings, on) after each change,
        in this sink's thread; it must return at once. libraries: shared with other sinks. progress: the
        listener's; while the listener is lost, the pins are in their safe state. Raises SettingsError where
        two entries name one pin."""
        self._pins = [_Pin(settings, on_change) for settings in pins]
        if twice := same_pin_twice(pins):
            raise SettingsError("pin.pin", found=f"{' and '.join(twice)}, which are one pin",
                                wanted="each pin in one [[pin]] entry only")
        self._libraries = libraries or PinLibraries()
        self._progress = progress or Progress(inf)
        self._worker: Worker[Event | _Asked] = Worker(self.name, self._step, most=QUEUE_EVENTS, due=self._due,
                                                      open=self._open, close=self._end)
        self._dropped = 0
        self._forget = False
        """Whether the end of a sound that holds a pin may have been dropped."""
        self._lost = Fault(LOG, self.name, "the pins are in their safe state")
        self._look_at = 0.0

    @property
    def state(self) -> str:
        """For health: "ok", which pin could not be written and why, or for how long the pin library hangs."""
        state = next((pin.output.fault.text for pin in self._pins if pin.output.fault.text), self._progress.text)
        if (busy := self._worker.busy_seconds) >= SILENT_SECONDS:
            state = f"the pin library has not answered for {busy:.0f} s"
        elif self._worker.ended:
            state = "its thread ended by itself; the pins are in their safe state"
        return state + (f"; {self._dropped} events came while it did not answer and were dropped" if self._dropped else "")

    def start(self) -> None:
        """Take the pins and put them into their safe state. Raises SinkError where one cannot be had, or
        where the pin library still hangs in what the last run asked of it."""
        self._worker.start()

    def event(self, event: Event) -> None:
        """Start what the event triggers; never waits for a pin. Where too many events wait, the oldest is
        dropped and counted."""
        self._progress.beat()
        if self._worker.put(replace(event, peak=None, beside=())) is not None:  # kilobytes that no pin needs
            self._dropped += 1
            self._forget = True

    def identify(self) -> tuple[str, ...]:
        """Blink with the pins whose settings say `identify`; returns their names, at once."""
        return self._ask([(pin, pin.blinker) for pin in self._pins if pin.settings.identify])

    def test(self, name: str) -> str | None:
        """Do once what an event makes the pin do. Returns the pin's name in the settings, however `name`
        spells it; None for a pin that is not there. Returns at once."""
        asked = [(pin, pin.trigger) for pin in self._pins if pin_line(pin.settings.pin) == pin_line(name)]
        return next(iter(self._ask(asked)), None)

    def _ask(self, asked: Sequence[_Asked]) -> tuple[str, ...]:
        for each in asked:
            self._worker.put(each)
        return tuple(pin.settings.pin for pin, _ in asked)

    def health(self, health: Mapping[str, object]) -> None:
        """Pins show no health."""

    def stop(self) -> None:
        """Every pin into its safe state, then give the lines back (they become inputs). Safe twice, bounded in time."""
        if not self._worker.stop(STOP_SECONDS):
            LOG.error("gpio: the pin library has not answered for %g s; the pins stay as they are", STOP_SECONDS)

    def pin(self, name: str) -> Any:
        """gpiozero's own pin behind `name` (as in the settings), to look at; between `start` and `stop` only."""
        return next(pin.output.device.pin for pin in self._pins if pin.settings.pin == name)

    def _step(self, items: list[Event | _Asked]) -> None:
        """Take what came and do the next step of each action that is due."""
        if self._worker.stopping or self._is_lost():
            return
        if self._forget:
            self._forget = False
            for pin in self._pins:
                pin.trigger.reset()
        # What was asked twice since the last step is done once.
        for pin, trigger in dict.fromkeys(item for item in items if isinstance(item, tuple)):
            trigger.test(time.monotonic())
            pin.write()
        events = [item for item in items if isinstance(item, Event)]
        for pin in self._pins:
            pin.advance(time.monotonic())
            pin.write()
            for event in events:
                if event.target in pin.settings.heard:
                    pin.trigger.event(event, time.monotonic())
                    pin.write()

    def _is_lost(self) -> bool:
        """Whether the listener is lost. All pins are safe then, and what was asked for is dropped: the listener
        may hang for ever, and the watchdog is about to end the program."""
        if not self._progress.lost:
            self._lost.over("the listener comes round again")
            return False
        self._lost.found("the listener makes no progress")
        self._look_at = time.monotonic() + LOOK_SECONDS
        for pin in self._pins:
            pin.trigger.give_up(time.monotonic())
            pin.blinker.reset()
            pin.write()
        return True

    def _due(self) -> float | None:
        """Seconds to the next step of any action, the next try of a pin that failed, or the time at which the
        listener would be lost while a pin is away from its safe state; None where there is none."""
        now = time.monotonic()
        dues = [due - now for pin in self._pins if (due := pin.due) is not None]
        if any(pin.away for pin in self._pins):
            dues.append(self._progress.left)
        if self._lost.text:
            dues.append(self._look_at - now)
        return max(min(dues), 0.0) if dues and min(dues) < inf else None

    def _open(self) -> None:
        self._libraries.open()
        try:
            for pin in self._pins:
                refuse_claimed(pin.settings)
                pin.output.open(self._libraries.factory(pin.settings.factory, pin=pin.settings.pin))
        except SinkError:
            self._close()
            raise

    def _end(self) -> None:
        # Whatever ended the thread, every pin is made safe and then given back, even where another pin fails
        # at that.
        with ExitStack() as ending:
            ending.callback(self._close)
            for pin in reversed(self._pins):
                ending.callback(pin.make_safe)

    def _close(self) -> None:
        for pin in self._pins:
            pin.output.close()
        self._libraries.close()


class _Pin:
    """One entry of the settings, its trigger and its output."""

    def __init__(self, settings: PinSettings, on_change: Callable[[str, bool], None] | None) -> None:
        check_pin_name(settings.pin, "[[pin]] pin")
        check_trigger(settings)
        self.settings = settings
        self.trigger = Trigger(settings)
        self.blinker = Trigger(PinSettings(action="blink", seconds=BLINK_SECONDS, count=BLINKS, safe_on=settings.safe_on))
        """Shows which device this is, whatever `trigger` does meanwhile. Afterwards the pin shows that
        again."""
        self.output = Output(settings.pin, active_high=settings.active_high, on=settings.safe_on, sink=GpioSink.name)
        self._on_change = on_change

    def advance(self, now: float) -> None:
        """Do what is due: at most one step of the trigger and one of the blinks."""
        self.trigger.advance(now)
        self.blinker.advance(now)

    @property
    def due(self) -> float | None:
        """When there is a next step of the trigger or the blinks, or a write to try again; None where there
        is none."""
        dues = (self.trigger.due, self.blinker.due, self.output.retry_at)
        return min((due for due in dues if due is not None), default=None)

    @property
    def away(self) -> bool:
        """Whether an action has the pin away from its safe state, or is on its way to take it away."""
        return self.trigger.on != self.settings.safe_on or self.trigger.due is not None or self.blinker.due is not None

    def write(self) -> None:
        """Drive the line to the state that the trigger wants, unless it has that state."""
        wanted = (self.trigger if self.blinker.due is None else self.blinker).on
        if self.output.write(wanted) and self._on_change is not None:
            self._on_change(self.settings.pin, wanted)

    def make_safe(self) -> None:
        """Drop the action and drive the line to its safe state."""
        self.trigger.reset()
        self.blinker.reset()
        self.write()


_Asked = tuple[_Pin, Trigger]
"""A pin, and its trigger or blinker that somebody asked for without an event."""
