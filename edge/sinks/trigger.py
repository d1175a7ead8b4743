"""What an event makes a pin do. Pure: time is an argument, so tests need no clock and no pin."""

from __future__ import annotations

from edge.settings import PinSettings
from edge.stream import Event


class Trigger:
    """One pin's action as a small state machine.

    The pin rests in its safe state. A trigger takes the pin away from that state and back, so `safe_on`
    inverts every action.

    - pulse: away for `seconds`; an event meanwhile starts the `seconds` anew.
    - toggle: away, and back at the next event.
    - hold: away from the start of the sound to its end, and no shorter than the sound was.
    - blink: away and back, `seconds` each, `count` times; an event meanwhile starts the count anew.

    A late call never shortens a step: each lasts at least as long as the settings say.
    """

    def __init__(self, settings: PinSettings) -> None:
        """settings: checked ones (`action` is one of the four)."""
        self._settings = settings
        self.reset()

    def reset(self) -> None:
        """Back to the safe state and no plans, as after construction."""
        self._away = False
        self._due: float | None = None
        self._blinks_left = 0
        self._held_since = 0.0
        self._held_id = ""

    @property
    def on(self) -> bool:
        """What the pin should be now: on or off, whatever level that is on the wire."""
        return self._away != self._settings.safe_on

    @property
    def due(self) -> float | None:
        """When `advance` has something to do, in seconds of the caller's clock; None: not before the next event."""
        return self._due

    def event(self, event: Event, now: float) -> None:
        """Take one event; now: seconds of any clock that never goes back."""
        if event.phase == "start":
            self._start(event.id, now)
        elif self._settings.action == "hold" and event.id == self._held_id:
            self._due = max(now, self._held_since + (event.duration_seconds or 0.0))

    def test(self, now: float) -> None:
        """The action once, as if a sound had come; with `hold`, one of `seconds`, unless a sound holds the pin already."""
        if self._settings.action != "hold":
            self._start("", now)
        elif not self._away:
            self._start("", now)
            self._due, self._blinks_left = now + self._settings.seconds, 1

    def _start(self, event_id: str, now: float) -> None:
        self._due = None
        if self._settings.action == "toggle":
            self._away = not self._away
            return
        self._away = True
        if self._settings.action == "hold":
            self._held_id, self._held_since = event_id, now
            return
        self._due = now + self._settings.seconds
        self._blinks_left = self._settings.count if self._settings.action == "blink" else 1

    def advance(self, now: float) -> None:
        """Do what is due at `now`: at most one step."""
        if self._due is None or now < self._due:
            return
        if self._away:
            self._away = False
            self._blinks_left -= 1
            self._due = now + self._settings.seconds if self._blinks_left > 0 else None
        else:
            self._away = True
            self._due = now + self._settings.seconds
