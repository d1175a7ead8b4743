"""All that a watcher has been told, in order. The screen is drawn from this alone."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from edge.cli.screen.refusals import Refusal, Refusals
from edge.sinks.watching.messages import Message, event_from, hearing_from
from edge.stream import Event, Hearing

KEPT = 60
"""Events and refusals that are remembered; no screen shows more."""


class Seen:
    """Messages in; what stands now out."""

    def __init__(self) -> None:
        self.device = ""
        self.about: Mapping[str, Any] = {}
        self.hearing: Hearing | None = None
        self.end = 0
        """Position of the end of what the newest hearing is about."""
        self.told_at: str | None = None
        """When the newest hearing was told."""
        self.lost = 0
        """Messages that this watcher was too slow for."""
        self.cut_off: frozenset[str] = frozenset()
        """Ids of events whose end was never told, because the appliance went away before."""
        self._events: OrderedDict[str, Event] = OrderedDict()
        self._refused: list[Refusal] = []
        self._refusals = Refusals()

    @property
    def events(self) -> tuple[Event, ...]:
        """Newest first; of each sound its newest phase."""
        return tuple(reversed(self._events.values()))

    @property
    def refused(self) -> tuple[Refusal, ...]:
        """Newest first. Refusals that go on come before those that are over."""
        return (*self._refusals.open, *reversed(self._refused))

    def take(self, told: Message) -> list[Refusal]:
        """Take one message; returns the refusals that it brought to an end.

        Raises SinkError for a message whose names are missing.
        """
        if told["kind"] == "about":
            self.device = str(told.get("device", ""))
            self.about = dict(told.get("about") or {})
        elif told["kind"] == "lost":
            self.lost += int(told.get("messages", 0))
        elif told["kind"] == "event":
            event = event_from(told)
            self._events[event.id] = event
            self._mark(event)
            if event.phase == "start":
                self._refusals.raised(event.target)
            while len(self._events) > KEPT:
                self._events.popitem(last=False)
        elif told["kind"] == "hearing":
            self.hearing = hearing_from(told)
            self.end, self.told_at = int(told["end"]), told.get("at")
            return self._keep(self._refusals.push(self.hearing, self.end, self.told_at))
        return []

    def finish(self) -> list[Refusal]:
        """End every event and refusal that goes on: the appliance or recording has ended. Returns those
        refusals."""
        self.hearing = None
        self.cut_off = frozenset(event.id for event in self._events.values() if event.end is None)
        return self._keep(self._refusals.finish())

    def _mark(self, event: Event) -> None:
        """Show the event at its target at once: the hearing of the same hop comes a moment later."""
        if self.hearing is not None:
            self.hearing = replace(self.hearing, targets=tuple(
                replace(target, running=event.phase == "start") if target.target == event.target else target
                for target in self.hearing.targets))

    def _keep(self, ended: list[Refusal]) -> list[Refusal]:
        self._refused = (self._refused + ended)[-KEPT:]
        return ended
