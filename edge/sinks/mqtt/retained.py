"""What a broker still retains of this board, and which of it are ghosts of removed targets and pins. Pure.

Whoever holds the connection subscribes to `own` and `birth`, tells `hear` what arrives, and publishes
(retained) what `due` gives; an empty payload makes the broker forget the topic.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from edge.sinks.mqtt.discovery import MAKER, Board, birth_topic, device_payload, discovery_topic, object_id
from edge.topics import ONLINE, encode

MOST = 1000
"""Topics, and components, that are cleared on one connection at most; the rest are cleared on the next."""

SPREAD_SECONDS = 5.0
"""When Home Assistant says that it starts, the boards of a house answer spread over so many seconds, each at
a moment of its own. None answers twice within them, for anybody may publish that message."""

Message = tuple[str, str]
"""Topic and payload."""


class Retained:
    """For one connection. Raises SettingsError for a discovery prefix that is no topic."""

    def __init__(self, board: Board, *, discovery_prefix: str, discovery: bool) -> None:
        """discovery: whether Home Assistant is told; if not, what it was told before is taken back."""
        topics = board.topics
        self._wanted = {topics.state(target.name) for target in board.targets} | {topics.pin(pin) for pin in board.pins}
        self._families = tuple(f"{topics.prefix}/{topics.device}/{family}/" for family in ("state", "pin"))
        self._id = object_id(topics)
        self._topic = discovery_topic(discovery_prefix, topics)
        self.birth = birth_topic(discovery_prefix) if discovery else ""
        """Where Home Assistant says that it starts, to subscribe to; empty where it is told nothing."""
        self._payload = device_payload(board) if discovery else None
        self._ghosts: dict[str, None] = {}
        self._cleared = 0
        self._removed: dict[str, str] = {}
        self._withdraw = False
        self._announce_at = 0.0 if discovery else float("inf")
        self._rest_until = float("-inf")
        self._born = False
        self._moment = SPREAD_SECONDS * int(sha256(self._id.encode()).hexdigest()[:8], 16) / 2**32

    @property
    def own(self) -> tuple[str, ...]:
        """Topics that this board itself retains, to subscribe to before anything is published."""
        return self._topic, *(f"{family}+" for family in self._families)

    def hear(self, topic: str, payload: str, retained: bool) -> None:
        """Take what arrived; messages on other topics are ignored."""
        if topic == self.birth:
            self._born |= payload == ONLINE and not retained
        elif not retained or not payload:
            return
        elif topic == self._topic:
            self._hear_discovery(payload)
        elif topic.startswith(self._families) and topic not in self._wanted and self._cleared < MOST:
            self._ghosts[topic] = None
            self._cleared += 1

    def due(self, now: float, *, settled: bool) -> list[Message]:
        """Topics and payloads to publish now, retained, in this order; each once.

        now: monotonic seconds. settled: whether the broker has sent what it retained when we subscribed, as
        far as one can tell. Until then Home Assistant is told nothing, for removed components come first.
        """
        messages = [(topic, "") for topic in self._ghosts]
        self._ghosts.clear()
        if self._born:
            self._born = False
            self._announce_at = min(self._announce_at, max(now, self._rest_until) + self._moment)
        if settled and self._withdraw:
            messages.append((self._topic, ""))
            self._withdraw = False
        elif settled and self._payload is not None and (now >= self._announce_at or self._removed):
            if self._removed:
                messages.append((self._topic, encode(self._without(self._payload))))
            messages.append((self._topic, encode(self._payload)))
            self._announce_at, self._rest_until, self._removed = float("inf"), now + SPREAD_SECONDS, {}
        return messages

    def _without(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """The payload with the removed components in front, each with its platform alone.

        That makes Home Assistant drop a component; one that is merely left out stays. The other components
        follow whole: while Home Assistant is busy with one component, it may skip those behind it in the next
        message.
        """
        gone = {key: {"platform": platform} for key, platform in self._removed.items()}
        return {**payload, "components": {**gone, **payload["components"]}}

    def _hear_discovery(self, text: str) -> None:
        if self._payload is None:
            self._withdraw |= _is_ours(_read(text), self._id)
            return
        wanted: Any = self._payload["components"]
        self._removed |= {key: platform for key, platform in _components(_read(text)) if key not in wanted}
        while len(self._removed) > MOST:
            self._removed.popitem()


def _read(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_ours(payload: Mapping[str, Any], own: str) -> bool:
    """Whether this program made the discovery message, for the board with this id."""
    origin, device = payload.get("origin"), payload.get("device")
    return isinstance(origin, dict) and origin.get("name") == MAKER \
        and isinstance(device, dict) and device.get("identifiers") == [own]


def _components(payload: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Key and platform of each component in a discovery message that could be one of ours."""
    components = payload.get("components")
    for key, component in components.items() if isinstance(components, dict) else ():
        platform = component.get("platform") if isinstance(component, dict) else None
        if isinstance(platform, str) and re.fullmatch("[A-Za-z0-9_-]+", key) and re.fullmatch("[a-z_]+", platform):
            yield key, platform
