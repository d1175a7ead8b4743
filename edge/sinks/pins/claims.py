"""Pins of a Raspberry Pi that the sound hardware on its header uses: a relay there would silence the microphone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from edge.errors import SinkError
from edge.settings.pins import pin_line

I2S = ("18", "19", "20", "21")
I2S_CARDS = ("snd_rpi_", "sndrpi", "seeed", "wm8960", "tlv320aic3", "i2smic", "dmic", "rpi-simple")
"""What drivers of sound boards on the header write into /proc/asound/cards, in small letters."""
BUTTON = "the button of the ReSpeaker 2-Mic"
CARDS = {"googlevoi": ("the driver googlevoicehat", "16"), "seeed2mic": (BUTTON, "17"), "seeed-2mic": (BUTTON, "17")}
TREES = ("soc/i2s@*", "axi/pcie@*/rp1/i2s@*")
"""Where the device tree has the I2S controllers of the header: up to Pi 4, and of the Pi 5."""


def claimed(proc: Path = Path("/proc")) -> dict[str, str]:
    """What uses which GPIO now, by its number; nothing on a board that is no Raspberry Pi. proc: procfs."""
    if "raspberrypi" not in _text(proc / "device-tree" / "compatible"):
        return {}
    cards = _text(proc / "asound" / "cards").lower()
    found = {pin: who for word, (who, pin) in CARDS.items() if word in cards}
    if any(word in cards for word in I2S_CARDS) or any(_is_on(node) for node in _controllers(proc / "device-tree")):
        found |= dict.fromkeys(I2S, "I2S, the sound board's line to the processor")
    return found


class Wish(Protocol):
    """A table of the settings that names a pin."""

    @property
    def pin(self) -> str:
        """Its name."""

    @property
    def factory(self) -> str:
        """Its pin library."""


def refuse_claimed(wish: Wish, proc: Path = Path("/proc"), *, pressed: bool = False) -> None:
    """Raises SinkError where the pin is in use by sound hardware. A simulated pin takes nothing from anybody.

    pressed: a button is wanted there, as which the board's own may serve.
    """
    who = claimed(proc).get(pin_line(wish.pin)) if wish.factory != "simulated" else None
    if who is not None and not (pressed and who == BUTTON):
        raise SinkError(f"pin {wish.pin}", found=f"a pin that the sound hardware uses ({who})",
                        wanted="a free one, such as 22 to 27")


def _controllers(tree: Path) -> Iterator[Path]:
    for pattern in TREES:
        yield from tree.glob(pattern)


def _is_on(node: Path) -> bool:
    return _text(node / "status").rstrip("\0") in ("okay", "ok")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
