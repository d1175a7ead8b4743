"""`edge-audio run` as a process with pins of a real kernel: killed, hung, pressed and looked at. In the machine of
`make test-pins`.

The sound is faint noise, and loud noise while a file is there: an event of a loudness target, which a pin holds. The sound
comes four times slower than it would sound, for an emulated machine that loses samples shows trouble, rightly.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.control import test_control_service
from tests.control.test_control_service import Service
from tests.external_delegate import Claims, delegate_library
from tests.sinks.gpio_sim import Chip, Trace

pytestmark = [pytest.mark.slow, pytest.mark.skipif("EDGE_AUDIO_GPIO_SIM" not in os.environ, reason="needs make test-pins")]

ROOT = Path(__file__).resolve().parents[2]
PIN, LED, BUTTON = 27, 24, 23
Make = Callable[..., Chip]
PATIENCE_SECONDS = 300.0
"""The machine is emulated: a program takes half a minute to start."""

NOISE = """
import os, random, sys, time
faint = bytes(random.choice((0, 1, 2, 3)) if place % 2 == 0 else 0 for place in range(3200))
loud = os.urandom(3200)
while True:
    os.write(1, loud if os.path.exists(sys.argv[1]) else faint)
    time.sleep(0.4)
"""


class Board:
    """A chip, and the program that has its lines."""

    def __init__(self, chip: Chip, folder: Path, settings: str) -> None:
        self.chip, self.folder, self.loud = chip, folder, folder / "loud"
        command = [sys.executable, "-c", NOISE, str(self.loud)]
        self.service = Service(folder, (
            f'[source]\nkind = "command"\ncommand = {json.dumps(command)}\n[log]\nevents = ""\nlevel = "debug"\n'
            f'[[target]]\nname = "loud"\nlouder_db = 20.0\n[gate]\nhang_over_seconds = 1.0\n{settings}'))
        self.process = self.service.process
        until(lambda: self.process.poll() is not None or any(": heard" in line for line in self.service.lines))
        assert self.process.poll() is None, self.service.lines

    def sounds_until(self, true: Callable[[], bool]) -> None:
        """Quiet, so that the room's noise is known, then loud; again and again. Loud in the end."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not true():
            assert time.monotonic() < deadline, self.service.lines
            self.loud.unlink(missing_ok=True)
            time.sleep(6.0)
            self.loud.touch()
            for _ in range(250):
                if not true():
                    time.sleep(0.02)

    def stop_post(self) -> int:
        """What the unit runs after the end, however it ended."""
        unit = (ROOT / "deploy" / "edge-audio.service").read_text()
        (line,) = [line for line in unit.splitlines() if line.startswith("ExecStopPost=-/usr/bin/edge-audio ")]
        words = [str(self.service.path) if word.endswith(".toml") else word for word in line.split()[1:]]
        return subprocess.run([sys.executable, "-m", "edge", *words], cwd=ROOT, timeout=PATIENCE_SECONDS, check=False,
                              env={**os.environ, "EDGE_AUDIO_STATE": str(self.folder)}).returncode

    def lit(self, samples: int = 600) -> list[bool]:
        """The LED, looked at a hundred times a second."""
        seen = []
        for _ in range(samples):
            seen.append(self.chip.level(LED))
            time.sleep(0.01)
        return seen


@pytest.fixture
def board(make_chip: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Board]]:
    """board(settings, safe=False) -> a Board with the resistor of a relay board at pin 27; killed at the end."""
    monkeypatch.setattr(test_control_service, "PATIENCE_SECONDS", PATIENCE_SECONDS)
    boards: list[Board] = []

    def make(settings: str, *, safe: bool = False) -> Board:
        chip = make_chip()
        chip.pull(PIN, safe)
        boards.append(Board(chip, tmp_path, settings))
        return boards[-1]

    yield make
    for each in boards:
        each.process.kill()
        each.service.stop()
        print("".join(line for line in each.service.lines if "panel: pin" not in line))  # shown where the test has failed


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def pin(*, active_high: bool) -> str:
    return (f'[[pin]]\npin = {PIN}\ntarget = "loud"\naction = "hold"\nfactory = "gpiod"\n'
            f'active_high = {str(active_high).lower()}\n')


