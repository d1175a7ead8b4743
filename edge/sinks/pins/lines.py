"""Lines of GPIO chips, by the kernel's own interface (/dev/gpiochip*). The one file that imports gpiod.

A line is asked for when it is first configured, in one request that holds all of it: direction, level, pull,
edges, debounce. So an output has its level from the moment that it is one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import gpiod
from gpiod.line import Bias, Direction, Edge, Value

CONSUMER = "edge-audio"
PULLS = {"": Bias.AS_IS, "floating": Bias.DISABLED, "up": Bias.PULL_UP, "down": Bias.PULL_DOWN}
EDGES = {"none": Edge.NONE, "both": Edge.BOTH, "rising": Edge.RISING, "falling": Edge.FALLING}


@dataclass(frozen=True, slots=True)
class ChipFound:
    """One chip of the board. path: /dev/gpiochip0; label: the driver's word for it; lines: how many it has."""

    path: str
    label: str
    lines: int

    @property
    def name(self) -> str:
        """gpiochip0."""
        return Path(self.path).name


def chips_of_the_board() -> list[ChipFound]:
    """Every chip that may be opened, by its number. Raises OSError where there is none, with each one's reason."""
    found, reasons = [], []
    paths = sorted(Path("/dev").glob("gpiochip*"), key=lambda path: (len(path.name), path.name))
    for path in paths:
        try:
            with gpiod.Chip(str(path)) as chip:
                info = chip.get_info()
                found.append(ChipFound(str(path), info.label, info.num_lines))
        except OSError as error:
            reasons.append(f"{path} {error.strerror or error}")
    if not found:
        raise OSError(", ".join(reasons) or "no /dev/gpiochip*")
    return found


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a line is to be. output: None leaves the direction as it is. level: of an output, True is high. pull: "" leaves
    it as it is, else floating, up or down. edges: none, both, rising or falling. debounce_seconds: of an input."""

    output: bool | None = None
    level: bool = False
    pull: str = ""
    edges: str = "none"
    debounce_seconds: float = 0.0

    def settings(self) -> gpiod.LineSettings:
        """As gpiod says it."""
        value = Value.ACTIVE if self.level else Value.INACTIVE
        if self.output:
            return gpiod.LineSettings(direction=Direction.OUTPUT, output_value=value)
        return gpiod.LineSettings(
            direction=Direction.AS_IS if self.output is None else Direction.INPUT, bias=PULLS[self.pull],
            edge_detection=EDGES[self.edges], debounce_period=timedelta(seconds=self.debounce_seconds))


class Line:
    """One line, held from its first `configure` to `release`. Every method raises OSError as the kernel does."""

    def __init__(self, path: str, offset: int) -> None:
        """path: of the chip; offset: of the line in it. Touches nothing."""
        self._path, self._offset = path, offset
        self._request: gpiod.LineRequest | None = None

    @property
    def held(self) -> bool:
        """Whether the line is ours."""
        return self._request is not None

    def configure(self, wanted: Wanted) -> None:
        """Take the line, or change how it is, in one step."""
        if self._request is not None:
            self._request.reconfigure_lines({self._offset: wanted.settings()})
            return
        with gpiod.Chip(self._path) as chip:
            self._request = chip.request_lines({self._offset: wanted.settings()}, consumer=CONSUMER)

    def read(self) -> bool:
        """Whether the level is high; takes the line as it is where it is not ours yet."""
        return self._ours().get_value(self._offset) is Value.ACTIVE

    def write(self, level: bool) -> None:
        """Drive an output high (True) or low."""
        self._ours().set_value(self._offset, Value.ACTIVE if level else Value.INACTIVE)

    def fileno(self) -> int:
        """Can be read (select) when an edge has come."""
        return int(self._ours().fd)

    def edges(self) -> Iterator[tuple[float, bool]]:
        """The edges that have come: (monotonic seconds, whether it rose). Waits for one."""
        for event in self._ours().read_edge_events():
            yield event.timestamp_ns / 1e9, event.event_type is event.Type.RISING_EDGE

    def release(self) -> None:
        """Give the line back as it is: what becomes of its level is the kernel's and the board's matter. Safe twice."""
        request, self._request = self._request, None
        if request is not None:
            request.release()

    def _ours(self) -> gpiod.LineRequest:
        if self._request is None:
            self.configure(Wanted())
        assert self._request is not None
        return self._request
