"""Pins that cannot be had: each refusal names the pin, what was found and what was wanted."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest
from gpiozero import PinInvalidPin
from gpiozero.pins.mock import MockFactory

from edge.errors import SettingsError, SinkError
from edge.settings.pins import PinSettings, pin_line
from edge.sinks.pins.sink import GpioSink


def pin(name: str = "17", **settings: object) -> PinSettings:
    return PinSettings(**({"pin": name, "target": "clap", "factory": "simulated"} | settings))  # type: ignore[arg-type]


@pytest.mark.parametrize("names", [("17", "GPIO17"), ("17", "BCM17"), ("BOARD11", "GPIO17"), ("BCM17", "J8:11")])
def test_two_entries_for_one_pin_are_refused_before_any_is_taken(names: tuple[str, str]) -> None:
    """17 and BCM17 passed the settings, and the pin library refused the second only when the first was taken."""
    with pytest.raises(SettingsError, match=rf"pin: found {names[0]} and {names[1]}, which are one pin; wanted each pin"):
        GpioSink([pin(name) for name in names])


def test_names_of_one_pin_are_those_of_the_pin_library() -> None:
    board = MockFactory().board_info
    for name in [f"{kind}{number}" for kind in ("GPIO", "BCM", "BOARD", "J8:") for number in range(41)]:
        try:
            found = {pin.name.removeprefix("GPIO") for _, pin in board.find_pin(name) if pin.name.startswith("GPIO")}
        except PinInvalidPin:
            found = set()
        assert not found or {pin_line(name)} == found, name


def test_a_pin_that_cannot_be_had_gives_the_first_back() -> None:
    with pytest.raises(SinkError, match="pin 99"):
        GpioSink([pin("17"), pin("99")]).start()
    again = GpioSink([pin("17")])
    again.start()
    again.stop()


@pytest.mark.parametrize("name", ["99", "BOARD1", "J8:1", "WPI99"])
def test_a_pin_that_the_board_has_not_is_refused(name: str) -> None:
    with pytest.raises(SinkError, match=rf"pin {name}: found no GPIO pin of this board; wanted a GPIO pin"):
        GpioSink([pin(name)]).start()


@pytest.mark.parametrize("name", ["", "seventeen", "17.5", "-1", "gpio17", "GPIO", "17 "])
def test_a_bad_pin_name_is_a_settings_error(name: str) -> None:
    with pytest.raises(SettingsError, match=r"\[\[pin\]\] pin: found .* wanted 17, GPIO17, BOARD11"):
        GpioSink([pin(name)])


def test_a_pin_without_a_target_is_a_settings_error() -> None:
    with pytest.raises(SettingsError, match=r"\[\[pin\]\] 17 target: found nothing"):
        GpioSink([pin(target="")])


on_a_raspberry = pytest.mark.skipif(Path("/proc/device-tree/system/linux,revision").exists(),
                                    reason="a Raspberry Pi has working pin libraries")


@on_a_raspberry
@pytest.mark.parametrize("factory", ["gpiod", "lgpio", "rpigpio", "pigpio", "native"])
def test_a_library_that_cannot_work_here_is_said(factory: str) -> None:
    with pytest.raises(SinkError, match=rf"pin 17: found no pin library that works \({factory}: .+\); wanted a board"):
        GpioSink([pin(factory=factory)]).start()


@on_a_raspberry
def test_auto_tells_every_library_s_reason_and_never_simulates() -> None:
    with pytest.raises(SinkError) as told:
        GpioSink([pin(factory="auto")]).start()
    for name in ("gpiod: ", "lgpio: ", "rpigpio: ", "pigpio: ", "native: "):
        assert name in str(told.value)
    assert "\n" not in str(told.value)


def test_an_empty_lgpio_module_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package index has an lgpio for Python 3.13 that installs without complaint and holds nothing."""
    monkeypatch.setitem(sys.modules, "lgpio", types.ModuleType("lgpio"))
    monkeypatch.delitem(sys.modules, "gpiozero.pins.lgpio", raising=False)
    with pytest.raises(SinkError, match=r"lgpio: an lgpio that is an empty module"):
        GpioSink([pin(factory="lgpio")]).start()
