"""`python -m deploy.fleet` against a real Mosquitto."""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.fleet.__main__ import main
from deploy.fleet.nodes import nodes_of
from deploy.fleet.room import make_room
from edge.cli.demonstration.broker import PrivateBroker, free_port
from edge.errors import SettingsError
from edge.settings import MqttSettings
from edge.sinks.mqtt.connection import Connection
from edge.sinks.mqtt.subscriber import Subscriber
from tests.brokers import every_remembering_broker
from tests.sinks.certificates import Authority


@pytest.fixture
def broker(request: pytest.FixtureRequest) -> Iterator[PrivateBroker]:
    """A real broker: Mosquitto, or what `every_remembering_broker` says."""
    with getattr(request, "param", PrivateBroker)() as broker:
        yield broker


def simulate(broker: PrivateBroker, *more: str) -> subprocess.Popen[str]:
    """The command in a process of its own."""
    return subprocess.Popen([sys.executable, "-m", "deploy.fleet", "--host", f"{broker.host}:{broker.port}",
                             "--format", "json", *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(process: subprocess.Popen[str]) -> tuple[dict[str, object], int]:
    """Its figures and its exit code."""
    out, err = process.communicate(timeout=300)
    assert out, err
    return json.loads(out), process.returncode


@pytest.mark.big
@every_remembering_broker
def test_twenty_boards_lose_nothing_while_the_broker_is_killed(broker: PrivateBroker) -> None:
    heard: list[tuple[str, str, bool]] = []
    enough = threading.Event()

    def hear(topic: str, payload: str, retained: bool) -> None:
        heard.append((topic, payload, retained))
        if sum("/event/" in topic for topic, _payload, _retained in heard) >= 20:
            enough.set()

    with Subscriber(broker.settings(), ["edge-audio/#"], hear):
        seconds = "8" if broker.program == "mosquitto" else "30"  # longer than it takes to start
        process = simulate(broker, "--boards", "20", "--seconds", seconds, "--rate", "60", "--drain", "120", "--check")
        try:
            assert enough.wait(60)
            broker.kill()
            broker.start()
            figures, code = ended(process)
        finally:
            process.kill()
            process.wait()
    assert code == 0, figures
    assert figures["boards"] == 20
    assert int(str(figures["reconnections"])) >= 1
    assert int(str(figures["subscriber_reconnections"])) >= 1
    made = figures["messages_made"]
    assert isinstance(made, int) and made == 2 * int(str(figures["events"])) >= 40
    assert figures["messages_acknowledged"] == figures["received"] == made
    assert [figures[name] for name in ("messages_waiting", "messages_dropped", "lost", "strangers")] == [0] * 4
    told = [json.loads(payload) for topic, payload, _retained in heard if "/event/" in topic]
    assert all(re.fullmatch(r"board-00[0-2]\d", one["device"]) for one in told)
    assert all(one["id"][14] == "7" for one in told)  # UUID version 7


@pytest.mark.big
def test_each_board_has_its_own_will_status_states_and_health_and_nothing_stays(broker: PrivateBroker) -> None:
    heard: list[tuple[str, str, bool]] = []
    online = threading.Event()

    def hear(topic: str, payload: str, retained: bool) -> None:
        heard.append((topic, payload, retained))
        if len({topic for topic, _payload, _retained in heard}) >= 3 * 5:
            online.set()

    with Subscriber(broker.settings(), ["edge-audio/+/status", "edge-audio/+/state/+", "edge-audio/+/health"], hear):
        process = simulate(broker, "--boards", "3", "--seconds", "600")
        try:
            assert online.wait(60)
        finally:
            process.kill()  # as a power cut would: the broker tells the wills
            process.wait()
            process.communicate()
        deadline = time.monotonic() + 60
        while sum(message[:2] == (f"edge-audio/board-000{n}/status", "offline")
                  for n in (1, 2, 3) for message in heard) < 3:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    assert {topic.removeprefix("edge-audio/board-0001/") for topic, _payload, _retained in heard
            if "board-0001" in topic} == {"status", "health", "state/hand_clap", "state/typing", "state/siren"}
    _figures, code = ended(simulate(broker, "--boards", "3", "--seconds", "1"))
    assert code == 0
    kept: list[str] = []
    over = threading.Event()
    with Subscriber(broker.settings(), ["#"], lambda topic, *_: over.set() if topic == "over" else kept.append(topic)):
        marker = Connection(broker.settings(), client_id="marker")
        marker.open(30)
        marker.publish("over", "", retain=False)  # comes after all that is retained
        assert over.wait(30)
        marker.disconnect()
    assert kept == []


@pytest.mark.big
def test_the_table_and_a_recording_of_ones_own(broker: PrivateBroker, tmp_path: Path,
                                              capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "edge-audio.toml"
    config.write_text(f'[mqtt]\nhost = "{broker.host}"\nport = {broker.port}\nprefix = "hall"\nprotocol = "3.1.1"\n')
    assert main(["--boards", "2", "--config", str(config), "--seconds", "2", "--rate", "120", "--check",
                 "--subscribers", "2"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^boards +2$", out, re.MULTILINE)
    assert re.search(r"^lost +0$", out, re.MULTILINE)


@pytest.mark.big
def test_settings_with_tls_and_a_password_serve_all_boards(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    authority = Authority(tmp_path / "authority")
    certificate, key = authority.sign("broker", alternative="IP:127.0.0.1")
    with PrivateBroker(user="joe", password="hunter2", extra=f"certfile {certificate}\nkeyfile {key}") as broker:
        config = tmp_path / "edge-audio.toml"
        config.write_text(f'[mqtt]\nhost = "{broker.host}"\nport = {broker.port}\nuser = "joe"\ntls = true\n'
                          f'password_file = "{broker.settings().password_file}"\ntls_ca_file = "{authority.ca}"\n')
        assert main(["--boards", "5", "--config", str(config), "--seconds", "3", "--rate", "300", "--check",
                     "--format", "json"]) == 0
    out, err = capsys.readouterr()
    figures = json.loads(out)
    assert figures["received"] == figures["messages_made"] > 0
    assert "hunter2" not in out + err


@pytest.mark.parametrize(("arguments", "said"), [
    (["--boards", "0", "--host", "h"], "--boards: found 0; wanted 1 or more"),
    (["--boards", "1"], "the broker: found nothing; wanted --host, or --config with [mqtt] host"),
    (["--boards", "1", "--host", "h", "--rate", "0"], "--rate: found 0.0; wanted more than 0, at most 600"),
    (["--boards", "1", "--host", "h", "--rate", "nan"], "--rate: found nan"),
    (["--boards", "1", "--host", "h", "--seconds", "nan"], "--seconds: found nan; wanted 1 or more"),
    (["--boards", "1", "--host", "h", "--subscribers", "2"], "--subscribers: found no --check"),
    (["--boards", "1", "--host", "h:70000"], "--host: found 'h:70000'; wanted HOST or HOST:PORT"),
    (["--boards", "1", "--host", "h,"], "--host: found ''"),
    (["--boards", "1", "--host", "h", "--events", "/nowhere"], "--events /nowhere: found no such file or directory"),
])
def test_what_cannot_work_is_refused(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_broker_that_is_away_is_said_before_a_thousand_boards_try(capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    assert main(["--boards", "1000", "--host", f"127.0.0.1:{port}"]) == 1
    assert f"broker 127.0.0.1:{port}: found connection refused" in capsys.readouterr().err


def test_addresses_are_read() -> None:
    nodes = nodes_of(MqttSettings(port=1999), "a, b:1884,::1,[::1]:1885,[::2]")
    assert [(node.host, node.port) for node in nodes] == [("a", 1999), ("b", 1884), ("::1", 1999), ("::1", 1885),
                                                         ("::2", 1999)]


def test_more_boards_than_files_may_be_opened_are_refused() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        pytest.skip("no limit of open files here")
    try:
        make_room(hard - 200)
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= hard - 100
        with pytest.raises(SettingsError, match=rf"--boards {hard}: found room for \d+ open files; wanted {hard + 100}"):
            make_room(hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
