"""Chips of gpio-sim: real GPIO chips of the kernel, without hardware. Their lines can be pulled and looked at."""

from __future__ import annotations

import itertools
import subprocess
import time
from pathlib import Path

CONFIG = Path("/sys/kernel/config/gpio-sim")
TRACE = Path("/sys/kernel/tracing")
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


class Trace:
    """What the kernel does to lines."""

    def __init__(self) -> None:
        if not (TRACE / "trace").exists():
            subprocess.run(["mount", "-t", "tracefs", "tracefs", TRACE], check=True)
        (TRACE / "events/gpio/enable").write_text("1")
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        (TRACE / "trace").write_text("")

    def read(self) -> list[str]:
        """Since: "gpio_direction: 539 out (0)", "gpio_value: 539 set 0", in order; the numbers are the kernel's own."""
        return [line.split(": ", 1)[1] for line in (TRACE / "trace").read_text().splitlines() if not line.startswith("#")]

    def levels(self) -> list[bool]:
        """Since: what was written to the line with the highest number of those that were written."""
        written = [line.split()[1:] for line in self.read() if line.startswith("gpio_value:") and " set " in line]
        highest = max((int(number) for number, *_ in written), default=0)
        return [value == "1" for number, _, value in written if int(number) == highest]

    def end(self) -> None:
        (TRACE / "events/gpio/enable").write_text("0")
