"""The other side of the broker: counts what arrives, and says what of the messages made is missing.

The broker keeps this subscriber's session, so that what comes while its connection is broken comes later.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from deploy.fleet.nodes import OPEN_SECONDS
from edge.backoff import Backoff
from edge.errors import SinkError
from edge.settings import MqttSettings
from edge.sinks.mqtt.client import Received
from edge.sinks.mqtt.connection import Connection
from edge.sinks.mqtt.sink import FIRST_SECONDS
from edge.sinks.mqtt.subscriber import subscribe


@dataclass(frozen=True, slots=True)
class Verdict:
    """What arrived of the messages that were made, and what did not.

    received: different messages; lost: those that neither came nor lie in a range that its board told as dropped;
    duplicates: copies beyond the first; out_of_order: messages whose first copy came after a later one's of its board;
    strangers: messages that nobody here made.
    """

    received: int
    lost: int
    duplicates: int
    out_of_order: int
    strangers: int
    reconnections: int


class Check:
    """Subscribers to every event of a prefix: one, or several that share the messages between them ($share)."""

    def __init__(self, nodes: Sequence[MqttSettings], subscribers: int = 1) -> None:
        """nodes: addresses of the broker, as the boards have them."""
        # Version 3.1.1 is what every broker speaks, and its sessions are kept until a clean start.
        self._nodes = [replace(node, protocol="3.1.1") for node in nodes]
        self._name = f"check-{uuid.uuid4().hex[:12]}"
        self._subscribers = subscribers
        self._share = f"$share/{self._name}/" if subscribers > 1 else ""
        self._threads: list[threading.Thread] = []
        self._stopping = threading.Event()
        self._changed = threading.Condition()
        self._copies: dict[tuple[str, int, str], int] = {}
        self._order: list[tuple[str, int, str]] = []
        self._dropped: dict[str, list[tuple[int, int]]] = {}
        self._reconnections = 0

    def start(self) -> None:
        """Subscribe. Raises SinkError where the broker is away or refuses."""
        for number in range(self._subscribers):
            connection = self._open(number, number)
            self._threads.append(threading.Thread(target=self._run, args=(connection, number), daemon=True,
                                                  name=f"check-{number}"))
            self._threads[-1].start()

    def await_messages(self, count: int, quiet_seconds: float) -> None:
        """Wait until so many different messages have come, or none came for `quiet_seconds`."""
        with self._changed:
            before = -1
            while len(self._copies) < count and len(self._copies) != before:
                before = len(self._copies)
                self._changed.wait_for(lambda: len(self._copies) >= count, quiet_seconds)

    def stop(self) -> None:
        """Leave, and let the broker forget the sessions."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def verdict(self, made: Mapping[str, Sequence[str]]) -> Verdict:
        """made: for each board the ids of its messages, by sequence number from 1."""
        wanted = {(board, number, id_) for board, ids in made.items() for number, id_ in enumerate(ids, 1)}
        come = wanted & self._copies.keys()
        lost = [key for key in wanted - come if not any(first <= key[1] <= last
                                                        for first, last in self._dropped.get(key[0], ()))]
        return Verdict(
            received=len(come), lost=len(lost), duplicates=sum(self._copies[key] - 1 for key in come),
            out_of_order=_after_a_later_one(key[:2] for key in self._order if key in come),
            strangers=len(self._copies) - len(come), reconnections=self._reconnections)

    def _open(self, number: int, node: int, cancelled: Callable[[], bool] = lambda: False) -> Connection:
        connection = Connection(self._nodes[node % len(self._nodes)], client_id=f"{self._name}-{number}",
                                on_message=self._hear, keep_session=True)
        try:
            connection.open(OPEN_SECONDS, cancelled)
            subscribe(connection, [f"{self._share}{self._nodes[0].prefix}/+/{topic}" for topic in ("event/+", "dropped")],
                      OPEN_SECONDS)
        except SinkError:
            connection.close()
            raise
        return connection

    def _run(self, first: Connection, number: int) -> None:
        connection: Connection | None = first
        node, backoff = number, Backoff(self._nodes[0].retry_seconds, first_seconds=FIRST_SECONDS)
        while not self._stopping.is_set():
            opened_at = time.monotonic()
            try:
                if connection is None:
                    connection = self._open(number, node, self._stopping.is_set)
                    opened_at = time.monotonic()
                    self._reconnections += 1
                while not self._stopping.is_set():
                    connection.pump(0.1)
            except SinkError:
                held_seconds = 0.0
                if connection is not None:
                    held_seconds = time.monotonic() - opened_at
                    connection.close()
                connection = None
                node += 1
                self._stopping.wait(backoff.pause_seconds(held_seconds))
        if connection is not None:
            connection.disconnect()
        with contextlib.suppress(SinkError):
            clean = Connection(self._nodes[node % len(self._nodes)], client_id=f"{self._name}-{number}")
            clean.open(OPEN_SECONDS)
            clean.disconnect()

    def _hear(self, received: Received) -> None:
        topic, payload = received.topic, received.text
        board = topic.split("/")[1]
        try:
            told = json.loads(payload)
            if topic.endswith("/dropped"):
                with self._changed:
                    self._dropped.setdefault(board, []).append((int(told["first"]), int(told["last"])))
                return
            key = (board, int(told["sequence"]), str(told["id"]))
        except (ValueError, TypeError, KeyError):
            key = (board, -1, payload[:100])
        with self._changed:
            if key not in self._copies:
                self._order.append(key)
            self._copies[key] = self._copies.get(key, 0) + 1
            self._changed.notify_all()


def _after_a_later_one(order: Iterable[tuple[str, int]]) -> int:
    highest: dict[str, int] = {}
    count = 0
    for board, number in order:
        count += number < highest.get(board, 0)
        highest[board] = max(number, highest.get(board, 0))
    return count
