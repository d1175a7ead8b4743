"""Pins on a real kernel's GPIO chips, which gpio-sim makes without hardware: `make test-pins` starts such a machine."""

from __future__ import annotations

import itertools
import os
import queue
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edge.errors import SinkError
from edge.settings.pins import PinSettings
from edge.sinks.pins.sink import GpioSink
from edge.stream import Event

pytestmark = [pytest.mark.slow, pytest.mark.skipif("EDGE_AUDIO_GPIO_SIM" not in os.environ, reason="needs make test-pins")]

CONFIG = Path("/sys/kernel/config/gpio-sim")
TRACE = Path("/sys/kernel/tracing")
Make = Callable[..., "Chip"]
numbers = itertools.count()


class Chip:
    """A chip of gpio-sim."""

    def __init__(self, label: str, lines: int) -> None:
        self.home = CONFIG / f"edge{next(numbers)}"
        bank = self.home / "bank0"
        bank.mkdir(parents=True)
        (bank / "label").write_text(label)
        (bank / "num_lines").write_text(str(lines))
        (self.home / "live").write_text("1")
        self.name = (bank / "chip_name").read_text().strip()
        self._lines = Path("/sys/devices/platform") / (self.home / "dev_name").read_text().strip() / self.name
        while not Path("/dev", self.name).exists():
            time.sleep(0.01)

    def level(self, line: int) -> bool:
        return (self._lines / f"sim_gpio{line}" / "value").read_text().strip() == "1"

    def pull(self, line: int, up: bool) -> None:
        """What stands outside pulls the line up or down."""
        (self._lines / f"sim_gpio{line}" / "pull").write_text("pull-up" if up else "pull-down")

    def end(self) -> None:
        (self.home / "live").write_text("0")
        (self.home / "bank0").rmdir()
        self.home.rmdir()


@pytest.fixture
def make_chip() -> Iterator[Make]:
    chips: list[Chip] = []

    def make(label: str = "pinctrl-bcm2711", lines: int = 58) -> Chip:
        chips.append(Chip(label, lines))
        return chips[-1]

    yield make
    for chip in reversed(chips):
        chip.end()


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


@pytest.fixture
def trace() -> Iterator[Callable[[], list[str]]]:
    """What the kernel did to lines since: "out 1", "set 0", in order."""
    if not (TRACE / "trace").exists():
        subprocess.run(["mount", "-t", "tracefs", "tracefs", TRACE], check=True)
    (TRACE / "events/gpio/enable").write_text("1")
    (TRACE / "trace").write_text("")

    def read() -> list[str]:
        lines = [line.split(": ", 1)[1] for line in (TRACE / "trace").read_text().splitlines() if not line.startswith("#")]
        return [line.split(maxsplit=2)[2] if line.startswith("gpio_") else line for line in lines]

    yield read
    (TRACE / "events/gpio/enable").write_text("0")


@pytest.mark.parametrize("label", ["pinctrl-bcm2835", "pinctrl-bcm2711", "pinctrl-rp1"])
@pytest.mark.parametrize(("active_high", "safe_on"), [(True, False), (True, True), (False, False), (False, True)])
def test_a_relay_sees_no_level_but_the_safe_one_until_an_event(
        make_chip: Make, start: Start, trace: Callable[[], list[str]], make_event: Callable[..., Event], label: str,
        active_high: bool, safe_on: bool) -> None:
    chip, safe = make_chip(label), active_high == safe_on
    chip.pull(27, safe)  # as a relay board's resistor does
    sink, changes = start("27", active_high=active_high, safe_on=safe_on)
    assert chip.level(27) == safe
    written = [line for line in trace() if " set " in line or "set " in line[:8]]
    assert written and all(line.split()[-1] == str(int(safe)) for line in written), trace()
    sink.event(make_event())
    assert changes.get(timeout=60) is not safe_on and chip.level(27) != safe
    sink.stop()
    assert changes.get(timeout=60) is safe_on and chip.level(27) == safe
    assert [line.split()[-1] for line in trace() if "set " in line][-1] == str(int(safe))


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
