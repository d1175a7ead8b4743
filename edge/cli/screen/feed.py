"""Where messages come from: an appliance that runs; `recording.py` has the other way, a recording heard for this view."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from edge.errors import SinkError
from edge.sinks.watching.client import WatchClient
from edge.sinks.watching.messages import Message

RETRY_SECONDS = 0.5
"""How often an appliance that is away is sought."""


class Feed(Protocol):
    """Messages as they come."""

    live: bool
    """They are of now; else of a recording, and positions count."""
    ended: bool
    """Nothing more will come."""
    failed: bool
    """It ended otherwise than it should."""
    note: str
    """What there is to say of the connection; empty: it is well."""

    def descriptors(self) -> list[int]:
        """What to select on."""

    def take(self) -> list[Message]:
        """What has come; never waits. Raises EdgeError where the other side cannot be understood or heard."""

    def close(self) -> None:
        """Leave. Safe twice."""


class ApplianceFeed:
    """The appliance of a state directory, through its socket."""

    live = True

    def __init__(self, state_dir: Path, *, wait: bool, monotonic: Callable[[], float] = time.monotonic) -> None:
        """wait: stay while it is away, and look on when it is back. Raises SinkError where it is away and none waits."""
        self.ended = self.failed = False
        self.note = ""
        self._state_dir = state_dir
        self._wait = wait
        self._monotonic = monotonic
        self._client: WatchClient | None = None
        self._said_bye = False
        self._next = 0.0
        self._connect()

    def descriptors(self) -> list[int]:
        """The socket, while there is one."""
        return [self._client.fileno()] if self._client is not None else []

    def take(self) -> list[Message]:
        """Messages; connects anew where that is wanted and due."""
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
        """Hang up."""
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
