"""An independent subscriber (paho's own loop, not our code) that comes back after every loss, and notes when what came."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

PATIENCE_SECONDS = 60.0


class Witness:
    """Subscribed to what one device says. received: payloads of events and when (seconds since 1970); told: ranges."""

    def __init__(self, port: int, device: str, *, user: str = "", password: str = "") -> None:
        self._changed = threading.Condition()
        self._subscribed = False
        self.received: list[tuple[dict[str, Any], float]] = []
        self.told: list[tuple[int, int]] = []
        self.said: list[tuple[str, str]] = []
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="witness", protocol=MQTTv5)
        if user:
            self._client.username_pw_set(user, password)
        self._client.max_inflight_messages_set(0)
        self._client.on_connect = lambda *_: self._client.subscribe(f"edge-audio/{device}/#", qos=1)
        self._client.on_subscribe = lambda *_: self._set_subscribed(True)
        self._client.on_disconnect = lambda *_: self._set_subscribed(False)
        self._client.on_message = self._on_message
        self._port = port
        self._stopping = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self.wait_for(lambda: self._subscribed)

    def wait_for(self, true: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> bool:
        """Wait for something that what comes may make true; whether it did."""
        with self._changed:
            return self._changed.wait_for(true, timeout=seconds)

    def wait_subscribed(self) -> None:
        """Wait until the broker that was started anew knows this subscriber."""
        if not self.wait_for(lambda: self._subscribed):
            raise TimeoutError("witness: no broker")

    def lost(self) -> None:
        """The broker is dead: it need not be noticed first."""
        self._set_subscribed(False)

    def close(self) -> None:
        self._stopping = True
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping:
            try:
                self._client.connect("127.0.0.1", self._port, keepalive=60)
                while not self._stopping and self._client.loop(0.2) == 0:
                    pass
            except OSError:
                pass
            self._set_subscribed(False)
            if not self._stopping:
                time.sleep(0.05)  # nothing tells when a broker is back
        self._client.disconnect()

    def _set_subscribed(self, value: bool) -> None:
        with self._changed:
            self._subscribed = value
            self._changed.notify_all()

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        at, payload = time.time(), message.payload.decode()
        with self._changed:
            if "/event/" in message.topic:
                self.received.append((json.loads(payload), at))
            elif message.topic.endswith("/dropped"):
                told = json.loads(payload)
                self.told.append((told["first"], told["last"]))
            else:
                self.said.append((message.topic.rpartition("/")[2], payload))
            self._changed.notify_all()