PANEL = (f'[led]\npin = {LED}\nfactory = "gpiod"\n'
         f'[[button]]\npin = {BUTTON}\nfactory = "gpiod"\ndebounce_seconds = 1.0\n')


def test_a_press_mutes_and_a_program_told_to_end_leaves_pin_and_led_safe(board: Callable[..., Board], trace: Trace) -> None:
    """A relay that switches on a low level, a mute button, and the LED."""
    running = board(pin(active_high=False) + PANEL, safe=True)
    chip, commanded = running.chip, running.folder / "commanded.json"

    def press() -> None:
        for _ in range(5):  # bounces: far quicker than the debounce time
            chip.pull(BUTTON, False)
            chip.pull(BUTTON, True)
        chip.pull(BUTTON, False)
        time.sleep(2.0)
        chip.pull(BUTTON, True)
        time.sleep(2.0)

    def muted() -> bool:
        return commanded.exists() and bool(json.loads(commanded.read_text())["muted"])

    assert chip.level(PIN) and set(trace.levels()) == {True}
    assert chip.level(BUTTON), "the kernel pulls the line up"
    until(lambda: all(running.lit(50)))
    press()
    until(muted)
    running.service.says(f"button {BUTTON}: mute: done")
    until(lambda: not any(running.lit(100)))
    assert 0 < sum(running.lit(600)) < 200, "dark, with a brief blink"
    press()
    until(lambda: not muted())
    until(lambda: all(running.lit(100)))
    assert len([line for line in running.service.lines if "mute: done" in line]) == 2, "one for each press"
    running.sounds_until(lambda: not chip.level(PIN))
    assert running.service.stop() == 0
    assert chip.level(PIN) and trace.levels()[-1] is True
    assert not chip.level(LED)
    trace.forget()
    assert running.stop_post() == 0
    assert chip.level(PIN) and set(trace.levels()) == {True} and not chip.level(LED)


def test_after_a_kill_the_resistor_holds_the_pin_and_the_unit_drives_it(board: Callable[..., Board], trace: Trace) -> None:
    running = board(pin(active_high=True))
    assert not running.chip.level(PIN)
    running.sounds_until(lambda: running.chip.level(PIN))
    running.process.kill()
    running.process.wait(PATIENCE_SECONDS)
    assert trace.levels()[-1] is True, "a killed program writes nothing any more"
    assert not running.chip.level(PIN), "the kernel has taken the line back"
    running.chip.pull(PIN, True)  # a board whose wiring pulls the relay on: only who drives the line holds it off
    assert running.chip.level(PIN)
    trace.forget()
    assert running.stop_post() == 0
    assert trace.levels() and set(trace.levels()) == {False}


def test_a_listener_that_hangs_lets_go_of_its_pin_and_the_led_says_so(
        board: Callable[..., Board], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A delegate that does not come back from an inference."""
    monkeypatch.setenv("EDGE_AUDIO_STUCK", str(stuck := tmp_path / "stuck"))
    library = delegate_library(tmp_path, Claims.STUCK)
    running = board(f'[model]\ndelegate = "{library}"\n{pin(active_high=True)}{PANEL}')
    running.sounds_until(lambda: running.chip.level(PIN))
    stuck.touch()
    until(lambda: not running.chip.level(PIN))
    running.service.says("gpio: the listener makes no progress; the pins are in their safe state")
    until(lambda: len({*running.lit(50)}) == 2)
    seen = running.lit(400)
    assert sum(before != after for before, after in pairwise(seen)) >= 8, "fast blinks"
    running.loud.unlink()
    stuck.unlink()
    running.service.says("gpio: the listener comes round again")
    until(lambda: all(running.lit(100)))
    assert running.service.stop() == 0
