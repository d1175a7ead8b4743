"""The tables of what the owner presses and sees on the board: buttons, and the status LED."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from edge.errors import SettingsError
from edge.settings.key import key
from edge.settings.pins import LIBRARIES, PinSettings, check_pin_name, pin_line

_FACTORY = f"gpiozero's pin library: {', '.join(LIBRARIES[:-1])} or {LIBRARIES[-1]}"


@dataclass(frozen=True, slots=True)
class ButtonSettings:
    """[[button]]: what a press does, also where [command] allows nothing: whoever presses stands at the board."""

    pin: str = key("", "GPIO number (BCM: 23), a place on the header (\"BOARD16\"), or a chip's line (\"CHIP0:5\")")
    action: str = key("mute", "mute (and the next press hears again), or wrong (the newest event was none: feedback)",
                      choices=("mute", "wrong"))
    pull: str = key("up", "the board's own resistor: up for a button to ground, down for one to 3.3 V",
                    choices=("up", "down"))
    debounce_seconds: float = key(0.05, "so long the level must stand still before it counts", low=0.005, high=1.0)
    factory: str = key("auto", _FACTORY, choices=LIBRARIES)


@dataclass(frozen=True, slots=True)
class LedSettings:
    """[led]: a light that shows how the board is: starting, hearing, an event, muted, trouble."""

    pin: str = key("", "GPIO number or name, as for [[pin]]; empty: no status LED")
    active_high: bool = key(True, "false for an LED from 3.3 V to the pin, which a low level lights")
    factory: str = key("auto", _FACTORY, choices=LIBRARIES)


def check_panel(pins: Sequence[PinSettings], buttons: Sequence[ButtonSettings], led: LedSettings, where: str = "") -> None:
    """Whether buttons and LED can be beside each other and the pins. Raises SettingsError."""
    if not led.pin and led != LedSettings():
        raise SettingsError(f"{where}[led] pin", found="nothing", wanted="a GPIO number or name, such as 24")
    users: dict[str, str] = {}
    for table, name in _used(pins, buttons, led):
        if table != "[[pin]]":
            if not name:
                raise SettingsError(f"{where}{table} pin", found="nothing", wanted="a GPIO number or name, such as 23")
            check_pin_name(name, f"{where}{table} pin")
            if (user := users.get(pin_line(name))) is not None:
                raise SettingsError(f"{where}{table} pin", found=f"{name}, which {user} uses", wanted="a pin of its own")
        users.setdefault(pin_line(name), f"{table} {name}")


def _used(pins: Sequence[PinSettings], buttons: Sequence[ButtonSettings], led: LedSettings) -> Iterator[tuple[str, str]]:
    """Each table that names a pin, and the name."""
    yield from (("[[pin]]", pin.pin) for pin in pins)
    yield from (("[[button]]", button.pin) for button in buttons)
    if led.pin:
        yield "[led]", led.pin
