"""The private Mosquitto of the demonstration and of these tests."""

from __future__ import annotations

import socket

import pytest

from edge.cli.demonstration import broker as broker_module
from edge.cli.demonstration.broker import PrivateBroker, find
from edge.errors import SinkError
from edge.sinks.mqtt.connection import check_broker

pytestmark = pytest.mark.big


def test_it_listens_on_loopback_and_is_gone_afterwards() -> None:
    with PrivateBroker() as broker:
        check_broker(broker.settings())
        folder = broker._path("")
        port = broker.port
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    assert not folder.exists()


def test_two_run_side_by_side() -> None:
    with PrivateBroker() as one, PrivateBroker() as two:
        assert one.port != two.port
        check_broker(one.settings())
        check_broker(two.settings())


def test_it_comes_back_on_the_same_port_after_stop_kill_and_restart() -> None:
    with PrivateBroker() as broker:
        port = broker.port
        broker.stop()
        with pytest.raises(SinkError, match="connection refused"):
            check_broker(broker.settings())
        broker.start()
        broker.kill()
        broker.start()
        broker.restart()
        assert broker.port == port
        check_broker(broker.settings())


def test_its_password_is_for_its_owner_only() -> None:
    with PrivateBroker(user="joe", password="hunter2") as broker:
        check_broker(broker.settings())
        for name in ("password", "users"):
            assert broker._path(name).stat().st_mode & 0o077 == 0
        assert "hunter2" not in broker._path("users").read_text()


def test_a_missing_mosquitto_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker_module.shutil, "which", lambda _program, path: None)
    with pytest.raises(SinkError, match=r"mosquitto: found no such program; wanted Mosquitto \(Debian: apt install mos"):
        find("mosquitto")
    with pytest.raises(SinkError), PrivateBroker():
        pass


def test_a_configuration_that_it_does_not_know_is_said() -> None:
    with pytest.raises(SinkError, match=r"mosquitto: found .*no_such_key"), PrivateBroker(extra="no_such_key 1"):
        pass


def test_a_port_in_use_is_left_to_its_owner() -> None:
    with PrivateBroker() as broker:
        broker.stop()
        with socket.create_server(("127.0.0.1", broker.port)), \
                pytest.raises(SinkError, match=rf"port {broker.port}: found another program's"):
            broker.start()
