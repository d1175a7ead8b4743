"""Real brokers of other makes, each private and on free loopback ports, in the shape of PrivateBroker."""

from __future__ import annotations

import time

import pytest

from deploy.fleet.nats_node import NatsNode, quiet_port
from edge.cli.demonstration.broker import PrivateBroker, find, in_use
from edge.errors import SinkError
from edge.settings import MqttSettings
from edge.sinks.mqtt.connection import check_broker


class OlderMosquitto(PrivateBroker):
    """A Mosquitto that is spoken to in 3.1.1."""

    def settings(self, *, protocol: str = "3.1.1") -> MqttSettings:
        return super().settings(protocol=protocol)


class RememberingMosquitto(OlderMosquitto):
    """A Mosquitto that writes each change of its subscribers' sessions to its disk at once."""

    def _command(self) -> list[str]:
        self._extra = "\n".join(["persistence true", f"persistence_location {self._path('.')}/", "autosave_interval 1",
                                 "autosave_on_changes true"])
        return super()._command()


class RabbitBroker(PrivateBroker):
    """RabbitMQ with its MQTT plugin, under a node name, a home and an epmd of its own. Remembers, even when killed."""

    program = "rabbitmq-server"
    start_seconds = 120.0

    def __init__(self) -> None:
        super().__init__()
        self.port = quiet_port()

    def settings(self, *, protocol: str = "3.1.1") -> MqttSettings:
        return super().settings(protocol=protocol)

    def _command(self) -> list[str]:
        program = "/usr/lib/rabbitmq/bin/rabbitmq-server"  # Debian's one on the path wants to be its own user
        find(program, "rabbitmq-server")
        self._path("plugins").write_text("[rabbitmq_mqtt].\n")
        self._path("rabbitmq.conf").write_text("\n".join([
            "listeners.tcp = none", f"mqtt.listeners.tcp.1 = {self.host}:{self.port}", "mqtt.allow_anonymous = true",
            "disk_free_limit.absolute = 50MB", "log.console = true", "log.file = false", ""]))
        own = {"HOME": self._path("."), "RABBITMQ_NODENAME": f"edge-audio-{self.port}@localhost",
               "RABBITMQ_DIST_PORT": quiet_port(), "ERL_EPMD_PORT": quiet_port(), "ERL_EPMD_ADDRESS": self.host,
               "RABBITMQ_MNESIA_BASE": self._path("mnesia"), "RABBITMQ_LOG_BASE": self._path("logs"),
               "RABBITMQ_CONFIG_FILE": self._path("rabbitmq.conf"), "RABBITMQ_PID_FILE": self._path("pid"),
               "RABBITMQ_ENABLED_PLUGINS_FILE": self._path("plugins"), "RABBITMQ_CONF_ENV_FILE": self._path("none")}
        return ["env", *(f"{name}={value}" for name, value in own.items()), "sh", "-c", f"epmd & exec {program}"]

    def _end(self, *, kill: bool) -> None:
        super()._end(kill=kill)
        deadline = time.monotonic() + self.start_seconds
        while self.port and in_use(self.port) and time.monotonic() < deadline:
            time.sleep(0.02)  # the script that started it ends before it does

    def _answers(self) -> bool:
        try:
            check_broker(self.settings())
        except SinkError:
            return False
        return True


def _each(brokers: dict[str, type[PrivateBroker]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("broker", [
        pytest.param(kind, id=name, marks=() if name.startswith("mosquitto") else pytest.mark.slow)
        for name, kind in brokers.items()], indirect=True)


every_broker = _each({"mosquitto-5": PrivateBroker, "mosquitto-3.1.1": OlderMosquitto, "rabbitmq": RabbitBroker,
                      "nats": NatsNode})
"""For tests of delivery, which every broker must pass: Mosquitto always, the others with `make test-brokers`."""

every_remembering_broker = _each({"mosquitto": RememberingMosquitto, "rabbitmq": RabbitBroker, "nats": NatsNode})
"""The same where the broker is killed and must know its subscribers again."""
