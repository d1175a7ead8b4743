"""What is wired to the board, as `edge-audio check` looks at it and `edge-audio doctor --pin` tries it."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable

from edge.cli.checkup.finding import Finding
from edge.control.commands import Command, Outcome
from edge.errors import EdgeError, SettingsError, SinkError
from edge.settings import Settings
from edge.settings.pins import pin_line
from edge.sinks.pins.wiring import Wiring

PIN_SECONDS = 2.0
"""How long a pin that is tried does what an event makes it do, and how long the LED is lit; then all are safe."""
PRESS_SECONDS = 10.0
"""How long a press of a button that is tried is waited for."""


def check_pins(settings: Settings) -> Finding:
    """Take every pin, which makes it safe, and give it back."""
    try:
        wiring = Wiring(settings.pin, settings.button, settings.led)
        try:
            for sink in wiring.sinks:
                sink.start()
        finally:
            for sink in wiring.sinks:
                sink.stop()
    except (SinkError, SettingsError) as error:
        return Finding("pins", False, str(error), "factory = \"simulated\" tries settings without a board")
    words = [f"{pin.pin} {pin.action} on {' or '.join(pin.heard)}" if pin.heard else f"{pin.pin} to identify"
             for pin in settings.pin]
    words += [f"{button.pin} button: {button.action}" for button in settings.button]
    words += [f"{settings.led.pin} status LED"] if settings.led.pin else []
    return Finding("pins", True, ", ".join(words) or "none in the settings")


def try_pin(settings: Settings, name: str, *, running: bool) -> Finding:
    """Do once what an event makes a pin do; light the LED; or wait for a press of a button.

    name: in any spelling. running: whether a service has the pins.
    """
    if running:
        return Finding("pin", False, f"{name}: the service has the pins", "stop it (`systemctl stop edge-audio`), or send "
                       "the command pin-test")
    try:
        if settings.led.pin and pin_line(settings.led.pin) == pin_line(name):
            return _try_led(settings)
        if any(pin_line(button.pin) == pin_line(name) for button in settings.button):
            return _try_button(settings, name)
        return _try_trigger(settings, name)
    except EdgeError as error:
        return Finding("pin", False, str(error), "deploy/docs/pins.md: which pins are free, and which library serves")


def _try_trigger(settings: Settings, name: str) -> Finding:
    sink = Wiring(settings.pin).gpio
    tested, state = None, "ok"
    if sink is not None:
        sink.start()
        try:
            tested = sink.test(name)
            if tested is not None:
                time.sleep(PIN_SECONDS)
            state = sink.state
        finally:
            sink.stop()
    if tested is None:
        return Finding("pin", False, f"the settings have no pin {name}", "one of theirs; or add a [[pin]]")
    return Finding("pin", state == "ok", f"{tested} did what an event makes it do, and is safe again"
                   if state == "ok" else state, "" if state == "ok" else "deploy/docs/pins.md")


def _try_led(settings: Settings) -> Finding:
    panel = Wiring((), (), settings.led, hears=lambda: (False, "")).panel
    assert panel is not None  # there is an LED
    panel.start()
    try:
        time.sleep(PIN_SECONDS)
        state = panel.state
    finally:
        panel.stop()
    return Finding("pin", state == "ok", f"the LED on {settings.led.pin} was lit for {PIN_SECONDS:g} s"
                   if state == "ok" else state, "" if state == "ok" else "deploy/docs/pins.md")


def _try_button(settings: Settings, name: str) -> Finding:
    pressed = threading.Event()

    def act(command: Command, answer: Callable[[Outcome], None]) -> bool:
        pressed.set()
        return True

    button = next(each for each in settings.button if pin_line(each.pin) == pin_line(name))
    panel = Wiring((), (button,), act=act).panel
    assert panel is not None  # there is a button
    panel.start()
    try:
        print(f"press the button on {button.pin} within {PRESS_SECONDS:g} s", file=sys.stderr, flush=True)
        came = pressed.wait(PRESS_SECONDS)
    finally:
        panel.stop()
    return Finding("pin", came, f"the button on {button.pin} was {'' if came else 'not '}pressed",
                   "" if came else f"wire it between the pin and {'ground' if button.pull == 'up' else '3.3 V'}")
