"""Where the broker is: one address, or several nodes of one cluster; and what must not stay there."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace

from edge.errors import SettingsError, SinkError
from edge.settings import MqttSettings
from edge.sinks.mqtt.connection import Connection

OPEN_SECONDS = 10.0
"""How long the network, and then the broker's answer, may take: a broker that a thousand boards come to is slow."""


def nodes_of(settings: MqttSettings, hosts: str | None) -> tuple[MqttSettings, ...]:
    """The settings for each of `hosts` ("a,b:1884,[::1]:1885"), or as they are without hosts. Raises SettingsError."""
    if hosts is None:
        if not settings.host:
            raise SettingsError("the broker", found="nothing", wanted="--host, or --config with [mqtt] host")
        return (settings,)
    return tuple(_node(settings, host.strip()) for host in hosts.split(","))


def _node(settings: MqttSettings, text: str) -> MqttSettings:
    host, colon, port = text.rpartition(":") if text.count(":") == 1 or "]:" in text else (text, "", "")
    host = host.removeprefix("[").removesuffix("]")
    if not host or (colon and not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65_535)):
        raise SettingsError("--host", found=f"{text!r}", wanted="HOST or HOST:PORT, several separated by commas")
    return replace(settings, host=host, port=int(port) if colon else settings.port)


def reach(nodes: Sequence[MqttSettings]) -> tuple[MqttSettings, ...]:
    """See that one node at least takes us, before a thousand boards try; with protocol "auto", in which version.

    The nodes with that version. Raises the last one's SinkError.
    """
    away: SinkError | None = None
    for node in nodes:
        connection = Connection(node, client_id=f"reach-{uuid.uuid4().hex[:12]}")
        try:
            connection.open(OPEN_SECONDS)
            connection.disconnect()
        except SinkError as error:
            away = error
        else:
            return tuple(replace(each, protocol=connection.version) for each in nodes)
        finally:
            connection.close()
    raise away or SettingsError("the broker", found="no address", wanted="one at least")


def sweep(nodes: Sequence[MqttSettings], topics: Iterable[str], seconds: float = 60.0) -> None:
    """Let the broker forget what is retained under these topics. Raises SinkError where no node is reached in time."""
    away: SinkError | None = None
    rest = list(topics)
    deadline = time.monotonic() + seconds
    for node in nodes:
        connection = Connection(node, client_id=f"sweep-{uuid.uuid4().hex[:12]}")
        try:
            connection.open(OPEN_SECONDS)
            while (rest or connection.unacknowledged) and time.monotonic() < deadline:
                while rest and connection.room:
                    connection.publish(rest.pop(), "", retain=True)
                connection.pump(0.1)
            connection.disconnect()
        except SinkError as error:
            away = error
        else:
            return
        finally:
            connection.close()
    if away is not None:
        raise away
