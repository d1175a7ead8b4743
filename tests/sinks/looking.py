"""A watcher with a memory, for the tests of the watch socket."""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from edge.sinks.watching.client import WatchClient
from edge.sinks.watching.sink import WatchSink

PATIENCE_SECONDS = 60.0


class Looker:
    """A watcher with a memory."""

    all: ClassVar[list[Looker]] = []

    def __init__(self, state_dir: Path) -> None:
        self.client = WatchClient(state_dir)
        self.all.append(self)
        self.told: list[Any] = []

    def until(self, enough: Callable[[list[Any]], bool]) -> list[Any]:
        """Read until what was told is enough."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not enough(self.told) and not self.client.ended:
            assert time.monotonic() < deadline, f"not told within {PATIENCE_SECONDS} s: {len(self.told)} messages"
            select.select([self.client], [], [], 0.2)
            self.told += self.client.take()
        return self.told

    def kinds(self, kind: str) -> list[Any]:
        return [told for told in self.told if told["kind"] == kind]


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def look(sink: WatchSink) -> Looker:
    looker = Looker(sink.path.parent)
    looker.until(lambda told: bool(told))
    return looker
