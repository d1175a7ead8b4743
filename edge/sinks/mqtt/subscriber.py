"""The other side of the broker: what a subscriber receives. For the demonstration."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Sequence
from types import TracebackType

from edge.errors import SinkError
from edge.settings import MqttSettings
from edge.sinks.mqtt.connection import CONNECT_SECONDS, Connection


def subscribe(connection: Connection, patterns: Sequence[str], seconds: float) -> None:
    """Subscribe to topics, with + and # as wanted, and wait until the broker has agreed.

    Raises SinkError where the broker refuses, or does not agree within `seconds`.
    """
    for pattern in patterns:
        connection.subscribe(pattern)
    deadline = time.monotonic() + seconds
    while connection.unacknowledged:
        connection.pump(0.1)
        refusals = [refusal for _number, refusal in connection.acknowledged() if refusal]
        if refusals or time.monotonic() >= deadline:
            raise SinkError(connection.thing, found=f"no subscription ({', '.join(refusals) or 'no answer'})",
                            wanted=" ".join(patterns))


class Subscriber:
    """A context: subscribed on entry, disconnected on exit; in between `on_message` is told what arrives.

    A lost connection is not made again; `lost` then says why it was lost.
    """

    def __init__(self, settings: MqttSettings, patterns: Sequence[str],
                 on_message: Callable[[str, str, bool], None]) -> None:
        """patterns: topics, with + and #; on_message: told (topic, payload, retained), in another thread."""
        self._connection = Connection(settings, client_id=f"subscriber-{uuid.uuid4().hex[:12]}",
                                      on_message=lambda told: on_message(told.topic, told.text, told.retained))
        self._patterns = patterns
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mqtt-subscriber", daemon=True)
        self.lost = ""

    def __enter__(self) -> Subscriber:
        """Connect and subscribe. Raises SinkError where the broker is away or refuses."""
        try:
            self._connection.open(CONNECT_SECONDS)
            subscribe(self._connection, self._patterns, CONNECT_SECONDS)
        except SinkError:
            self._connection.close()
            raise
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._connection.pump(0.1)
        except SinkError as error:
            self.lost = error.found
        self._connection.disconnect()
