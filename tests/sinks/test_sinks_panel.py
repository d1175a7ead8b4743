"""Status LED and buttons through gpiozero's simulation: what is shown, what a press asks for, what is refused."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from edge.control.commands import Command, Feedback, Mute, Outcome
from edge.errors import CommandError, SettingsError, SinkError
from edge.settings.panel import ButtonSettings, LedSettings
from edge.settings.pins import PinSettings
from edge.sinks.pins import panel as panel_module
from edge.sinks.pins.claims import refuse_claimed
from edge.sinks.pins.panel import PanelSink
from edge.sinks.pins.wiring import Wiring
from edge.stream import Event
from tests.sinks.test_sinks_gpio_claims import RESPEAKER, VOICE_HAT, board

Until = Callable[[Callable[[], bool]], None]
LED = LedSettings(pin="24", factory="simulated")


def button(**settings: Any) -> ButtonSettings:
    return ButtonSettings(**({"pin": "23", "factory": "simulated"} | settings))


class Asked:
    """Who takes commands: keeps them with the way to answer."""

    def __init__(self) -> None:
        self.commands: list[Command] = []
        self.answers: list[Callable[[Outcome], None]] = []
        self.room = True

    def __call__(self, command: Command, answer: Callable[[Outcome], None]) -> bool:
        self.commands.append(command)
        self.answers.append(answer)
        return self.room


Make = Callable[..., tuple[PanelSink, Asked]]


@pytest.fixture
def make() -> Iterator[Make]:
    """make(*buttons, led=LedSettings(), muted=[]) -> a started panel, and who takes its commands."""
    started: list[PanelSink] = []

    def make(*buttons: ButtonSettings, led: LedSettings | None = None, muted: Sequence[object] = ()) -> Any:
        asked = Asked()
        panel = Wiring((), buttons, led, hears=lambda: (bool(muted), ""), act=asked).panel
        assert panel is not None
        started.append(panel)
        panel.start()
        return panel, asked

    yield make
    for panel in started:
        panel.stop()


@pytest.mark.parametrize(("pull", "action", "command"), [
    ("up", "mute", Mute(on=None)), ("down", "mute", Mute(on=None)), ("up", "wrong", Feedback(None, "wrong"))])
def test_a_press_asks_once_and_a_release_never(make: Make, pull: str, action: str, command: Command) -> None:
    panel, asked = make(button(pull=pull, action=action))
    wire = panel.pin("23")
    assert wire.function == "input" and wire.pull == pull and wire.bounce == 0.05
    press, release = (wire.drive_low, wire.drive_high) if pull == "up" else (wire.drive_high, wire.drive_low)
    for presses in (1, 2):
        press()
        assert asked.commands == [command] * presses
        release()
    assert asked.commands == [command] * 2


def test_a_button_that_is_down_at_the_start_asks_for_nothing(make: Make) -> None:
    panel, asked = make(button(), button(pin="25", action="wrong"))
    panel.pin("25").drive_low()
    assert [type(each) for each in asked.commands] == [Feedback]
    panel.stop()
    panel.start()
    assert len(asked.commands) == 1


def test_what_came_of_a_press_is_logged(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    panel, asked = make(button())
    panel.pin("23").drive_low()
    panel.pin("23").drive_high()
    asked.room = False
    with caplog.at_level("INFO"):
        asked.answers[0]({"muted": True})
        asked.answers[0](CommandError("listener", found="no answer", wanted="one that hears"))
        panel.pin("23").drive_low()
    assert caplog.messages == ["button 23: mute: done: {'muted': True}",
                               "button 23: mute: refused: listener: found no answer; wanted one that hears",
                               "button 23: too many commands at work: this press does nothing"]


def test_the_led_shows_the_board_and_is_dark_at_the_end(make: Make, until: Until) -> None:
    muted = [True]
    panel, _ = make(led=LED, muted=muted)
    wire = panel.pin("24")
    until(lambda: [state.state for state in wire.states] == [False, True, False])  # a brief blink: muted
    muted.clear()
    until(lambda: bool(wire.state))
    assert panel.state == "ok"
    panel.stop()
    assert not wire.state and wire.function == "input" and [state.state for state in wire.states][-1] is False


def test_an_led_from_the_supply_is_dark_at_a_high_level(make: Make, until: Until) -> None:
    panel, _ = make(led=LedSettings(pin="24", factory="simulated", active_high=False))
    wire = panel.pin("24")
    until(lambda: not wire.state)
    panel.stop()
    assert [state.state for state in wire.states][-1] is True


def test_an_event_and_a_judgement_show(make: Make, until: Until, make_event: Callable[..., Event]) -> None:
    panel, asked = make(button(action="wrong"), led=LED)
    wire = panel.pin("24")
    until(lambda: bool(wire.state))
    wire.clear_states()
    panel.event(make_event())
    until(lambda: [state.state for state in wire.states] == [True, False, True, False, True])
    until(lambda: not panel._light._moment)
    wire.clear_states()
    panel.event(make_event("end"))
    panel.pin("23").drive_low()
    asked.answers[0]({"target": "clap"})
    until(lambda: [state.state for state in wire.states] == [True, False, True, False, True])
    assert min(state.timestamp for state in wire.states[2:]) > 0.3, "slower than an event's"


def test_an_event_returns_while_the_led_hangs(make_event: Callable[..., Event], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panel_module, "STOP_SECONDS", 0.05)
    hold, held = threading.Event(), threading.Event()

    def hang() -> str:
        held.set()
        hold.wait(30)
        return "hearing"

    panel = PanelSink((), LED, state_of_board=hang, act=Asked())
    panel.start()
    try:
        assert held.wait(30)
        for _ in range(1000):
            panel.event(make_event())
        assert panel._worker.waiting <= panel_module.QUEUE_MOMENTS
        panel.stop()
    finally:
        hold.set()
    thread = panel._worker.thread
    assert thread is not None
    thread.join(30)


def test_an_led_that_cannot_be_written_is_told_and_tried_again(make: Make, until: Until) -> None:
    panel, _ = make(led=LED)
    wire = panel.pin("24")
    until(lambda: bool(wire.state))
    wire.function = "input"  # as another program may do
    panel._worker.put("event")
    until(lambda: panel.state.startswith("pin 24 cannot be written"))
    wire.function = "output"
    until(lambda: panel.state == "ok")


def test_pins_of_all_tables_share_one_library_until_the_last_is_given_back(make_event: Callable[..., Event]) -> None:
    """RPi.GPIO gives back every pin of the program when it is closed: a relay would be let go by the LED's end."""
    wiring = Wiring([PinSettings(pin="27", target="clap", action="toggle", factory="simulated")], (button(),), LED)
    assert [sink.name for sink in wiring.sinks] == ["gpio", "panel"]
    for sink in wiring.sinks:
        sink.start()
    assert wiring.gpio is not None and wiring.panel is not None
    relay = wiring.gpio.pin("27")
    assert relay.factory is wiring.panel.pin("24").factory is wiring.panel.pin("23").factory
    wiring.panel.stop()
    assert relay.function == "output" and relay.factory.pins
    wiring.gpio.stop()
    assert relay.function == "input" and not relay.factory.pins


