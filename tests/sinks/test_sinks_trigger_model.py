"""Random events drive each action of a pin; an independent model says, tick by tick, what the pin must be.

The model keeps the events that the pin took and asks of every tick anew whether they keep the pin away. The
trigger keeps a state and a due time. A tick is a quarter of a second, so that sums of ticks are exact.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.settings.pins import PinSettings
from edge.sinks.pins.trigger import Trigger
from edge.stream import Event

TICK = 0.25
TICKS = 120
ACTIONS = ("pulse", "toggle", "hold", "blink")


@dataclass
class Sound:
    """start, end: ticks at which the two messages come; lasted: ticks from its start to its end, by its own clock."""

    number: int
    start: int
    end: int
    lasted: int
    probability: float
    level_dbfs: float


@dataclass
class Model:
    """What the guide says of a pin, in ticks; 0 for a maximum or a cool-down that there is not."""

    action: str
    step: int
    count: int
    maximum: int
    cool: int
    when_probability: float
    when_level_dbfs: float
    taken: list[Sound] = field(default_factory=list)
    last_taken: int | None = None
    last_return: int | None = None
    away_since: int | None = None

    def away(self, tick: int) -> bool:
        """Whether the events that were taken keep the pin away at this tick."""
        if self.action == "toggle":
            return len(self.taken) % 2 == 1
        if self.action == "pulse":
            return any(tick < sound.start + self.step for sound in self.taken)
        if self.action == "hold":
            return any(tick < max(sound.end, sound.start + sound.lasted) for sound in self.taken)
        phase = (tick - self.taken[-1].start) // self.step if self.taken else 1
        return phase % 2 == 0 and phase < 2 * self.count - 1

    def passes(self, tick: int) -> None:
        """Time comes to this tick."""
        if self.maximum and self.away_since is not None and self.away(tick) and tick - self.away_since >= self.maximum:
            self.taken.clear()
        self._note(tick)

    def hears(self, sound: Sound, tick: int) -> None:
        """A sound's start comes."""
        marks = [mark for mark in (self.last_taken, self.last_return) if mark is not None]
        if self.cool and any(tick - mark < self.cool for mark in marks):
            return
        if sound.probability < self.when_probability or sound.level_dbfs < self.when_level_dbfs:
            return
        self.taken.append(sound)
        self.last_taken = tick
        self._note(tick)

    def loses_the_listener(self, tick: int) -> None:
        """Nobody can say what still sounds."""
        self.taken.clear()
        self._note(tick)

    def _note(self, tick: int) -> None:
        if not self.away(tick):
            if self.away_since is not None:
                self.last_return = tick
            self.away_since = None
        elif self.away_since is None:
            self.away_since = tick


@st.composite
def sounds(draw: st.DrawFn) -> list[Sound]:
    found, tick = [], 0
    for number in range(draw(st.integers(1, 14))):
        tick += draw(st.integers(0, 12))
        length = draw(st.integers(0, 16))
        found.append(Sound(number, tick, tick + length, max(length - draw(st.integers(-2, 4)), 0),
                           draw(st.sampled_from([0.5, 0.8, 0.95])), draw(st.sampled_from([-50.0, -20.0]))))
    return found


def pin(model: Model, *, safe_on: bool) -> PinSettings:
    return PinSettings(pin="27", target="clap", action=model.action, seconds=model.step * TICK, count=model.count,
                       maximum_seconds=model.maximum * TICK, cool_down_seconds=model.cool * TICK, safe_on=safe_on,
                       when_probability=model.when_probability, when_level_dbfs=model.when_level_dbfs)


models = st.builds(
    Model, action=st.sampled_from(ACTIONS), step=st.integers(1, 8), count=st.integers(1, 4),
    maximum=st.sampled_from([0, 0, 8, 9, 12, 24]), cool=st.sampled_from([0, 0, 1, 3, 8, 20]),
    when_probability=st.sampled_from([0.0, 0.8]), when_level_dbfs=st.sampled_from([-120.0, -20.0]))


def play(model: Model, heard: Sequence[Sound], *, safe_on: bool = False, lost: Collection[int] = ()) -> list[bool]:
    """Give both the same sounds, and at the ticks of `lost` no listener; at each tick the pin must be what the model says.
    Returns the pin's states."""
    trigger, states = Trigger(pin(model, safe_on=safe_on)), []
    for tick in range(TICKS):
        now = tick * TICK
        while trigger.due is not None and trigger.due <= now:
            trigger.advance(now)
        model.passes(tick)
        if tick in lost:
            trigger.give_up(now)
            model.loses_the_listener(tick)
            assert trigger.on == safe_on and trigger.due is None, f"tick {tick}"
        for sound in heard:
            said = {"id": f"{sound.number:04}", "probability": sound.probability, "level_dbfs": sound.level_dbfs}
            if sound.start == tick:
                trigger.event(event_of(**said), now)
                model.hears(sound, tick)
            if sound.end == tick:
                trigger.event(event_of("end", **said, lasted=sound.lasted * TICK), now)
                while trigger.due is not None and trigger.due <= now:
                    trigger.advance(now)
                model.passes(tick)
        assert trigger.on == (model.away(tick) != safe_on), f"tick {tick}"
        states.append(trigger.on)
    return states


@settings(max_examples=200, deadline=None)
@given(model=models, heard=sounds(), safe_on=st.booleans(), lost=st.sets(st.integers(0, TICKS - 1), max_size=6))
def test_the_pin_is_what_the_model_says_at_every_tick(model: Model, heard: list[Sound], safe_on: bool,
                                                      lost: set[int]) -> None:
    play(model, heard, safe_on=safe_on, lost=lost)


@settings(max_examples=100, deadline=None)
@given(model=models.filter(lambda model: model.maximum > 0 and model.cool > 0), heard=sounds())
def test_no_pin_is_away_for_longer_than_its_maximum(model: Model, heard: list[Sound]) -> None:
    """With a cool-down: without one, an event at the moment of the return takes the pin away again."""
    states = play(model, heard)
    longest = max(map(len, "".join("x" if on else " " for on in states).split()), default=0)
    assert longest <= model.maximum


@pytest.mark.parametrize("action", ACTIONS)
def test_the_model_takes_every_action_away_and_back(action: str) -> None:
    """Else the comparison above would compare pins that never move."""
    model = Model(action, 2, 2, 0, 0, 0.0, -120.0)
    heard = [Sound(0, 4, 8, 4, 0.9, -20.0), Sound(1, 20, 24, 4, 0.9, -20.0)]
    states = play(model, heard)
    assert not states[0] and states[4] and not states[-1]


def event_of(phase: str = "start", *, lasted: float = 0.0, **said: object) -> Event:
    started = datetime(2026, 1, 1, tzinfo=UTC)
    ends = phase == "end"
    values = {"sequence": 1, "phase": phase, "target": "clap", "label": "hand_clap", "score": 0.5, "start": 0,
              "end": round(lasted * 16_000) if ends else None, "started_at": started,
              "ended_at": started + timedelta(seconds=lasted) if ends else None}
    return Event(**(values | said))  # type: ignore[arg-type]
