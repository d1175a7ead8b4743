"""What the owner sees and presses on the board: the status LED, and buttons. gpiozero is imported only once a pin is opened.

One thread of this sink lights the LED, so events return at once. A press comes in a thread of the pin library's; it becomes
a command, and crosses on the same queue as one that came over MQTT.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from math import inf
from typing import Any

from edge.control.commands import Act, Command, Feedback, Mute, Outcome
from edge.errors import EdgeError, SinkError
from edge.settings.panel import ButtonSettings, LedSettings
from edge.sinks.pins.claims import refuse_claimed
from edge.sinks.pins.library import PinLibraries, in_words, library_errors, remedy
from edge.sinks.pins.light import Light
from edge.sinks.pins.output import Output
from edge.sinks.worker import Worker
from edge.stream import Event

LOG = logging.getLogger(__name__)

LOOK_SECONDS = 0.5
"""How often the state of the board is looked at."""
QUEUE_MOMENTS = 8
"""Moments that may wait for the LED; of many events at once the eye sees one."""
STOP_SECONDS = 2.0
"""How long `stop` waits for a pin library that hangs."""


class PanelSink:
    """The LED and the buttons of the settings."""

    name = "panel"
    waiting_messages = 0

    def __init__(self, buttons: Sequence[ButtonSettings], led: LedSettings, *, state_of_board: Callable[[], str], act: Act,
                 libraries: PinLibraries | None = None) -> None:
        """state_of_board: a key of `light.STATES`, asked from this sink's thread. act: takes a press as a command;
        returns at once. libraries: shared with other sinks."""
        self._buttons = [_Button(settings, self._pressed) for settings in buttons]
        self._led = led
        self._output = Output(led.pin, active_high=led.active_high, on=False, sink=self.name) if led.pin else None
        self._state_of_board, self._act = state_of_board, act
        self._libraries = libraries or PinLibraries()
        self._light = Light()
        self._look_at = 0.0
        self._changes_at = inf
        self._worker: Worker[str] = Worker(self.name, self._step, most=QUEUE_MOMENTS, due=self._due, open=self._open,
                                           close=self._end)

    @property
    def state(self) -> str:
        """For health: "ok", or what is wrong."""
        if self._worker.ended:
            return "its thread ended by itself; the LED is off"
        return (self._output.fault.text if self._output is not None else "") or "ok"

    def start(self) -> None:
        """Take the pins. Raises SinkError where one cannot be had."""
        self._worker.start()

    def event(self, event: Event) -> None:
        """Let the LED flicker; returns at once."""
        if event.phase == "start" and self._output is not None:
            self._worker.put("event")

    def health(self, health: Mapping[str, object]) -> None:
        """The board's state is looked at more often than health comes."""

    def stop(self) -> None:
        """LED off, and the pins given back. Safe twice, bounded in time."""
        if not self._worker.stop(STOP_SECONDS):
            LOG.error("panel: the pin library has not answered for %g s; the LED stays as it is", STOP_SECONDS)

    def pin(self, name: str) -> Any:
        """gpiozero's own pin behind `name` (as in the settings), to look at; between `start` and `stop` only."""
        devices = {button.settings.pin: button.device for button in self._buttons}
        return (self._output.device if self._output is not None and name == self._led.pin else devices[name]).pin

    def _pressed(self, button: ButtonSettings) -> None:
        """In a thread of the pin library's."""
        command: Command = Mute(on=None) if button.action == "mute" else Feedback(None, "wrong")
        if not self._act(command, lambda outcome: self._answered(button, outcome)):
            LOG.warning("button %s: too many commands at work: this press does nothing", button.pin)

    def _answered(self, button: ButtonSettings, outcome: Outcome) -> None:
        """In a thread of the steering's."""
        if isinstance(outcome, EdgeError):
            LOG.warning("button %s: %s: refused: %s", button.pin, button.action, outcome)
            return
        LOG.info("button %s: %s: done: %s", button.pin, button.action, dict(outcome))
        if button.action == "wrong" and self._output is not None:
            self._worker.put("judged")

    # From here on: the sink's own thread.

    def _step(self, moments: list[str]) -> None:
        if self._output is None or self._worker.stopping:
            return
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + LOOK_SECONDS
            self._light.show(self._state_of_board(), now)
        for moment in moments:
            self._light.flash(moment, now)
        lit, self._changes_at = self._light.look(now)
        self._output.write(lit)

    def _due(self) -> float | None:
        if self._output is None:
            return None
        retry_at = self._output.retry_at
        return max(min(self._look_at, self._changes_at, inf if retry_at is None else retry_at) - time.monotonic(), 0.0)

    def _open(self) -> None:
        self._libraries.open()
        try:
            if self._output is not None:
                refuse_claimed(self._led)
                self._output.open(self._libraries.factory(self._led.factory, pin=self._led.pin))
            for button in self._buttons:
                refuse_claimed(button.settings, pressed=True)
                button.open(self._libraries.factory(button.settings.factory, pin=button.settings.pin))
        except SinkError:
            self._close()
            raise

    def _end(self) -> None:
        with ExitStack() as ending:
            ending.callback(self._close)
            if self._output is not None:
                self._output.write(False)

    def _close(self) -> None:
        for button in self._buttons:
            button.close()
        if self._output is not None:
            self._output.close()
        self._libraries.close()


class _Button:
    """One entry of the settings and, once it is opened, its device."""

    def __init__(self, settings: ButtonSettings, pressed: Callable[[ButtonSettings], None]) -> None:
        self.settings = settings
        self.device: Any = None
        self._pressed = pressed

    def open(self, factory: Any) -> None:
        """Make the line an input with its pull. A button that is down already counts from its next press on.
        Raises SinkError."""
        import gpiozero

        try:
            self.device = gpiozero.DigitalInputDevice(self.settings.pin, pull_up=self.settings.pull == "up",
                                                      bounce_time=self.settings.debounce_seconds, pin_factory=factory)
            self.device.when_activated = lambda: self._pressed(self.settings)
        except library_errors() as error:
            raise SinkError(f"pin {self.settings.pin}", found=in_words(error), wanted=remedy(error)) from error

    def close(self) -> None:
        """Give the line back."""
        device, self.device = self.device, None
        if device is not None:
            try:
                device.close()
            except library_errors() as error:
                LOG.error("panel: pin %s cannot be given back: %s", self.settings.pin, in_words(error))
