"""Pins that sound hardware on the header uses are refused, and only where that hardware is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.errors import SinkError
from edge.settings.pins import PinSettings
from edge.sinks.pins import sink as sink_module
from edge.sinks.pins.claims import claimed, refuse_claimed
from edge.sinks.pins.sink import GpioSink

ROOT = Path(__file__).resolve().parent.parent.parent
USB = " 1 [Device         ]: USB-Audio - USB PnP Sound Device\n                      C-Media USB PnP Sound Device\n"
VOICE_HAT = (" 0 [sndrpigooglevoi]: RPi-simple - snd_rpi_googlevoicehat_soundcar\n"
             "                      snd_rpi_googlevoicehat_soundcar\n")
RESPEAKER = " 2 [seeed2micvoicec]: seeed-2mic-voic - seeed-2mic-voicecard\n                      seeed-2mic-voicecard\n"
HEADPHONES = " 0 [Headphones     ]: bcm2835_headpho - bcm2835 Headphones\n                      bcm2835 Headphones\n"
I2S = {"18", "19", "20", "21"}


def board(folder: Path, cards: str, *, compatible: str = "raspberrypi,4-model-b\0brcm,bcm2711\0", i2s: str = "disabled",
          node: str = "soc/i2s@7e203000") -> Path:
    """A procfs of this board."""
    files = {f"device-tree/{node}/status": f"{i2s}\0", "device-tree/compatible": compatible, "asound/cards": cards}
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


@pytest.mark.parametrize(("cards", "pins"), [
    ("", set()), (USB + HEADPHONES, set()), (VOICE_HAT, I2S | {"16"}), (USB + RESPEAKER, I2S | {"17"})])
def test_each_sound_board_claims_its_own_pins(tmp_path: Path, cards: str, pins: set[str]) -> None:
    assert set(claimed(board(tmp_path, cards))) == pins


@pytest.mark.parametrize("node", ["soc/i2s@7e203000", "axi/pcie@1000120000/rp1/i2s@a0000"])
def test_an_i2s_controller_that_is_on_claims_its_pins_whatever_the_card_is_called(tmp_path: Path, node: str) -> None:
    assert set(claimed(board(tmp_path, USB, i2s="okay", node=node))) == I2S


def test_another_board_and_a_machine_without_a_device_tree_claim_nothing(tmp_path: Path) -> None:
    assert claimed(board(tmp_path / "coral", VOICE_HAT, compatible="google,imx8mq-phanbell\0")) == {}
    assert claimed(tmp_path / "nothing") == {}


def test_a_refusal_names_pin_reason_and_free_ones(tmp_path: Path) -> None:
    proc = board(tmp_path, RESPEAKER)
    with pytest.raises(SinkError, match=r"pin BOARD11: found a pin that the sound hardware uses \(the button of the ReSpe.*"
                                        r"wanted a free one, such as 22 to 27"):
        refuse_claimed(PinSettings(pin="BOARD11", target="a"), proc)
    refuse_claimed(PinSettings(pin="17", target="a", factory="simulated"), proc)
    refuse_claimed(PinSettings(pin="16", target="a"), proc)


def test_the_sink_asks_before_it_takes_a_pin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    proc = board(tmp_path, VOICE_HAT)
    monkeypatch.setattr(sink_module, "refuse_claimed", lambda pin: refuse_claimed(pin, proc))
    with pytest.raises(SinkError, match=r"pin 18: found .*I2S"):
        GpioSink([PinSettings(pin="18", target="a", factory="gpiod")]).start()


def test_the_pins_of_the_examples_are_free_with_every_sound_board(tmp_path: Path) -> None:
    taken = set(claimed(board(tmp_path, VOICE_HAT + RESPEAKER)))
    pages = [ROOT / "README.md", *(ROOT / "deploy").rglob("*.toml"), ROOT / "deploy" / "docs" / "settings.md"]
    lines = [line.strip() for page in pages for line in page.read_text(encoding="utf-8").splitlines()]
    used = {line.split("=")[1].split("#")[0].strip() for line in lines if line.startswith("pin = ")}
    assert used and not used & taken
