"""Which line of which chip a pin's name means, on this board. Pure: chips and the device tree's words come in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

RASPBERRY_REVISIONS = {"pinctrl-bcm2835": 0xA020D3, "pinctrl-bcm2711": 0xA03111, "pinctrl-rp1": 0xC04170}
"""Label of the chip behind the header, and a revision with that header, for kernels that do not tell the board's own.

A GPIO's number is the offset of its line in this chip."""

CORAL = {13: ("30200000.gpio", 6), 16: ("30220000.gpio", 9), 18: ("30240000.gpio", 10), 29: ("30200000.gpio", 7),
         31: ("30200000.gpio", 8), 36: ("30240000.gpio", 13), 37: ("30220000.gpio", 13)}
"""Label and offset by place on the header of a Coral Dev Board: the places that carry nothing but a GPIO."""


class Chip(Protocol):
    """A chip, as far as names go."""

    @property
    def path(self) -> str:
        """/dev/gpiochip0."""

    @property
    def name(self) -> str:
        """gpiochip0."""

    @property
    def label(self) -> str:
        """The driver's word for it."""

    @property
    def lines(self) -> int:
        """How many it has."""


@dataclass(frozen=True, slots=True)
class Place:
    """A line: the chip's path, and the offset in it."""

    path: str
    offset: int


def raspberry_chip(chips: Sequence[Chip]) -> Chip | None:
    """The chip behind a Raspberry Pi's header; None on another board. A Pi 5 has others with fewer lines."""
    found = [chip for chip in chips if chip.label in RASPBERRY_REVISIONS]
    return max(found, key=lambda chip: chip.lines, default=None)


def other_places(chips: Sequence[Chip], compatible: str) -> tuple[str, Mapping[str, Place]]:
    """What a board that is no Raspberry Pi is called, and its lines by name.

    compatible: of the device tree, "" where there is none. A Coral Dev Board has BOARD13 and so on; every board
    CHIP0:5, which is line 5 of gpiochip0.
    """
    places = {f"CHIP{chip.name.removeprefix('gpiochip')}:{offset}": Place(chip.path, offset)
              for chip in chips for offset in range(chip.lines)}
    paths = {chip.label: chip.path for chip in chips}
    if "phanbell" not in compatible:
        return "board with GPIO chips", places
    header = {f"BOARD{number}": Place(paths[label], offset) for number, (label, offset) in CORAL.items() if label in paths}
    return "Coral Dev Board", places | header
