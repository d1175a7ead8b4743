"""The tables of GPIO pins, and the names that pins have."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from edge.errors import SettingsError, nearest
from edge.settings.key import key

LIBRARIES = ("auto", "gpiod", "lgpio", "rpigpio", "pigpio", "native", "simulated")
"""What `factory` may be."""


@dataclass(frozen=True, slots=True)
class PinSettings:
    """[[pin]]: what a target's events do to a GPIO pin (the trigger)."""

    pin: str = key("", "GPIO number (BCM: 22), a place on the header (\"BOARD15\"), or a chip's line (\"CHIP0:5\")")
    target: str = key("", "the target whose events drive it; may be empty with targets or identify")
    targets: tuple[str, ...] = key((), "instead: several targets, each of whose events drives it")
    action: str = key("pulse", "pulse, toggle, hold (while the sound lasts) or blink",
                      choices=("pulse", "toggle", "hold", "blink"))
    seconds: float = key(0.5, "pulse: how long; blink: on and off time of one blink", low=0.01, high=3600.0)
    count: int = key(3, "blink: how many", low=1, high=1000)
    maximum_seconds: float = key(0.0, "longest time away from the safe state, whatever is heard; 0: any", low=0.0,
                                 high=86_400.0)
    cool_down_seconds: float = key(0.0, "so long after an event that it took, and after its return to the safe state, the "
                                        "pin takes no event", low=0.0, high=86_400.0)
    when_probability: float = key(0.0, "takes only events with this probability or a higher one", low=0.0, high=1.0)
    when_level_dbfs: float = key(-120.0, "takes only events with this level at their start or a higher one", low=-120.0,
                                 high=0.0)
    active_high: bool = key(True, "false for relays that switch on a low level")
    identify: bool = key(False, "blinks when the device is asked to identify itself ([command])")
    safe_on: bool = key(False, "the safe state, at start and at exit: off (false) or on (true)")
    factory: str = key("auto", f"gpiozero's pin library: {', '.join(LIBRARIES[:-1])} or {LIBRARIES[-1]}", choices=LIBRARIES)

    @property
    def heard(self) -> tuple[str, ...]:
        """The targets whose events drive the pin."""
        return (self.target,) if self.target else self.targets


PIN_NAME = re.compile(r"(GPIO|BCM|BOARD|WPI)?\d{1,3}|[A-Z][A-Z0-9]*:\d{1,3}")
"""How gpiozero names pins: 17, GPIO17, BCM17, BOARD11, WPI0, J8:11."""
_PIN = re.compile(r"(?:GPIO|BCM)?(\d{1,3})|(?:BOARD|J8:|P1:)(\d{1,3})")
_HEADER = {3: 2, 5: 3, 7: 4, 8: 14, 10: 15, 11: 17, 12: 18, 13: 27, 15: 22, 16: 23, 18: 24, 19: 10, 21: 9, 22: 25, 23: 11,
           24: 8, 26: 7, 27: 0, 28: 1, 29: 5, 31: 6, 32: 12, 33: 13, 35: 19, 36: 16, 37: 26, 38: 20, 40: 21}
"""GPIO number by place on the 40-pin header of a Raspberry Pi."""


def pin_line(name: str) -> str:
    """One name for one pin, however it is spelled: "17" for 17, GPIO17, BCM17, BOARD11 and J8:11. Other names stay."""
    match = _PIN.fullmatch(name)
    if match is None:
        return name
    return str(int(match[1]) if match[1] else _HEADER.get(int(match[2]), name))


def check_pin_name(name: str, key: str) -> None:
    """Raises SettingsError, which names `key`, for what can be no pin's name."""
    if not PIN_NAME.fullmatch(name):
        raise SettingsError(key, found=repr(name), wanted="17, GPIO17, BOARD11 or the like")


def same_pin_twice(pins: Sequence[PinSettings]) -> tuple[str, str] | None:
    """The first two names that are one pin, as the settings spell them; None where each pin has one entry."""
    lines = [pin_line(pin.pin) for pin in pins]
    return next(((pins[lines.index(line)].pin, pins[number].pin) for number, line in enumerate(lines)
                 if line in lines[:number]), None)


def check_pins(pins: Sequence[PinSettings], targets: Sequence[str], where: str) -> None:
    """Whether the entries can be together; targets: the names in the settings, none where the model's own are heard.

    Raises SettingsError.
    """
    if twice := same_pin_twice(pins):
        raise SettingsError(f"{where}: [[pin]] pin", found=f"{' and '.join(twice)}, which are one pin",
                            wanted="each pin in one [[pin]] entry only; `targets` names several targets")
    for pin in pins:
        if not pin.pin:
            raise SettingsError(f"{where}: [[pin]] pin", found="nothing", wanted="a GPIO number or name, such as 17")
        check_trigger(pin, f"{where}: ")
        for name in pin.heard if targets else ():
            if name not in targets:
                near = "".join(f" (did you mean {each!r}?)" for each in nearest(name, targets))
                raise SettingsError(f"{where}: [[pin]] {pin.pin} {'target' if pin.target else 'targets'}", found=repr(name),
                                    wanted=f"the name of a [[target]]{near}")


def check_trigger(pin: PinSettings, where: str = "") -> None:
    """Whether the keys of one entry can be together. Raises SettingsError."""
    entry = f"{where}[[pin]] {pin.pin}"
    if pin.target and pin.targets:
        raise SettingsError(f"{entry} targets", found="names, and a target too", wanted="one of the two keys")
    for name in pin.targets:
        if not name or pin.targets.count(name) > 1:
            raise SettingsError(f"{entry} targets", found=f"{name!r} twice" if name else "an empty name",
                                wanted="the name of each target once")
    if not pin.heard and not pin.identify:
        raise SettingsError(f"{entry} target", found="nothing", wanted="the name of a target")
    if pin.action in ("pulse", "blink") and 0.0 < pin.maximum_seconds < pin.seconds:
        found = f"{pin.maximum_seconds:g}, less than seconds = {pin.seconds:g}"
        raise SettingsError(f"{entry} maximum_seconds", found=found, wanted="as long as one pulse or blink, or longer; or 0")
