"""A thousand boards against a NATS cluster of three nodes while one of them is killed and comes back. Run by `make fleet`.

    python -m deploy.fleet.nats [--boards 1000] [--rate 10] [--seconds 120] [--kill 1]

The nodes run on loopback, each with JetStream (three copies of all that is stored) and MQTT. The boards are those of
`python -m deploy.fleet --check`, a third of them on each node; its subscriber begins on node 1, so that its own session must
move when that node is killed. Prints the figures; exit code 1 if anything is lost or stays undelivered.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import time

from deploy.fleet.nats_node import NatsNode, quiet_port
from deploy.fleet.process import boards_options, play, say, spent
from edge.errors import EdgeError

DOWN_SECONDS = 15.0
"""How long the killed node stays away."""

READY_SECONDS = 60.0
"""How long the cluster may take to find itself."""


def main() -> int:
    """Start, play, kill, start again, say."""
    parser = argparse.ArgumentParser(prog="python -m deploy.fleet.nats", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    boards_options(parser)
    parser.add_argument("--kill", type=int, default=1, choices=(1, 2, 3), help="which node")
    options = parser.parse_args()
    ports = [quiet_port() for _ in range(3)]
    with contextlib.ExitStack() as stack:
        nodes = [stack.enter_context(NatsNode(f"node-{number + 1}", cluster_port=ports[number], routes=ports))
                 for number in range(3)]
        await_cluster(nodes)
        hosts = ",".join(f"{node.host}:{node.port}" for node in nodes)
        began = time.monotonic()
        boards = stack.enter_context(play(options, hosts))
        killed = nodes[options.kill - 1]
        wait_until(began + options.seconds / 2, boards)
        killed.kill()
        say(f"{time.monotonic() - began:.0f} s: node {options.kill} killed")
        wait_until(time.monotonic() + DOWN_SECONDS, boards)
        killed.start()
        say(f"{time.monotonic() - began:.0f} s: node {options.kill} started again")
        code = boards.wait()
        for number, node in enumerate(nodes, 1):
            say(f"node {number}{' since it came back' if node is killed else ''}: {spent(node.pid)}")
    return code


def await_cluster(nodes: list[NatsNode]) -> None:
    """Wait until every node takes clients in: they have elected a leader, and made the streams. Raises EdgeError."""
    deadline = time.monotonic() + READY_SECONDS
    for node in nodes:
        while True:
            try:
                node.admit()
            except EdgeError:
                if time.monotonic() >= deadline:
                    raise
            else:
                break


def wait_until(moment: float, boards: subprocess.Popen[bytes]) -> None:
    """Sleep until `moment` (monotonic seconds), or until the boards have ended."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        boards.wait(max(moment - time.monotonic(), 0.0))


if __name__ == "__main__":
    sys.exit(main())
