"""Messages from an appliance that runs. `recording.py` makes them of a recording instead."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from edge.errors import SinkError
from edge.sinks.watching.client import WatchClient
from edge.sinks.watching.messages import Message

RETRY_SECONDS = 0.5
"""How often `--wait` tries to reach an appliance that is away."""


class ApplianceFeed:
    """Messages as they come from the appliance of a state directory, through its socket."""

    live = True
    """Messages are of now; those of a recording are not, and positions are shown instead of ages."""

    def __init__(self, state_dir: Path, *, wait: bool, monotonic: Callable[[], float] = time.monotonic) -> None:
        """wait: stay while the appliance is away, and go on when it is back.

        Raises SinkError where the appliance is away and `wait` is False.
        """
        self.ended = False
        """Whether nothing more will come."""
        self.failed = False
        """Whether the messages ended by an error, or without a goodbye."""
        self.note = ""
        """What there is to say of the connection; empty where it is well."""
        self._state_dir = state_dir
        self._wait = wait
        self._monotonic = monotonic
        self._client: WatchClient | None = None
        self._said_bye = False
        self._next = 0.0
        self._connect()

    def descriptors(self) -> list[int]:
        """What to select on: the socket, while there is one."""
        return [self._client.fileno()] if self._client is not None else []

    def take(self) -> list[Message]:
        """What has come; never waits. Connects anew where that is wanted and due.

        Raises SinkError where the appliance refuses, or says what cannot be understood.
        """
        if self._client is None:
            if not self.ended and self._monotonic() >= self._next:
                self._connect()
            return []
        told = self._client.take()
        for each in told:
            self._said_bye |= each["kind"] == "bye"
            if each["kind"] == "refused":
                raise SinkError(str(self._client.path), found=str(each.get("reason")), wanted="fewer at once")
        if self._client.ended:
            self._client.close()
            self._client = None
            self.failed = not self._said_bye
            self.note = "the appliance has stopped" if self._said_bye else "the appliance went away"
            self.note += "; waiting for it" if self._wait else ""
            self.ended = not self._wait
        return told

    def close(self) -> None:
        """Hang up. Safe twice."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _connect(self) -> None:
        self._next = self._monotonic() + RETRY_SECONDS
        try:
            self._client = WatchClient(self._state_dir)
        except SinkError:
            if not self._wait:
                raise
            self.note = self.note or "no appliance yet; waiting for it"
            return
        self.note, self._said_bye, self.failed = "", False, False
