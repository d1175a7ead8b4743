"""What is said over one connection to the broker, from the first announcement to the goodbye."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from edge.clock import Clock
from edge.sinks.messages import Dropped, Message, dropped_payload, payload_of
from edge.sinks.mqtt.commands import MqttCommands
from edge.sinks.mqtt.connection import Connection
from edge.sinks.mqtt.doorbell import Doorbell
from edge.sinks.mqtt.retained import Retained
from edge.sinks.mqtt.states import Kept, States
from edge.sinks.outbox import Outbox
from edge.topics import OFF, OFFLINE, ON, ONLINE, Topics

FORGIVE_SECONDS = 60.0
"""Seconds until a refused message (access rules, a quota) is sent again; others are sent meanwhile."""

GOODBYE_SECONDS = 1.0
"""Seconds that `offline` and the last states may take once the messages are delivered."""


class Visit:
    """For the thread that talks to the broker; made anew for every connection."""

    def __init__(self, connection: Connection, topics: Topics, outbox: Outbox, states: States, clock: Clock, *,
                 kept: Kept, bell: Doorbell | None = None, retained: Retained | None = None,
                 commands: MqttCommands | None = None, monotonic: Callable[[], float] = time.monotonic) -> None:
        """connection: opened before `begin`; kept: what is published, retained, ahead of the messages; bell:
        rings when there is something new to send; retained: what the broker must forget, and Home Assistant
        be told; commands: gives the answers to send."""
        self._connection, self._bell = connection, bell
        self._topics, self._commands = topics, commands
        self._outbox, self._kept = outbox, kept
        self._states, self._retained = states, retained
        self._clock, self._monotonic = clock, monotonic
        self._first: int | None = None
        self._settled = False
        self._outgoing: deque[tuple[str, str]] = deque()
        self._on_their_way: dict[int, tuple[str, Message | Dropped | None]] = {}
        self._sent_to = 0
        self.refusal = self._for_good = ("", "")
        """Why the broker refused a message of late, or something that is not tried again; and the topic."""
        self._forgive_at = 0.0

    def begin(self) -> None:
        """Announce this device, then ask for commands; tell again what is kept."""
        self.announce()
        if self._commands is not None and self._commands.pattern:
            self._subscribe(self._commands.pattern, own=False)
        self._kept.again()

    def announce(self) -> None:
        """Tell the broker that we are online, and every state: it may be new, or have lost its memory.

        First the broker is asked for what it retains, so that this arrives before it acknowledges the rest.
        """
        if self._retained is not None:
            for pattern in self._retained.own:
                self._subscribe(pattern, own=True)
            if self._retained.birth:
                self._subscribe(self._retained.birth, own=False)
        self.retain(self._topics.status, ONLINE)
        self._tell_states(self._states.all())

    def retarget(self, retained: Retained) -> None:
        """Take over other targets: ask and tell the broker as `announce` does, over the same connection."""
        self._retained, self._first, self._settled = retained, None, False
        self.announce()

    def retain(self, topic: str, payload: str) -> None:
        """Publish at the next turn, retained, ahead of the messages."""
        self._outgoing.append((topic, payload))

    def exchange(self, timeout_seconds: float) -> None:
        """Send as much as may be on its way, then receive. Raises SinkError when the connection is lost."""
        if self.refusal[0] and self._monotonic() >= self._forgive_at:
            self.refusal = self._for_good
            self._forgive_at = self._monotonic() + FORGIVE_SECONDS
            self._outbox.forgive()
        if self._retained is not None:
            self._outgoing.extend(self._retained.due(self._monotonic(), settled=self._settled))
        while self._connection.room:
            # `Kept` keeps only the newest of each topic: a broker that takes nothing cannot fill our memory.
            if (told := self._outgoing.popleft() if self._outgoing else self._kept.take()) is not None:
                number = self._publish(*told, retain=True)
                self._first = number if self._first is None else self._first
            elif self._commands is not None and (answer := self._commands.take()) is not None:
                self._publish(answer.topic, answer.payload, correlation=answer.correlation)
            elif (taken := self._outbox.take()) is not None:
                self._send(taken)
            else:
                self._tell_states(self._states.differing(max(self._sent_to, self._outbox.newest)))
                if not self._outgoing:
                    break
        self._connection.pump(timeout_seconds, self._bell)
        for number, refusal in self._connection.acknowledged():
            if number == self._first:
                self._settle()
            topic, sent = self._on_their_way.pop(number, ("", None))
            if sent is not None:
                (self._outbox.refuse if refusal else self._outbox.acknowledge)(sent)
            elif refusal:  # what is retained, or a subscription
                self._for_good = refusal, topic
            if refusal and not self.refusal[0]:
                self.refusal = refusal, topic
                self._forgive_at = self._monotonic() + FORGIVE_SECONDS

    def say_goodbye(self, deadline: float) -> None:
        """Send messages until `deadline` (monotonic seconds), then OFF for what sounds, and `offline`."""
        while not self._outbox.finished and self._monotonic() < deadline:
            self.exchange(0.1)
        for target, sounds in self._states.all().items():
            if sounds:
                self.retain(self._topics.state(target), OFF)
        while (told := self._kept.take()) is not None:
            self.retain(*told)
        self.retain(self._topics.status, OFFLINE)
        deadline = self._monotonic() + GOODBYE_SECONDS
        while (self._outgoing or self._connection.unacknowledged) and self._monotonic() < deadline:
            self.exchange(0.1)
        self._connection.disconnect()

    def close(self) -> None:
        """End the connection: what the broker did not acknowledge waits in the outbox again."""
        self._connection.close()
        self._outbox.give_back()

    def _settle(self) -> None:
        """The broker has told what it retains of ours; from now on it need not send back every state and pin.

        MQTT 5's "no local" would not do: with it, some brokers leave out what this client retained earlier.
        """
        self._settled = True
        for pattern in self._retained.own if self._retained is not None else ():
            self._on_their_way[self._connection.unsubscribe(pattern)] = pattern, None

    def _subscribe(self, pattern: str, *, own: bool) -> None:
        self._on_their_way[self._connection.subscribe(pattern, own=own)] = pattern, None

    def _send(self, taken: Message | Dropped) -> None:
        if isinstance(taken, Dropped):
            self._publish(self._topics.dropped, dropped_payload(taken, device=self._topics.device), sent=taken)
            return
        self._publish(self._topics.event(taken.target), payload_of(taken, self._clock), sent=taken)
        self._sent_to = max(self._sent_to, taken.sequence)
        sounds = taken.phase == "start"
        if self._states.told_with(taken.sequence, taken.target, sounds=sounds):
            self._tell_states({taken.target: sounds})

    def _publish(self, topic: str, payload: str, *, retain: bool = False, correlation: bytes = b"",
                 sent: Message | Dropped | None = None) -> int:
        number = self._connection.publish(topic, payload, retain=retain, correlation=correlation)
        self._on_their_way[number] = topic, sent
        return number

    def _tell_states(self, states: dict[str, bool]) -> None:
        for target, sounds in states.items():
            self.retain(self._topics.state(target), ON if sounds else OFF)
