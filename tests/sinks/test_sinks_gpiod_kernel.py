"""Pins on a real kernel's GPIO chips, which gpio-sim makes without hardware: `make test-pins` starts such a machine."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge.errors import SinkError
from edge.settings.pins import PinSettings
from edge.sinks.pins.sink import GpioSink
from edge.stream import Event
from tests.sinks.gpio_sim import Chip, Trace

pytestmark = [pytest.mark.slow, pytest.mark.skipif("EDGE_AUDIO_GPIO_SIM" not in os.environ, reason="needs make test-pins")]

Make = Callable[..., Chip]


@pytest.fixture
def start() -> Iterator[Callable[..., tuple[GpioSink, queue.Queue[bool]]]]:
    sinks: list[GpioSink] = []

    def make(name: str, **settings: object) -> tuple[GpioSink, queue.Queue[bool]]:
        changes: queue.Queue[bool] = queue.Queue()
        pin = PinSettings(**({"pin": name, "target": "clap", "action": "toggle", "factory": "gpiod"} | settings))  # type: ignore[arg-type]
        sinks.append(GpioSink([pin], lambda _, on: changes.put(on)))
        sinks[-1].start()
        return sinks[-1], changes

    yield make
    for sink in sinks:
        sink.stop()


Start = Callable[..., tuple[GpioSink, "queue.Queue[bool]"]]


@pytest.mark.parametrize("label", ["pinctrl-bcm2835", "pinctrl-bcm2711", "pinctrl-rp1"])
@pytest.mark.parametrize(("active_high", "safe_on"), [(True, False), (True, True), (False, False), (False, True)])
def test_a_relay_sees_no_level_but_the_safe_one_until_an_event(
        make_chip: Make, start: Start, trace: Trace, make_event: Callable[..., Event], label: str,
        active_high: bool, safe_on: bool) -> None:
    chip, safe = make_chip(label), active_high == safe_on
    chip.pull(27, safe)  # as a relay board's resistor does
    sink, changes = start("27", active_high=active_high, safe_on=safe_on)
    assert chip.level(27) == safe
    assert trace.levels() and set(trace.levels()) == {safe}, trace.read()
    sink.event(make_event())
    assert changes.get(timeout=60) is not safe_on and chip.level(27) != safe
    sink.stop()
    assert changes.get(timeout=60) is safe_on and chip.level(27) == safe
    assert trace.levels()[-1] == safe


@pytest.mark.parametrize("name", ["27", "GPIO27", "BOARD13", "J8:13"])
def test_the_header_s_names_are_the_chip_s_lines(make_chip: Make, start: Start, name: str) -> None:
    make_chip("brcmvirt-gpio", 2)
    chip = make_chip()
    start(name, safe_on=True)
    assert [line for line in range(58) if chip.level(line)] == [27]


def test_coral_and_other_boards_have_names_too(make_chip: Make, start: Start, monkeypatch: pytest.MonkeyPatch,
                                               tmp_path: Path) -> None:
    from edge.sinks.pins import factory

    compatible = tmp_path / "compatible"
    compatible.write_bytes(b"google,imx8mq-phanbell\0fsl,imx8mq\0")
    monkeypatch.setattr(factory, "COMPATIBLE", compatible)
    first, second = make_chip("30200000.gpio", 32), make_chip("30220000.gpio", 32)
    start("BOARD13", safe_on=True)
    assert first.level(6) and not second.level(6)
    start("BOARD37", safe_on=True)
    assert second.level(13)
    start(f"CHIP{second.name.removeprefix('gpiochip')}:3", safe_on=True)
    assert second.level(3)


def test_auto_takes_the_kernel_s_lines_and_what_cannot_be_had_is_said(make_chip: Make, start: Start) -> None:
    chip = make_chip()
    start("27", factory="auto", safe_on=True)
    assert chip.level(27)
    with pytest.raises(SinkError, match=r"pin 27: found .*busy"):
        start("27")
    with pytest.raises(SinkError, match=r"pin 99: found no GPIO pin of this board"):
        start("99")


def test_after_a_kill_the_line_is_free_and_goes_with_its_resistor(make_chip: Make, start: Start) -> None:
    """The kernel takes the line back; the unit's ExecStopPost then makes pins safe by `check --only pins`."""
    chip = make_chip()
    code = ("import sys, time\nfrom edge.settings.pins import PinSettings\nfrom edge.sinks.pins.sink import GpioSink\n"
            "GpioSink([PinSettings(pin='27', target='a', safe_on=True, factory='gpiod')]).start()\nprint('on', flush=True)\n"
            "time.sleep(600)")
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None and child.stdout.readline() == "on\n"
        assert chip.level(27)
        child.send_signal(signal.SIGKILL)
        child.wait(60)
    assert not chip.level(27)
    start("27", safe_on=True)
    assert chip.level(27)


def test_a_button_s_edges_come_debounced_by_the_kernel(make_chip: Make) -> None:
    import gpiozero

    from edge.sinks.pins.factory import GpiodFactory

    chip = make_chip()
    chip.pull(22, True)
    told: queue.Queue[str] = queue.Queue()
    factory = GpiodFactory()
    button = gpiozero.Button("22", pull_up=True, bounce_time=0.2, pin_factory=factory)
    button.when_pressed, button.when_released = lambda: told.put("pressed"), lambda: told.put("released")
    for _ in range(10):  # bounces: far quicker than the debounce time
        chip.pull(22, False)
        chip.pull(22, True)
    chip.pull(22, False)
    assert told.get(timeout=60) == "pressed"
    chip.pull(22, True)
    assert told.get(timeout=60) == "released" and told.empty()
    assert not button.is_pressed and button.pin.pull == "up" and button.pin.bounce == 0.2
    button.close()
    factory.close()
