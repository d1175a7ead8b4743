"""Pins through gpiozero's own simulation, which keeps state and obeys the rules of real pins."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator

import gpiozero
import pytest

from edge.settings import PinSettings
from edge.sinks.pins.sink import GpioSink
from edge.stream import Event

MakeEvent = Callable[..., Event]
LONG = 3000.0


def pin(name: str = "17", **settings: object) -> PinSettings:
    return PinSettings(**({"pin": name, "target": "clap", "factory": "simulated"} | settings))  # type: ignore[arg-type]


class Watched:
    """A started sink whose pin changes can be awaited."""

    def __init__(self, *pins: PinSettings) -> None:
        self.changes: queue.Queue[tuple[str, bool]] = queue.Queue()
        self.sink = GpioSink(pins, lambda name, on: self.changes.put((name, on)))
        self.sink.start()

    def next_change(self) -> tuple[str, bool]:
        return self.changes.get(timeout=30)

    def level(self, name: str = "17") -> bool:
        """The level on the simulated wire."""
        return bool(self.sink.pin(name).state)


@pytest.fixture
def watch() -> Iterator[Callable[..., Watched]]:
    started: list[Watched] = []

    def make(*pins: PinSettings) -> Watched:
        started.append(Watched(*pins))
        return started[-1]

    yield make
    for watched in started:
        watched.sink.stop()


Watch = Callable[..., Watched]


def test_a_pulse_goes_on_and_off_by_itself(watch: Watch, make_event: MakeEvent) -> None:
    seen = watch(pin(action="pulse", seconds=0.05))
    assert not seen.level()
    seen.sink.event(make_event())
    assert seen.next_change() == ("17", True)
    assert seen.next_change() == ("17", False)


def test_a_blink_goes_on_and_off_count_times(watch: Watch, make_event: MakeEvent) -> None:
    seen = watch(pin(action="blink", seconds=0.01, count=3))
    seen.sink.event(make_event())
    assert [seen.next_change()[1] for _ in range(6)] == [True, False, True, False, True, False]


def test_a_toggle_stays_until_the_next_event(watch: Watch, make_event: MakeEvent) -> None:
    seen = watch(pin(action="toggle"))
    seen.sink.event(make_event())
    assert seen.next_change() == ("17", True)
    assert seen.level()
    seen.sink.event(make_event())
    assert seen.next_change() == ("17", False)
    assert not seen.level()


def test_a_hold_follows_the_sound(watch: Watch, make_event: MakeEvent) -> None:
    seen = watch(pin(action="hold"))
    seen.sink.event(make_event(id="a"))
    assert seen.next_change() == ("17", True)
    seen.sink.event(make_event("end", id="a", lasted=0.01))
    assert seen.next_change() == ("17", False)


def test_start_and_end_at_once_still_show_on_a_held_pin(watch: Watch, make_event: MakeEvent) -> None:
    seen = watch(pin(action="hold"))
    seen.sink.event(make_event(id="a"))
    seen.sink.event(make_event("end", id="a", lasted=0.0))
    assert [seen.next_change()[1] for _ in range(2)] == [True, False]


@pytest.mark.parametrize("action", ["pulse", "toggle", "hold", "blink"])
@pytest.mark.parametrize("active_high", [True, False])
@pytest.mark.parametrize("safe_on", [True, False])
def test_levels_are_right_at_start_during_and_at_exit(watch: Watch, make_event: MakeEvent, action: str,
                                                      active_high: bool, safe_on: bool) -> None:
    seen = watch(pin(action=action, seconds=LONG, active_high=active_high, safe_on=safe_on))
    wire = seen.sink.pin("17")
    safe = active_high == safe_on
    assert wire.function == "output"
    assert seen.level() == safe
    seen.sink.event(make_event())
    assert seen.next_change() == ("17", not safe_on)
    assert seen.level() != safe
    seen.sink.stop()
    assert seen.next_change() == ("17", safe_on)
    assert wire.states[-1].state == safe
    assert wire.function == "input"


def test_an_active_low_pin_never_pulses_low_at_start_in_simulation(watch: Watch) -> None:
    seen = watch(pin(active_high=False))
    assert [state.state for state in seen.sink.pin("17").states] == [False, True]  # as found, then off at once


def test_only_its_own_target_drives_a_pin(watch: Watch, make_event: MakeEvent) -> None:
    seen = watch(pin("17", action="toggle"), pin("18", target="snap", action="toggle"))
    seen.sink.event(make_event(target="alarm"))
    seen.sink.event(make_event(target="snap"))
    assert seen.next_change() == ("18", True)
    assert not seen.level("17")


def test_one_target_may_drive_several_pins(watch: Watch, make_event: MakeEvent) -> None:
    seen = watch(pin("17", action="toggle"), pin("BOARD12", action="toggle"))
    seen.sink.event(make_event())
    assert [seen.next_change(), seen.next_change()] == [("17", True), ("BOARD12", True)]


def test_several_targets_may_drive_one_pin(watch: Watch, make_event: MakeEvent) -> None:
    seen = watch(pin(target="", targets=("clap", "snap"), action="toggle"))
    for target, on in (("clap", True), ("alarm", None), ("snap", False)):
        seen.sink.event(make_event(target=target))
        if on is not None:
            assert seen.next_change() == ("17", on)


def test_a_held_pin_goes_back_by_itself_where_the_sound_never_ends(watch: Watch, make_event: MakeEvent) -> None:
    seen = watch(pin(action="hold", maximum_seconds=0.05))
    seen.sink.event(make_event(id="a"))
    assert [seen.next_change()[1] for _ in range(2)] == [True, False]


def test_no_toggle_is_lost_between_threads(watch: Watch, make_event: MakeEvent) -> None:
    """Four threads send 250 events each: a lost update would leave an odd number of changes."""
    seen = watch(pin(action="toggle"))
    events = [make_event() for _ in range(1000)]
    threads = [threading.Thread(target=lambda part=part: [seen.sink.event(event) for event in events[part::4]])
               for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [seen.next_change()[1] for _ in range(1000)] == [True, False] * 500


def test_event_returns_while_a_pin_hangs(make_event: MakeEvent) -> None:
    """The callback holds the sink's thread as a hanging pin library would: the listener goes on, stop is bounded."""
    hold, held = threading.Event(), threading.Event()

    def hang(name: str, on: bool) -> None:
        held.set()
        hold.wait(30)

    sink = GpioSink([pin(action="toggle")], hang)
    sink.start()
    try:
        sink.event(make_event())
        assert held.wait(30)
        for _ in range(100):
            sink.event(make_event())
    finally:
        hold.set()
        sink.stop()


