"""Which line a pin's name means, by what chips and device tree say. On a real kernel's chips: test_sinks_gpiod_kernel.py."""

from __future__ import annotations

import importlib
import re
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest
from gpiozero.pins.pi import PiBoardInfo

from edge.settings.pins import LIBRARIES as CHOICES
from edge.sinks.pins.boards import RASPBERRY_REVISIONS, Place, other_places, raspberry_chip
from edge.sinks.pins.library import AUTOMATIC, LIBRARIES

lines = pytest.importorskip("edge.sinks.pins.lines", reason="gpiod comes on 64-bit Linux only")
ROOT = Path(__file__).resolve().parent.parent.parent


def test_a_pi_5_is_known_by_the_chip_of_its_header() -> None:
    chips = [lines.ChipFound("/dev/gpiochip10", "gpio-brcmstb@107d508500", 32),
             lines.ChipFound("/dev/gpiochip0", "pinctrl-rp1", 54)]
    found = raspberry_chip(chips)
    assert found is not None and found.path == "/dev/gpiochip0"
    assert raspberry_chip(chips[:1]) is None and raspberry_chip([]) is None


@pytest.mark.parametrize("revision", RASPBERRY_REVISIONS.values())
def test_the_revision_that_stands_in_has_the_header_with_28_gpios(revision: int) -> None:
    header = PiBoardInfo.from_revision(revision).headers["J8"]
    gpios = {pin.name for pin in header.pins.values() if "gpio" in pin.interfaces}
    assert gpios == {f"GPIO{number}" for number in range(28)}


def test_a_coral_s_header_lies_on_three_chips() -> None:
    chips = [lines.ChipFound(f"/dev/gpiochip{number}", f"302{number}0000.gpio", 32) for number in range(5)]
    model, places = other_places(chips, "google,imx8mq-phanbell\0fsl,imx8mq")
    assert model == "Coral Dev Board"
    assert {name: places[name] for name in ("BOARD13", "BOARD16", "BOARD18", "CHIP4:31")} == {
        "BOARD13": Place("/dev/gpiochip0", 6), "BOARD16": Place("/dev/gpiochip2", 9),
        "BOARD18": Place("/dev/gpiochip4", 10), "CHIP4:31": Place("/dev/gpiochip4", 31)}
    assert "BOARD13" not in other_places(chips, "fsl,imx8mq-evk")[1]


def test_auto_begins_with_the_kernel_s_lines_and_the_settings_know_every_library() -> None:
    assert AUTOMATIC[0] == "gpiod" and "simulated" not in AUTOMATIC
    assert list(CHOICES) == ["auto", *LIBRARIES]


@pytest.mark.skipif(sys.platform != "linux", reason="the factory is for Linux")
def test_gpiozero_finds_the_factory_by_its_entry_point() -> None:
    config = ConfigParser()
    config.read(ROOT / "setup.cfg")
    name, _, target = config["options.entry_points"]["gpiozero_pin_factories"].strip().partition(" = ")
    module, _, kind = target.partition(":")
    assert name == "gpiod" and re.fullmatch(r"[\w.]+", module)
    assert hasattr(getattr(importlib.import_module(module), kind), "board_info")
    assert (module, kind) == LIBRARIES["gpiod"]
