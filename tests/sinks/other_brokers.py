"""Debian's other brokers, which speak MQTT 3.1.1, each alone in a folder of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.demo.broker import free_port

START_SECONDS = 120.0


@contextlib.contextmanager
def nats(folder: Path) -> Iterator[int]:
    """A NATS server with JetStream; the port on which it speaks MQTT, to everybody."""
    port = free_port()
    (folder / "nats.conf").write_text(f'server_name: one\nlisten: "127.0.0.1:{free_port()}"\n'
                                      f'jetstream: {{store_dir: "{folder}/jetstream"}}\n'
                                      f'mqtt: {{listen: "127.0.0.1:{port}"}}\n')
    with _running("nats-server", ["-c", str(folder / "nats.conf")], folder, "Server is ready"):
        yield port


@contextlib.contextmanager
def rabbit(folder: Path) -> Iterator[int]:
    """A RabbitMQ node with its MQTT plugin; the port on which it speaks MQTT, to everybody. Starting takes seconds."""
    port, mapper = free_port(), free_port()
    (folder / "plugins").write_text("[rabbitmq_mqtt].\n")
    (folder / "rabbitmq.conf").write_text(f"listeners.tcp = none\nmqtt.listeners.tcp.1 = 127.0.0.1:{port}\n"
                                          "mqtt.allow_anonymous = true\n")
    environment = {
        "HOME": str(folder), "RABBITMQ_NODENAME": f"n{port}@localhost", "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"), "RABBITMQ_LOG_BASE": str(folder), "RABBITMQ_LOGS": "-",
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"), "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
        "ERL_EPMD_PORT": str(mapper), "ERL_EPMD_ADDRESS": "127.0.0.1"}
    # The names of its nodes are kept by a daemon, which it would start and leave behind.
    with _running("epmd", [], folder, "", environment), \
            _running("/usr/lib/rabbitmq/bin/rabbitmq-server", [], folder, "Server startup complete", environment):
        yield port


@contextlib.contextmanager
def _running(program: str, arguments: list[str], folder: Path, ready: str, environment: dict[str, str] | None = None,
             ) -> Iterator[None]:
    """A program and its children, from the word `ready` in its output to the end of the block."""
    found = shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        pytest.skip(f"no {program} (deploy/packages.sh brokers)")
    output = folder / f"{Path(program).name}.log"
    with output.open("wb") as log:
        process = subprocess.Popen([found, *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   env=os.environ | (environment or {}), start_new_session=True)
    try:
        deadline = time.monotonic() + START_SECONDS
        while ready not in output.read_text(errors="replace"):
            assert process.poll() is None and time.monotonic() < deadline, output.read_text(errors="replace")[-2000:]
            time.sleep(0.05)  # nothing tells when it listens
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
