"""A pin factory for gpiozero over the kernel's lines: entry point `gpiod` of gpiozero_pin_factories.

Pins are found by the label of their chip, so it serves Raspberry Pi and Coral, and by `CHIP0:5` on every Linux board.
A pin that becomes an output has its level in the same request. Nothing is asked of a line before that, and a closed
one is given back as it stands: an output keeps its level wherever the board's driver lets it.
"""

from __future__ import annotations

import os
import select
import threading
import time
from pathlib import Path
from typing import Any

from gpiozero import PinInvalidBounce, PinInvalidFunction, PinInvalidPin, PinInvalidPull, PinSetInput, PinUnknownPi
from gpiozero.pins import BoardInfo, HeaderInfo, PinInfo
from gpiozero.pins.local import get_pi_revision
from gpiozero.pins.pi import PiBoardInfo, PiFactory, PiPin

from edge.sinks.pins.boards import RASPBERRY_REVISIONS, Place, other_places, raspberry_chip
from edge.sinks.pins.lines import PULLS, Line, Wanted, chips_of_the_board

COMPATIBLE = Path("/proc/device-tree/compatible")
STOP_SECONDS = 1.0


class GpiodFactory(PiFactory):  # type: ignore[misc]
    """The board's pins. Raises OSError where no chip may be opened."""

    def __init__(self) -> None:
        super().__init__()
        self.pin_class = GpiodPin
        chips = chips_of_the_board()
        self._raspberry = raspberry_chip(chips)
        self._places: dict[str, Place] = {}
        if self._raspberry is None:
            compatible = COMPATIBLE.read_text(encoding="ascii", errors="replace") if COMPATIBLE.exists() else ""
            model, places = other_places(chips, compatible)
            self._places = dict(places)
            self._info = _other_board(model, self._places)

    def _get_revision(self) -> int:
        assert self._raspberry is not None
        try:
            revision = int(get_pi_revision())
            PiBoardInfo.from_revision(revision)
        except (PinUnknownPi, OSError, ValueError):  # a kernel that the firmware did not start
            return RASPBERRY_REVISIONS[self._raspberry.label]
        return revision

    def place(self, info: Any) -> Place:
        """The line behind gpiozero's PinInfo. Raises PinInvalidPin where its chip has no such line."""
        if self._raspberry is None:
            return self._places[next(iter(info.names))]
        offset = int(info.name.removeprefix("GPIO"))
        if offset >= self._raspberry.lines:
            raise PinInvalidPin(f"{info.name} is no line of {self._raspberry.label}")
        return Place(self._raspberry.path, offset)

    @staticmethod
    def ticks() -> float:
        """Seconds of the clock that dates edges."""
        return time.monotonic()

    @staticmethod
    def ticks_diff(later: float, earlier: float) -> float:
        """Seconds between two ticks."""
        return later - earlier


class GpiodPin(PiPin):  # type: ignore[misc]
    """One pin. Its line is taken when the pin becomes an output or input."""

    def __init__(self, factory: GpiodFactory, info: Any) -> None:
        super().__init__(factory, info)
        place = factory.place(info)
        self._line = Line(place.path, place.offset)
        self._wanted = Wanted()
        self._edges = "both"
        self._watch: _Watch | None = None

    def close(self) -> None:
        """Give the line back."""
        self.when_changed = None
        self._line.release()
        self._wanted = Wanted()

    def output_with_state(self, state: bool) -> None:
        """Make it an output at this level, in one step."""
        self._configure(Wanted(output=True, level=bool(state)))

    def input_with_pull(self, pull: str) -> None:
        """Make it an input with this pull, in one step."""
        self._configure(Wanted(output=False, pull=self._checked(pull), debounce_seconds=self._wanted.debounce_seconds))

    def _configure(self, wanted: Wanted) -> None:
        self._line.configure(wanted)
        self._wanted = wanted

    def _checked(self, pull: str) -> str:
        if not pull or pull not in PULLS:
            raise PinInvalidPull(f"invalid pull {pull!r} for pin {self!r}")
        return pull

    def _get_function(self) -> str:
        return "output" if self._wanted.output else "input"

    def _set_function(self, value: str) -> None:
        if value == "output":
            self.output_with_state(self._line.read())
        elif value == "input":
            self._configure(Wanted(output=False, pull=self._wanted.pull, debounce_seconds=self._wanted.debounce_seconds))
        else:
            raise PinInvalidFunction(f"invalid function {value!r} for pin {self!r}")

    def _get_state(self) -> bool:
        return self._line.read()

    def _set_state(self, value: float) -> None:
        if not self._wanted.output:
            raise PinSetInput(f"cannot set state of pin {self!r}")
        self._line.write(bool(value))

    def _get_pull(self) -> str:
        return self._wanted.pull

    def _set_pull(self, value: str) -> None:
        self.input_with_pull(value)
        self._rewatch()

    def _get_bounce(self) -> float | None:
        return self._wanted.debounce_seconds or None

    def _set_bounce(self, value: float | None) -> None:
        if value is not None and value < 0:
            raise PinInvalidBounce("bounce must be 0 or greater")
        self._configure(Wanted(output=False, pull=self._wanted.pull, debounce_seconds=value or 0.0))
        self._rewatch()

    def _get_edges(self) -> str:
        return self._edges

    def _set_edges(self, value: str) -> None:
        self._edges = value
        self._rewatch()

    def _rewatch(self) -> None:
        if self._watch is not None:
            self._watch_edges(self._edges)

    def _watch_edges(self, edges: str) -> None:
        self._configure(Wanted(output=False, pull=self._wanted.pull, debounce_seconds=self._wanted.debounce_seconds,
                               edges=edges))

    def _enable_event_detect(self) -> None:
        self._watch_edges(self._edges)
        self._watch = _Watch(self)

    def _disable_event_detect(self) -> None:
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.stop()
            self._watch_edges("none")

    def came(self) -> None:
        """Tell gpiozero of the edges that have come."""
        for ticks, rose in self._line.edges():
            self._call_when_changed(ticks, rose)


class _Watch:
    """Waits for a pin's edges in a thread of its own."""

    def __init__(self, pin: GpiodPin) -> None:
        self._pin, self._line = pin, pin._line.fileno()
        self._stopped, self._stop = os.pipe()
        self._over = False
        self._thread = threading.Thread(target=self._run, name=f"edges of {pin!r}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread; also from a callback of its own. A callback that takes long is not waited for."""
        self._over = True
        os.close(self._stop)
        if threading.current_thread() is not self._thread:
            self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        try:
            while not self._over and self._stopped not in select.select([self._line, self._stopped], [], [])[0]:
                self._pin.came()
        finally:
            os.close(self._stopped)


def _other_board(model: str, places: dict[str, Place]) -> Any:
    """gpiozero's description of a board that it does not know: one header, one row for each name."""
    pins = {number: PinInfo(number=number, name=f"LINE{place.offset}", names=frozenset({name}), pull="", row=number, col=1,
                            interfaces=frozenset({"gpio"}))
            for number, (name, place) in enumerate(places.items(), 1)}
    header = HeaderInfo(name="LINES", rows=len(pins), columns=1, pins=pins)
    return BoardInfo(revision="", model=model, pcb_revision="", released="", soc="", manufacturer="", memory=0, storage="",
                     usb=0, usb3=0, ethernet=0, eth_speed=0, wifi=False, bluetooth=False, csi=0, dsi=0,
                     headers={"LINES": header}, board="")
