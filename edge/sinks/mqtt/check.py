"""Whether a broker can be used, asked without disturbing a device that runs."""

from __future__ import annotations

import uuid

from edge.settings import MqttSettings
from edge.sinks.mqtt.connection import Connection
from edge.sinks.mqtt.sink import CONNECT_SECONDS


def check_broker(settings: MqttSettings, timeout_seconds: float = CONNECT_SECONDS) -> str:
    """Connect once and leave, under a name of its own, so that a running device is not disturbed; what was spoken.

    Raises SinkError saying why the broker cannot be used, SettingsError for a useless password file.
    """
    connection = Connection(settings, client_id=f"check-{uuid.uuid4().hex[:16]}")
    try:
        connection.open(timeout_seconds)
        spoken = connection.spoken
        connection.disconnect()
        return spoken
    finally:
        connection.close()
