"""What one simulated board has to tell and has not yet brought to the broker. Pure: no socket, no clock, no thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from edge.stream import Event
from edge.topics import OFF, OFFLINE, ON, ONLINE, Topics, encode, event_payload

LATE_SECONDS = 5.0
"""An event sent so long after it happened is marked `late`, as the appliance does."""


@dataclass(slots=True)
class Message:
    """Something to publish. A kept one (an event, a range of dropped ones) is sent until it is acknowledged."""

    topic: str
    payload: str = ""
    retain: bool = True
    event: Event | None = None
    made_at: float = 0.0
    sent: bool = False

    @property
    def kept(self) -> bool:
        """Whether a lost connection brings it back; states and health are told anew instead."""
        return not self.retain


@dataclass(slots=True)
class Counts:
    """What happened to one board's messages."""

    acknowledged: int = 0
    refused: int = 0
    resent: int = 0
    dropped: int = 0
    reconnections: int = 0
    longest_delay_seconds: float = 0.0


class Board:
    """Events in, messages out. What was taken is the connection's until `acknowledge`, or `lost` gives it back."""

    def __init__(self, name: str, prefix: str, targets: Iterable[str], limit: int) -> None:
        """targets: those with a state; limit: messages of events that may wait, the oldest go first."""
        self.name = name
        self.topics = Topics(prefix, name)
        self.counts = Counts()
        self.made: list[str] = []
        """The id of each message of an event, by sequence number from 1."""
        self._limit = limit
        self._states = dict.fromkeys(targets, OFF)
        self._news: deque[Message] = deque()
        self._waiting: deque[Message] = deque()
        self._sent: dict[int, Message] = {}
        self._told = 0
        self._health = ""
        self._connected = self._gone = False

    @property
    def sequence(self) -> int:
        """The number of the newest message of an event."""
        return len(self.made)

    @property
    def waiting(self) -> int:
        """Messages of events that the broker has not acknowledged."""
        return len(self._waiting) + sum(message.kept for message in self._sent.values())

    @property
    def busy(self) -> bool:
        """Whether anything at all is still to be told or acknowledged."""
        return bool(self._news or self._waiting or self._sent)

    def hear(self, event: Event, now: float) -> None:
        """Make one message of an event whose `sequence` is the next. now: seconds on the clock of `acknowledge`."""
        self.made.append(event.id)
        self._states[event.target] = ON if event.phase == "start" else OFF
        self._waiting.append(Message(self.topics.event(event.target), retain=False, event=event, made_at=now))
        self._trim()

    def health(self, uptime_seconds: float) -> None:
        """Tell how this board is; what could not be told before is forgotten."""
        self._health = encode({"schema": 1, "uptime_seconds": round(uptime_seconds, 1), "simulated": True,
                               "messages": self.sequence, "dropped_events": self.counts.dropped})
        if self._connected and not self._gone:
            self._news.append(Message(self.topics.health, self._health))

    def announce(self) -> None:
        """A connection stands: say so, and every state as it is now; older events do not tell theirs."""
        self._connected = True
        self._told = self.sequence
        if self._gone:
            return
        self._news.append(Message(self.topics.status, ONLINE))
        self._news.extend(Message(self.topics.state(target), state) for target, state in self._states.items())
        if self._health:
            self._news.append(Message(self.topics.health, self._health))

    def leave(self) -> None:
        """Say goodbye as the appliance does, then forget what the broker retained: a simulation leaves nothing behind."""
        self._gone = True
        self._news.append(Message(self.topics.status, OFFLINE))
        topics = [self.topics.status, self.topics.health, *(self.topics.state(target) for target in self._states)]
        self._news.extend(Message(topic, "") for topic in topics)

    def take(self, unix_seconds: float) -> Message | None:
        """What is to be published next, or None. unix_seconds: UTC now, for `late`."""
        if self._news:
            return self._news.popleft()
        if not self._waiting:
            return None
        message = self._waiting.popleft()
        if message.event is not None:
            event = message.event
            happened = (event.ended_at or event.started_at).timestamp()
            message.payload = encode(event_payload(event, device=self.name,
                                                   late=unix_seconds - happened > LATE_SECONDS))
            if event.sequence > self._told:
                self._news.append(Message(self.topics.state(event.target), ON if event.phase == "start" else OFF))
        self.counts.resent += message.sent
        message.sent = True
        return message

    def sent_as(self, number: int, message: Message) -> None:
        """`message` is on its way under this number."""
        self._sent[number] = message

    def acknowledge(self, number: int, refusal: str, now: float) -> None:
        """The broker took (or refused, saying why) what was sent under this number."""
        message = self._sent.pop(number, None)
        if message is None or message.event is None:
            return
        if refusal:
            self.counts.refused += 1
            return
        self.counts.acknowledged += 1
        self.counts.longest_delay_seconds = max(self.counts.longest_delay_seconds, now - message.made_at)

    def lost(self) -> None:
        """The connection broke: what it had not brought home waits again, in its old order, under its old ids."""
        back = [message for message in self._sent.values() if message.kept]
        self._waiting.extendleft(reversed(back))
        self._sent.clear()
        self._news.clear()
        self._connected = False
        self._trim()
        if self._gone:
            self.leave()

    def _trim(self) -> None:
        while len(self._waiting) > self._limit:
            self._waiting.popleft()
            self.counts.dropped += 1
