"""A NATS server with JetStream and MQTT on loopback: alone, or as one node of a cluster. For `make fleet` and tests."""

from __future__ import annotations

import random
from collections.abc import Sequence

from edge.cli.demonstration.broker import PrivateBroker, find, in_use
from edge.errors import SinkError
from edge.settings import MqttSettings
from edge.sinks.mqtt.connection import check_broker


class NatsNode(PrivateBroker):
    """A context, as a PrivateBroker. What it stores lies in a folder of its own and outlives `kill`, not the context."""

    program = "nats-server"
    start_seconds = 60.0

    def __init__(self, name: str = "node-1", *, cluster_port: int = 0, routes: Sequence[int] = ()) -> None:
        """cluster_port: where it listens to the others, 0: alone; routes: the cluster ports of all nodes."""
        super().__init__()
        self._name, self._cluster_port, self._routes = name, cluster_port, routes
        self.port, self._client_port = quiet_port(), quiet_port()

    def settings(self, *, protocol: str = "3.1.1") -> MqttSettings:
        """What a client needs to come in. NATS speaks 3.1.1 only."""
        return super().settings(protocol=protocol)

    def _command(self) -> list[str]:
        lines = [f"server_name: {self._name}", f"listen: {self.host}:{self._client_port}",
                 f'jetstream {{ store_dir: "{self._path("store")}" }}', f'mqtt {{ listen: "{self.host}:{self.port}" }}']
        if self._cluster_port:
            routes = ", ".join(f'"nats://{self.host}:{port}"' for port in self._routes)
            lines.append(f"cluster {{ name: edge-audio, listen: {self.host}:{self._cluster_port}, routes: [{routes}] }}")
        self._path("conf").write_text("\n".join([*lines, ""]))
        return [find("nats-server", "nats-server"), "-c", str(self._path("conf"))]

    def _answers(self) -> bool:
        if self._cluster_port:
            return super()._answers()  # a node takes nobody in before there are enough of them
        try:
            self.admit()
        except SinkError:
            return False
        return True

    def admit(self) -> None:
        """Let a client in, once. Raises SinkError where that fails."""
        check_broker(self.settings())


def quiet_port() -> int:
    """A free loopback port that no outgoing connection takes while a broker needs seconds to start."""
    while in_use(port := random.randrange(20_000, 32_000)):
        pass
    return port
