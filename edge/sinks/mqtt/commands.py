"""Commands that arrive over MQTT: limited, counted, parsed, handed to whoever carries them out, and answered.

The thread that talks to the broker calls `receive`, which returns at once. Whoever carries out a command
answers from another thread. Everything here is bounded: a flood of commands costs only its senders' answers.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edge.control.commands import Act, Outcome, parse, verb_of
from edge.errors import CommandError, EdgeError, SettingsError, shown
from edge.settings import VERBS
from edge.sinks.bucket import Bucket
from edge.sinks.mqtt.client import Received
from edge.stats import Stats
from edge.topics import Topics, check_level, encode, in_line, outcome_payload

LOG = logging.getLogger(__name__)

BURST, PER_SECOND = 20, 5.0
"""So many commands are taken at once, then so many a second; the others are dropped without an answer."""

ANSWERS = 64
"""Answers that may wait for the broker; where there are more, the oldest is dropped."""

MOST_TOPIC, MOST_CORRELATION = 256, 256
"""Letters of a response topic, and bytes of correlation data, at most; longer ones are ignored."""

SAY_SECONDS = 60.0
"""Dropped commands are logged at most once in so many seconds."""

UNKNOWN = "unknown"
"""The verb in the topic of an answer to a command whose verb does not exist."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered: JSON, at QoS 1, not retained. correlation: MQTT 5's correlation data."""

    topic: str
    payload: str
    correlation: bytes = b""


class MqttCommands:
    """Takes commands in, and keeps the answers until they are sent."""

    def __init__(self, topics: Topics, allow: Sequence[str], act: Act, stats: Stats, *,
                 monotonic: Callable[[], float] = time.monotonic) -> None:
        """allow: `[command] allow`; act: does what was commanded."""
        self._topics, self._allow = topics, tuple(allow)
        self._act, self._stats = act, stats
        self.pattern = topics.commands if allow else ""
        """The topics to subscribe to; empty where the settings allow no command."""
        self._bucket = Bucket(BURST, PER_SECOND, monotonic)
        self._says = Bucket(1, 1.0 / SAY_SECONDS, monotonic)
        self._answers: deque[Answer] = deque(maxlen=ANSWERS)
        self._wake: Callable[[], None] = lambda: None
        self._dropped = 0
        self._counting = threading.Lock()

    def answered(self, wake: Callable[[], None]) -> None:
        """wake: called, from any thread, when there is an answer to take."""
        self._wake = wake

    def take(self) -> Answer | None:
        """The oldest answer that waits, or None."""
        try:
            return self._answers.popleft()
        except IndexError:
            return None

    def receive(self, received: Received) -> None:
        """Take what arrived; messages that are no commands are ignored."""
        beginning = self._topics.commands.removesuffix("+")
        if not self._allow or not received.topic.startswith(beginning):
            return
        if not self._bucket.take():
            self._drop()
            return
        verb = received.topic.removeprefix(beginning)

        def answer(outcome: Outcome) -> None:
            self._answer(verb, received, outcome, command.request)

        try:
            if received.retained:
                raise CommandError(f"command {shown(verb)}", found="a retained message, of nobody knows when",
                                   wanted="one that is not retained")
            command = parse(verb, received.payload, self._allow)
            if not self._act(command, answer):
                raise CommandError(f"command {verb_of(command)}", found="too many commands at work",
                                   wanted="one after another", request=command.request)
        except CommandError as error:
            self._answer(verb, received, error, error.request)

    def _answer(self, verb: str, received: Received, outcome: Outcome, request: str | None) -> None:
        known = verb if verb in VERBS else UNKNOWN
        called = "" if request is None else f" (request {shown(request)})"
        if isinstance(outcome, EdgeError):
            LOG.warning("command %s%s: refused: %s", known, called, in_line(str(outcome)))
        else:
            LOG.info("command %s%s: done: %s", known, called, encode(outcome))
        payload = encode(outcome_payload(known, outcome, request=request))
        with self._counting:
            self._stats.commands += 1
        correlation = received.correlation if len(received.correlation) <= MOST_CORRELATION else b""
        self._answers.append(Answer(self._answer_topic(known, received.response_topic), payload, correlation))
        self._wake()

    def _answer_topic(self, verb: str, asked: str) -> str:
        """The topic that the sender asks for, if answers of this device may go there; else the verb's own."""
        own = self._topics.response(verb)
        below = own.removesuffix(verb)
        if not asked.startswith(below) or len(asked) > MOST_TOPIC:
            return own
        try:
            for level in asked.removeprefix(below).split("/"):
                check_level(level, thing="response topic")
        except SettingsError:
            return own
        return asked

    def _drop(self) -> None:
        """Count a command that is dropped, and log how many were, once a minute."""
        self._stats.dropped_commands += 1
        self._dropped += 1
        if self._says.take():
            LOG.warning("command: %d dropped without an answer: more than %g a second", self._dropped, PER_SECOND)
            self._dropped = 0
