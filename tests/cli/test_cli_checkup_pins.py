"""`check` takes everything that is wired to the board; `doctor --pin` tries one pin, the status LED or a button."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from gpiozero.pins.mock import MockFactory

from edge.cli import main
from edge.cli.checkup import pins as pins_module
from edge.cli.checkup.checkup import check
from edge.cli.checkup.pins import try_pin
from edge.control.commanded import Commanded, save_commanded
from edge.settings import CommandSettings, PinSettings, Settings, WatchSettings
from edge.settings.panel import ButtonSettings, LedSettings
from edge.sinks.pins.library import PinLibraries

SETTINGS = Settings(pin=(PinSettings(pin="27", target="hand_clap", factory="simulated"),),
                    button=(ButtonSettings(pin="23", factory="simulated"),),
                    led=LedSettings(pin="24", active_high=False, factory="simulated"))


@pytest.fixture
def wires(monkeypatch: pytest.MonkeyPatch) -> MockFactory:
    """The simulated board that every pin is of, also when its pins were given back."""
    factory = MockFactory()
    monkeypatch.setattr(PinLibraries, "factory", lambda *_, **__: factory)
    return factory


def test_check_takes_all_and_makes_all_safe(tmp_path: Path, wires: MockFactory) -> None:
    (found,) = check(SETTINGS, tmp_path, ["pins"])
    assert found.ok and found.text == "27 pulse on hand_clap, 23 button: mute, 24 status LED"
    levels = {number: [state.state for state in wires.pin(f"GPIO{number}").states] for number in (27, 24)}
    assert levels == {27: [False], 24: [False, True]}, "the LED is dark at a high level"
    (none,) = check(Settings(), tmp_path, ["pins"])
    assert none.ok and none.text == "none in the settings"


@pytest.mark.parametrize(("settings", "words"), [
    (Settings(button=(ButtonSettings(pin="99", factory="simulated"),)), "pin 99: found no GPIO pin of this board"),
    (Settings(pin=SETTINGS.pin, led=LedSettings(pin="BOARD13")), "[led] pin: found BOARD13, which [[pin]] 27 uses")])
def test_check_says_which_pin_cannot_be_had(tmp_path: Path, settings: Settings, words: str) -> None:
    (found,) = check(settings, tmp_path, ["pins"])
    assert not found.ok and words in found.text


def test_a_mute_by_button_is_said_where_no_command_is_allowed(tmp_path: Path) -> None:
    save_commanded(tmp_path, Commanded(True))
    (found,) = check(SETTINGS, tmp_path, ["commands"])
    assert not found.ok and found.text == "none allowed; muted: nothing is heard until it is unmuted"
    assert "the mute button" in found.advice
    (free,) = check(Settings(watch=WatchSettings(enabled=False)), tmp_path, ["commands"])
    assert free.ok and free.text == "none allowed"
    (allowed,) = check(Settings(command=CommandSettings(("mute",))), tmp_path, ["commands"])
    assert allowed.text.endswith("allowed: mute, but no broker brings them; muted: nothing is heard until it is unmuted")


def test_the_led_is_lit_for_a_while(monkeypatch: pytest.MonkeyPatch, wires: MockFactory) -> None:
    monkeypatch.setattr(pins_module, "PIN_SECONDS", 0.5)
    found = try_pin(SETTINGS, "BOARD18", running=False)
    assert found.ok and found.text == "the LED on 24 was lit for 0.5 s"
    assert [state.state for state in wires.pin("GPIO24").states] == [False, True, False, True]


def test_a_press_is_waited_for(monkeypatch: pytest.MonkeyPatch, wires: MockFactory,
                               capsys: pytest.CaptureFixture[str]) -> None:
    def press() -> None:
        while wires.pin("GPIO23").when_changed is None:
            time.sleep(0.01)
        wires.pin("GPIO23").drive_low()

    thread = threading.Thread(target=press)
    thread.start()
    found = try_pin(SETTINGS, "GPIO23", running=False)
    thread.join(60)
    assert found.ok and found.text == "the button on 23 was pressed"
    assert capsys.readouterr().err == "press the button on 23 within 10 s\n"
    monkeypatch.setattr(pins_module, "PRESS_SECONDS", 0.05)
    found = try_pin(SETTINGS, "23", running=False)
    assert not found.ok and found.text == "the button on 23 was not pressed"
    assert found.advice == "wire it between the pin and ground"


def test_what_a_service_has_and_what_is_not_there_is_said() -> None:
    assert "the service has the pins" in try_pin(SETTINGS, "23", running=True).text
    assert try_pin(SETTINGS, "22", running=False).text == "the settings have no pin 22"
    assert try_pin(Settings(), "22", running=False).text == "the settings have no pin 22"


def test_after_the_end_of_the_program_the_led_is_dark(tmp_path: Path, wires: MockFactory) -> None:
    """As ExecStopPost has it."""
    path = tmp_path / "edge.toml"
    path.write_text('[led]\npin = 24\nfactory = "simulated"\n')
    assert main(["check", "--config", str(path), "--only", "pins"]) == 0
    assert not wires.pin("GPIO24").state
