"""Pins that cannot be had: each refusal names the pin, what was found and what was wanted."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest

from edge.errors import SettingsError, SinkError
from edge.settings import PinSettings
from edge.sinks.gpio import GpioSink


def pin(name: str = "17", **settings: object) -> PinSettings:
    return PinSettings(**({"pin": name, "target": "clap", "factory": "simulated"} | settings))  # type: ignore[arg-type]


def test_two_entries_for_one_pin_are_refused_and_the_first_is_given_back() -> None:
    sink = GpioSink([pin("17"), pin("GPIO17")])
    with pytest.raises(SinkError, match=r"pin GPIO17: found a pin that another entry uses; wanted each pin in one"):
        sink.start()
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
@pytest.mark.parametrize("factory", ["lgpio", "rpigpio", "pigpio", "native"])
def test_a_library_that_cannot_work_here_is_said(factory: str) -> None:
    with pytest.raises(SinkError, match=rf"pin 17: found no pin library that works \({factory}: .+\); wanted a Rasp"):
        GpioSink([pin(factory=factory)]).start()


@on_a_raspberry
def test_auto_tells_every_library_s_reason_and_never_simulates() -> None:
    with pytest.raises(SinkError) as told:
        GpioSink([pin(factory="auto")]).start()
    for name in ("lgpio: ", "rpigpio: ", "pigpio: ", "native: "):
        assert name in str(told.value)
    assert "\n" not in str(told.value)


def test_an_empty_lgpio_module_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package index has an lgpio for Python 3.13 that installs without complaint and holds nothing."""
    monkeypatch.setitem(sys.modules, "lgpio", types.ModuleType("lgpio"))
    monkeypatch.delitem(sys.modules, "gpiozero.pins.lgpio", raising=False)
    with pytest.raises(SinkError, match=r"lgpio: an lgpio that is an empty module"):
        GpioSink([pin(factory="lgpio")]).start()
