"""The door for what watchers ask: limited, parsed, handed to whoever does it, and answered to the one who asked.

Who opens the socket is the appliance's own user or root, an owner at the board: as of a button, nobody asks for
`[command] allow`.
"""

from __future__ import annotations

import logging

from edge.control.commands import Act, Outcome, verb_of
from edge.errors import CommandError, EdgeError, shown
from edge.sinks.watching.audience import Audience
from edge.sinks.watching.messages import answer_message, to_line
from edge.sinks.watching.requests import WANT, Want, request_of
from edge.sinks.watching.watcher import BURST, PER_SECOND, Watcher
from edge.topics import encode, in_line

LOG = logging.getLogger(__name__)

UNKNOWN = "unknown"
"""Stands for the verb in the answer to what is neither a command nor a wish."""


class Door:
    """Takes requests in the sink's thread; answers come from whatever thread did the command."""

    def __init__(self, audience: Audience, act: Act) -> None:
        """act: takes a command; returns at once."""
        self._audience, self._act = audience, act

    def take(self, watcher: Watcher, packet: bytes) -> bool:
        """Have done what a watcher asks. False where it asks so much that it is to be hung up on, and was told so."""
        command = UNKNOWN
        try:
            if not watcher.may_ask():
                if not watcher.may_go_on():
                    self._audience.tell_one(watcher, self._audience.line("refused", reason="too many requests"))
                    return False
                raise CommandError("request", found="too many", wanted=f"{BURST} at once, and {PER_SECOND:g} a second")
            asked = request_of(packet)
            if isinstance(asked, Want):
                wanted = {WANT: sorted(asked.kinds)}
                self._audience.want(watcher, asked.kinds, self._answer(WANT, wanted, asked.request))
                return True
            command, request = verb_of(asked), asked.request
            if not self._act(asked, lambda outcome: self._done(watcher, command, outcome, request)):
                raise CommandError(f"command {command}", found="too many commands at work", wanted="one after another",
                                   request=request)
        except CommandError as error:
            self._audience.tell_one(watcher, self._answer(command, error, error.request))
        return True

    def _done(self, watcher: Watcher, command: str, outcome: Outcome, request: str | None) -> None:
        """In a thread of the steering's."""
        called = "" if request is None else f" (request {shown(request)})"
        if isinstance(outcome, EdgeError):
            LOG.warning("watch: command %s%s: refused: %s", command, called, in_line(str(outcome)))
        else:
            LOG.info("watch: command %s%s: done: %s", command, called, encode(outcome))
        self._audience.tell_one(watcher, self._answer(command, outcome, request))

    def _answer(self, command: str, outcome: Outcome, request: str | None) -> bytes:
        return to_line(answer_message(command, outcome, request, self._audience.now()))
