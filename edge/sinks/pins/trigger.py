"""What an event makes a pin do. Pure: time is an argument, so tests need no clock and no pin."""

from __future__ import annotations

from math import inf

from edge.settings.pins import PinSettings
from edge.stream import Event


class Trigger:
    """One pin's action as a small state machine.

    The pin rests in its safe state. A trigger takes the pin away from that state and back, so `safe_on`
    inverts every action.

    - pulse: away for `seconds`; an event meanwhile starts the `seconds` anew.
    - toggle: away, and back at the next event.
    - hold: away from the start of the first sound to the end of the last, and no shorter than any of them was.
    - blink: away and back, `seconds` each, `count` times; an event meanwhile starts the count anew.

    `maximum_seconds` after it went away the pin is back in its safe state, and the action is over. Events that
    come within `cool_down_seconds` of the last one taken, or of the pin's return, are not taken; nor are those
    that are not as sure or as loud as `when_probability` and `when_level_dbfs` say.

    A late call never shortens a step: each lasts at least as long as the settings say.
    """

    def __init__(self, settings: PinSettings) -> None:
        """settings: checked ones (`action` is one of the four)."""
        self._settings = settings
        self._blocked_until = -inf
        self.reset()

    def reset(self) -> None:
        """Back to the safe state and no plans. A cool-down goes on."""
        self._away = False
        self._away_since = 0.0
        self._due: float | None = None
        self._blinks_left = 0
        self._until = 0.0
        """Until when the sounds that have ended hold the pin."""
        self._held: dict[str, float] = {}
        """Sounds that hold the pin, by event id: when each began."""

    def give_up(self, now: float) -> None:
        """Back to the safe state, whatever was heard: nobody can say whether it still sounds. The cool-down begins
        as after every return."""
        if self._away:
            self._return(now)
        else:
            self.reset()

    @property
    def on(self) -> bool:
        """What the pin should be now: on or off, whatever level that is on the wire."""
        return self._away != self._settings.safe_on

    @property
    def due(self) -> float | None:
        """When `advance` has something to do, in seconds of the caller's clock; None: not before the next event."""
        return self._latest if self._cuts else self._due

    @property
    def _latest(self) -> float:
        """When the pin has been away for as long as it may."""
        return self._away_since + self._settings.maximum_seconds

    @property
    def _cuts(self) -> bool:
        """Whether the maximum ends the action before the action ends itself."""
        limited = self._away and self._settings.maximum_seconds > 0
        return limited and (self._due is None or self._latest < self._due)

    def event(self, event: Event, now: float) -> None:
        """Take one event; now: seconds of any clock that never goes back."""
        if event.phase == "start":
            if self._takes(event, now):
                self._start(event.id, now)
        elif (since := self._held.pop(event.id, None)) is not None:
            self._until = max(self._until, now, since + (event.duration_seconds or 0.0))
            if not self._held:
                self._due = self._until

    def test(self, now: float) -> None:
        """The action once, as if a sound had come, whatever `when` and the cool-down say; with `hold`, one of
        `seconds`, unless a sound holds the pin already."""
        if self._settings.action != "hold":
            self._start("", now)
        elif not self._away:
            self._start("", now)
            self._held.clear()
            self._until = self._due = now + self._settings.seconds

    def _takes(self, event: Event, now: float) -> bool:
        return (now >= self._blocked_until and event.probability >= self._settings.when_probability
                and event.level_dbfs >= self._settings.when_level_dbfs)

    def _start(self, event_id: str, now: float) -> None:
        self._blocked_until = now + self._settings.cool_down_seconds
        if self._settings.action == "toggle" and self._away:
            self._return(now)
            return
        if not self._away:
            self._away, self._away_since = True, now
        if self._settings.action == "hold":
            if not self._held:
                self._until = now if self._due is None else self._due
            self._held[event_id], self._due = now, None
        elif self._settings.action != "toggle":
            self._due = now + self._settings.seconds
            self._blinks_left = self._settings.count if self._settings.action == "blink" else 1

    def advance(self, now: float) -> None:
        """Do what is due at `now`: at most one step."""
        if self.due is None or now < self.due:
            return
        if self._cuts or (self._away and self._blinks_left <= 1):
            self._return(now)
        elif self._away:
            self._away, self._due = False, now + self._settings.seconds
            self._blinks_left -= 1
            self._blocked_until = max(self._blocked_until, now + self._settings.cool_down_seconds)
        else:
            self._away, self._away_since = True, now
            self._due = now + self._settings.seconds

    def _return(self, now: float) -> None:
        """The action is over: back to the safe state."""
        self.reset()
        self._blocked_until = max(self._blocked_until, now + self._settings.cool_down_seconds)