@pytest.mark.parametrize(("pins", "buttons", "led", "words"), [
    (("17",), ("GPIO17",), "", r"\[\[button\]\] pin: found GPIO17, which \[\[pin\]\] 17 uses; wanted a pin of its own"),
    (("17",), (), "BOARD11", r"\[led\] pin: found BOARD11, which \[\[pin\]\] 17 uses"),
    ((), ("23", "J8:16"), "", r"\[\[button\]\] pin: found J8:16, which \[\[button\]\] 23 uses"),
    ((), ("23",), "BCM23", r"\[led\] pin: found BCM23, which \[\[button\]\] 23 uses"),
    ((), ("blue",), "", r"\[\[button\]\] pin: found 'blue'; wanted 17, GPIO17"),
    ((), (), "24 ", r"\[led\] pin: found '24 '")])
def test_a_pin_used_twice_or_misspelled_is_refused_before_any_is_taken(pins: tuple[str, ...], buttons: tuple[str, ...],
                                                                       led: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        Wiring([PinSettings(pin=pin, target="clap") for pin in pins], [ButtonSettings(pin=pin) for pin in buttons],
               LedSettings(pin=led))


def test_pins_of_the_sound_hardware_are_refused_but_its_button_is_one(monkeypatch: pytest.MonkeyPatch,
                                                                      tmp_path: Path) -> None:
    proc = board(tmp_path, RESPEAKER + VOICE_HAT)
    monkeypatch.setattr(panel_module, "refuse_claimed", lambda wish, **named: refuse_claimed(wish, proc, **named))
    for buttons, led, words in (((ButtonSettings(pin="18"),), LedSettings(), "pin 18: found .*I2S"),
                                ((), LedSettings(pin="16"), "pin 16: found .*googlevoicehat"),
                                ((), LedSettings(pin="17"), "pin 17: found .*button of the ReSpeaker")):
        panel = Wiring((), buttons, led).panel
        assert panel is not None
        with pytest.raises(SinkError, match=words):
            panel.start()
    refuse_claimed(ButtonSettings(pin="17"), proc, pressed=True)


def test_a_pin_that_the_board_has_not_gives_the_others_back() -> None:
    wiring = Wiring((), (button(pin="99"),), LED)
    assert wiring.panel is not None
    for _ in range(2):
        with pytest.raises(SinkError, match="pin 99: found no GPIO pin of this board"):
            wiring.panel.start()
    again = Wiring((), (), LED).panel
    assert again is not None
    again.start()
    again.stop()
