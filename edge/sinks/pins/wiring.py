"""Everything that is wired to the board: the pins that events drive, the status LED, and buttons."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edge.control.commands import Act
from edge.settings.panel import ButtonSettings, LedSettings, check_panel
from edge.settings.pins import PinSettings
from edge.sinks.pins.library import PinLibraries
from edge.sinks.pins.light import state_of
from edge.sinks.pins.panel import PanelSink
from edge.sinks.pins.progress import Progress
from edge.sinks.pins.sink import GpioSink


class Wiring:
    """The sinks of the three tables. Raises SettingsError for names that cannot be, and for a pin used twice."""

    def __init__(self, pins: Sequence[PinSettings], buttons: Sequence[ButtonSettings] = (),
                 led: LedSettings | None = None, *, on_change: Callable[[str, bool], None] | None = None,
                 hears: Callable[[], tuple[bool, str]] | None = None,
                 act: Act = lambda command, answer: False) -> None:
        """on_change: as of GpioSink. hears: whether the board is muted, and the source's trouble, for the LED, which
        asks twice a second; None leaves the LED dark. act: takes a press as a command; returns at once."""
        led = led or LedSettings()
        check_panel(pins, buttons, led)
        libraries, self.progress = PinLibraries(), Progress()
        self.gpio = GpioSink(pins, on_change, libraries=libraries, progress=self.progress) if pins else None
        self.panel = None
        if buttons or led.pin:
            def state() -> str:
                if hears is None:
                    return "dark"
                (muted, trouble), pins = hears(), self.gpio.state if self.gpio is not None else "ok"
                return state_of(muted=muted, trouble=trouble, lost=self.progress.lost, pins=pins)

            self.panel = PanelSink(buttons, led, state_of_board=state, act=act, libraries=libraries)

    @property
    def sinks(self) -> list[GpioSink | PanelSink]:
        """In the order in which they are to be started and stopped: what may switch a relay comes first."""
        return [sink for sink in (self.gpio, self.panel) if sink is not None]
