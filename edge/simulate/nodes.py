"""Where the broker is: one address, or several nodes of one cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from edge.errors import SettingsError, SinkError
from edge.settings import MqttSettings
from edge.sinks.mqtt import check_broker


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


def reach(nodes: Sequence[MqttSettings]) -> None:
    """See that one node at least takes us, before a thousand boards try. Raises the last one's SinkError."""
    away: SinkError | None = None
    for node in nodes:
        try:
            check_broker(node)
        except SinkError as error:
            away = error
        else:
            return
    if away is not None:
        raise away