def test_stop_is_safe_twice_and_without_start() -> None:
    sink = GpioSink([pin()])
    sink.stop()
    sink = GpioSink([pin()])
    sink.start()
    sink.stop()
    sink.stop()


def test_the_global_pin_factory_stays_untouched(watch: Watch, make_event: MakeEvent) -> None:
    watch(pin(action="toggle")).sink.event(make_event())
    assert gpiozero.Device.pin_factory is None


def test_a_pin_that_fails_later_is_told_and_tried_again(watch: Watch, make_event: MakeEvent) -> None:
    seen = watch(pin(action="toggle"), pin("18", action="toggle"))
    seen.sink.pin("17").function = "input"  # as another program may do: writing it now raises PinSetInput
    seen.sink.event(make_event())
    assert seen.next_change() == ("18", True)
    assert seen.sink.state.startswith("pin 17 cannot be written: cannot set state of pin")
    seen.sink.pin("17").function = "output"
    seen.sink.event(make_event(target="other"))  # any next step tries again
    assert seen.next_change() == ("17", True)
    assert seen.sink.state == "ok"


def test_a_pin_that_could_not_be_switched_off_is_tried_again_without_an_event(watch: Watch,
                                                                             make_event: MakeEvent) -> None:
    seen = watch(pin(action="pulse", seconds=0.05))
    wire, failures = seen.sink.pin("17"), [OSError("bus busy")]

    def write(value: bool, real: Callable[[bool], None] = wire._set_state) -> None:
        if not value and failures:
            raise failures.pop()
        real(value)

    wire._set_state = write
    seen.sink.event(make_event())
    assert seen.next_change() == ("17", True)
    assert seen.next_change() == ("17", False)  # no event comes in between
    assert not failures and seen.sink.state == "ok" and not seen.level()


def test_an_unexpected_error_leaves_every_pin_safe_and_given_back(make_event: MakeEvent,
                                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    surfaced: list[type[BaseException]] = []
    monkeypatch.setattr(threading, "excepthook", lambda told: surfaced.append(told.exc_type))

    on_18 = threading.Event()

    def broken(name: str, on: bool) -> None:
        if name == "17":
            raise BrokenPipeError
        on_18.set()

    sink = GpioSink([pin("17", action="toggle"), pin("18", action="toggle", target="snap")], broken)
    sink.start()
    wires = [sink.pin("17"), sink.pin("18")]
    thread = sink._worker.thread
    assert thread is not None
    sink.event(make_event(target="snap"))
    assert on_18.wait(30)
    sink.event(make_event())
    thread.join(30)
    assert surfaced == [BrokenPipeError]
    assert [(wire.states[-1].state, wire.function) for wire in wires] == [(False, "input")] * 2
    assert [max(state.state for state in wire.states) for wire in wires] == [True, True]
    assert sink.state == "its thread ended by itself; the pins are in their safe state"
    sink.stop()
