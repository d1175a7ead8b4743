"""Those who look: each has a bounded queue of its own, so that a slow one costs nobody else anything."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Mapping
from typing import Any

Message = Mapping[str, Any]

QUEUED = 256
"""Messages that wait for a viewer who does not read: half a minute of hearings and bands."""
MINOR = ("hearing", "bands", "health")
"""Kinds of which more come soon. These go first where a viewer is too slow."""


def line(told: Message) -> str:
    """A message as compact JSON in one line."""
    return json.dumps(told, separators=(",", ":"), ensure_ascii=False)


class Viewer:
    """One who looks. Belongs to the loop's thread."""

    def __init__(self, *, bands: bool) -> None:
        """bands: whether this one wants the bands too."""
        self.bands = bands
        self._waiting: deque[tuple[bool, int, str]] = deque()
        self._lost = 0
        self._news = asyncio.Event()

    def offer(self, number: int, text: str, *, minor: bool) -> None:
        """Queue a message; returns at once. Where the queue is full, the oldest minor one goes, else the oldest."""
        if len(self._waiting) >= QUEUED:
            self._lost += 1
            oldest = next((at for at, (small, _, _) in enumerate(self._waiting) if small), None)
            if oldest is None and minor:
                return
            del self._waiting[oldest or 0]
        self._waiting.append((minor, number, text))
        self._news.set()

    async def take(self, seconds: float) -> list[tuple[int, str]]:
        """What waits, with the messages' numbers, after at most so long; what was lost is told before all else."""
        if not self._waiting:
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), seconds)
            except TimeoutError:
                return []
        taken = [(number, text) for _, number, text in self._waiting]
        self._waiting.clear()
        if self._lost:
            taken.insert(0, (taken[0][0] if taken else 0, line({"kind": "lost", "messages": self._lost})))
            self._lost = 0
        return taken
