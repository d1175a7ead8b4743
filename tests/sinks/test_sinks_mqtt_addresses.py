"""A broker's name with several addresses: whichever of them lives is taken."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge.cli.demonstration.broker import PrivateBroker

pytestmark = pytest.mark.big

STORY = """
import signal
from edge.sinks.outbox import Outbox
from edge.settings import MqttSettings
from edge.sinks.mqtt.discovery import Board
from edge.sinks.mqtt.sink import MqttSink
from edge.stats import Stats
from edge.topics import Topics
settings = MqttSettings(host="cluster.test", port={port}, retry_seconds=1.0, discovery=False)
board = Board(Topics("edge-audio", "kitchen"), "1", "starter")
sink = MqttSink(settings, board, Outbox(messages=10, size=10000, stats=Stats()))
sink.start()
signal.pause()
"""


class Node(PrivateBroker):
    """One of two with the same port."""

    def __init__(self, host: str, port: int = 0) -> None:
        super().__init__()
        self.host, self.port = host, port


def test_a_cluster_behind_one_name_is_reached_while_one_of_its_nodes_lives(
        tmp_path: Path, listen: Callable[..., Any]) -> None:
    """The name is known to this process only: a hosts file of its own, in a mount namespace of its own."""
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.2 cluster.test\n127.0.0.3 cluster.test\n")
    alone = ["unshare", "--mount", "sh", "-c", f"mount --bind {hosts} /etc/hosts && exec \"$@\"", "sh"]
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no mount namespace for this user")
    with Node("127.0.0.2") as one, Node("127.0.0.3", one.port) as two:
        ears = {node: listen(node) for node in (one, two)}
        process = subprocess.Popen([*alone, sys.executable, "-c", STORY.format(port=one.port)])
        try:
            ears[one].wait_for(lambda heard: ("edge-audio/kitchen/status", "online") in heard)
            one.kill()
            ears[two].wait_for(lambda heard: ("edge-audio/kitchen/status", "online") in heard)
        finally:
            process.kill()
            process.wait()
