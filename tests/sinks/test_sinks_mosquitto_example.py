"""The example for Mosquitto: our sink works under its access list, and nobody can do more than is his."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from edge.cli.demonstration.broker import PrivateBroker, find
from edge.control.commands import Command
from edge.errors import SinkError
from edge.settings import MqttSettings
from edge.sinks.mqtt.commands import MqttCommands
from edge.sinks.mqtt.connection import Connection, check_broker
from edge.sinks.mqtt.discovery import Board, TargetEntities
from edge.sinks.mqtt.sink import MqttSink
from edge.stats import Stats
from edge.stream import Event
from edge.topics import Topics
from tests.sinks.certificates import Authority

pytestmark = pytest.mark.big

EXAMPLE = Path(__file__).resolve().parents[2] / "deploy" / "mosquitto"
USERS = ("kitchen", "cellar", "homeassistant")
OWN = ("status", "event/clap", "state/clap", "health", "dropped", "muted", "pin/17", "response/mute",
       "response/app/1")
DISCOVERY = "homeassistant/device/edge-audio_{}/config"


def configuration(folder: Path, authority: Authority, *, certificates: bool = False) -> str:
    """The example's lines, but for its port and its folder; certificates: with the lines for them, instead of passwords."""
    certificate, key = authority.sign("broker", alternative="IP:127.0.0.1")
    for name, content in (("broker.pem", certificate.read_bytes()), ("broker.key", key.read_bytes()),
                          ("ca.pem", authority.ca.read_bytes()), ("acl", (EXAMPLE / "acl").read_bytes())):
        (folder / name).write_bytes(content)
    (folder / "acl").chmod(0o600)
    for user in USERS:
        subprocess.run([find("mosquitto_passwd"), "-b", *(["-c"] if user == USERS[0] else []), str(folder / "users"), user,
                        f"password of {user}"], check=True, capture_output=True)
        (folder / user).write_text(f"password of {user}\n")
        (folder / user).chmod(0o600)
    lines = (EXAMPLE / "mosquitto.conf").read_text().replace("/etc/mosquitto", str(folder)).splitlines()
    if certificates:
        lines = [line.removeprefix("#") if line.startswith(("#cafile", "#require", "#use_identity")) else line
                 for line in lines if not line.startswith("password_file")]
    return "\n".join(line for line in lines if line and not line.startswith(("#", "listener")))


@pytest.fixture
def example(tmp_path: Path, authority: Authority) -> Iterator[Callable[[str], MqttSettings]]:
    """example(user) -> his settings for a broker that is set up as the example is."""
    with PrivateBroker(extra=configuration(tmp_path, authority)) as broker:
        yield lambda user, protocol="5": replace(
            broker.settings(protocol=protocol), user=user, password_file=str(tmp_path / user), tls=True,
            tls_ca_file=str(authority.ca))


class Person:
    """A user at the broker: says things, and notes what he hears."""

    def __init__(self, settings: MqttSettings, *patterns: str) -> None:
        self.heard: list[tuple[str, str]] = []
        self._connection = Connection(settings, client_id=f"person-{settings.user}-{id(self)}",
                                      on_message=lambda received: self.heard.append((received.topic, received.text)))
        self._connection.open(60.0)
        for pattern in patterns:
            self._connection.subscribe(pattern)
        self.settle()

    def settle(self) -> list[str]:
        """Wait until everything is answered; why things were refused."""
        deadline = time.monotonic() + 60
        while self._connection.unacknowledged:
            assert time.monotonic() < deadline
            self._connection.pump(1.0)
        return [refusal for _number, refusal in self._connection.acknowledged() if refusal]

    def say(self, topic: str, payload: str = "x", *, retain: bool = False) -> list[str]:
        """Publish; why it was refused, if it was."""
        self._connection.publish(topic, payload, retain=retain)
        return self.settle()

    def hears(self, *wanted: str) -> list[tuple[str, str]]:
        """All messages, once each of these topics is among them."""
        deadline = time.monotonic() + 60
        while not {topic for topic, _payload in self.heard} >= set(wanted):
            assert time.monotonic() < deadline, self.heard
            self._connection.pump(1.0)
        return self.heard

    def leave(self) -> None:
        self._connection.disconnect()


def test_our_sink_works_under_the_access_list(example: Callable[..., MqttSettings], start_mqtt: Callable[..., MqttSink],
                                              make_event: Callable[..., Event]) -> None:
    own, config = "edge-audio/kitchen", DISCOVERY.format("kitchen")
    before = Person(example("kitchen"))
    assert before.say(f"{own}/state/removed", "OFF", retain=True) == []
    before.leave()
    home = Person(example("homeassistant"), "#")
    board = Board(Topics("edge-audio", "kitchen"), "1.2.3", "starter", (TargetEntities("clap"),), ("17",))
    done: list[str] = []

    def act(command: Command, answer: Callable[[Mapping[str, object]], None]) -> bool:
        done.append(type(command).__name__)
        answer({"done": True})
        return True

    sink = start_mqtt(example("kitchen"), board=board, commands=MqttCommands(board.topics, ["mute"], act, Stats()))
    sink.event(make_event())
    sink.health({"all": "well"})
    heard = dict(home.hears(*(f"{own}/{topic}" for topic in ("status", "event/clap", "state/clap", "health")), config))
    assert json.loads(heard[f"{own}/health"]) == {"all": "well"}
    assert heard[f"{own}/state/removed"] == "", "it hears what is retained of it, and clears it"
    assert sink.state == "connected"
    home.heard.clear()
    assert home.say("homeassistant/status", "online") == []
    home.hears(config)
    assert home.say(f"{own}/command/mute", "{}") == []
    sink.muted(True)
    sink.pin("17", False)
    heard = dict(home.hears(f"{own}/response/mute", f"{own}/muted", f"{own}/pin/17"))
    assert json.loads(heard[f"{own}/response/mute"])["done"] is True and done == ["Mute"]
    home.heard.clear()
    sink.stop()
    assert (f"{own}/status", "offline") in home.hears(f"{own}/status")
    home.leave()


def test_a_board_may_say_its_own_topics_and_no_others(example: Callable[..., MqttSettings]) -> None:
    home = Person(example("homeassistant"), "#")
    kitchen = Person(example("kitchen"))
    for topic in OWN:
        assert kitchen.say(f"edge-audio/kitchen/{topic}") == []
        assert kitchen.say(f"edge-audio/cellar/{topic}", "forged") == ["not authorized"], topic
    assert kitchen.say(DISCOVERY.format("kitchen")) == []
    for topic in (DISCOVERY.format("cellar"), "edge-audio/kitchen/command/mute", "edge-audio/cellar/command/mute",
                  "edge-audio/kitchen", "edge-audio/kitchen/event/clap/more", "homeassistant/status", "other"):
        assert kitchen.say(topic, "forged") == ["not authorized"], topic
    assert kitchen.say("edge-audio/kitchen/event/last") == []
    assert len(home.hears("edge-audio/kitchen/event/last")) == len(OWN) + 2
    assert not any(payload == "forged" for _topic, payload in home.heard)
    kitchen.leave()
    home.leave()


def test_a_board_hears_its_own_commands_and_nothing_of_others(example: Callable[..., MqttSettings]) -> None:
    home = Person(example("homeassistant"))
    cellar = Person(example("cellar"))
    everything = Person(example("kitchen"), "#", "edge-audio/cellar/#", "edge-audio/+/command/+", "homeassistant/#")
    for topic in OWN:
        assert cellar.say(f"edge-audio/cellar/{topic}", retain=topic in ("status", "state/clap")) == []
    for topic in ("edge-audio/cellar/command/mute", "edge-audio/kitchen/command/mute", "homeassistant/status"):
        assert home.say(topic) == []
    told = {"edge-audio/kitchen/command/mute", "homeassistant/status"}
    assert {topic for topic, _payload in everything.hears(*told)} == told
    late = Person(example("kitchen"), "#")  # retained messages, too
    assert everything.say("edge-audio/kitchen/state/clap") == []
    assert late.hears("edge-audio/kitchen/state/clap") == [("edge-audio/kitchen/state/clap", "x")]
    for person in (home, cellar, everything, late):
        person.leave()


def test_home_assistant_cannot_speak_as_a_board(example: Callable[..., MqttSettings]) -> None:
    home = Person(example("homeassistant"))
    for topic in OWN:
        assert home.say(f"edge-audio/kitchen/{topic}") == ["not authorized"], topic
    home.leave()


def test_what_3_1_1_is_not_allowed_is_lost_without_a_word(example: Callable[..., MqttSettings]) -> None:
    """The broker acknowledges it all the same: README says so."""
    home = Person(example("homeassistant"), "edge-audio/#")
    kitchen = Person(example("kitchen", "3.1.1"))
    assert kitchen.say("edge-audio/cellar/status", "forged") == []
    assert kitchen.say("edge-audio/kitchen/status", "online") == []
    assert home.hears("edge-audio/kitchen/status") == [("edge-audio/kitchen/status", "online")]
    kitchen.leave()
    home.leave()


def test_nobody_comes_in_without_a_password_or_unencrypted(example: Callable[..., MqttSettings]) -> None:
    with pytest.raises(SinkError, match="not authorized"):
        check_broker(replace(example("kitchen"), user="", password_file=""))
    with pytest.raises(SinkError, match="connection closed instead of an answer"):
        check_broker(replace(example("kitchen"), tls=False, tls_ca_file="", protocol="3.1.1"))


def test_a_certificate_s_common_name_may_be_the_user(tmp_path: Path, authority: Authority) -> None:
    certificate, key = authority.sign("kitchen")
    with PrivateBroker(extra=configuration(tmp_path, authority, certificates=True)) as broker:
        settings = replace(broker.settings(), tls=True, tls_ca_file=str(authority.ca))
        kitchen = Person(replace(settings, tls_certificate_file=str(certificate), tls_key_file=str(key)))
        assert kitchen.say("edge-audio/kitchen/status") == []
        assert kitchen.say("edge-audio/cellar/status") == ["not authorized"]
        kitchen.leave()
        with pytest.raises(SinkError, match="demands a certificate of us"):
            check_broker(settings)


def make(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([EXAMPLE / "certificates.sh", *map(str, arguments)], capture_output=True, text=True, check=False)


def test_certificates_that_the_script_makes_serve(tmp_path: Path) -> None:
    made = tmp_path / "made"
    assert make(made, "127.0.0.1", "kitchen").returncode == 0
    before = {path.name: path.read_bytes() for path in made.iterdir()}
    done = make(made, "127.0.0.1", "kitchen", "cellar")
    assert done.returncode == 0 and done.stdout == f"{made}/cellar.pem, cellar.key: for cellar\n"
    files = {path.name: path.read_bytes() for path in made.iterdir()}
    assert files.keys() == {f"{name}.{end}" for name in ("ca", "broker", "kitchen", "cellar") for end in ("pem", "key")}
    assert before.items() <= files.items()
    extra = f"certfile {made}/broker.pem\nkeyfile {made}/broker.key\ncafile {made}/ca.pem\nrequire_certificate true"
    with PrivateBroker(extra=extra) as broker:
        for board in ("kitchen", "cellar"):
            check_broker(replace(broker.settings(), tls=True, tls_ca_file=str(made / "ca.pem"),
                                 tls_certificate_file=str(made / f"{board}.pem"), tls_key_file=str(made / f"{board}.key")))
    strict = ssl.create_default_context(cafile=str(made / "ca.pem"))
    strict.verify_flags |= ssl.VERIFY_X509_STRICT  # as newer Pythons have it, Home Assistant's among them
    strict.load_cert_chain(made / "cellar.pem", made / "cellar.key")
    with PrivateBroker(extra=extra) as broker, \
            strict.wrap_socket(socket.create_connection((broker.host, broker.port)), server_hostname="127.0.0.1") as line:
        assert line.getpeercert()["subject"] == ((("commonName", "127.0.0.1"),),)


@pytest.mark.parametrize("names", [
    (), ("broker.example", "broker"), ("broker", "broker"), ("broker.example", "ca"), ("a b",), ("a,DNS:b",),
    ("broker.example", "../kitchen"), ("broker.example", "a/b"), ("broker.example", "")])
def test_names_that_are_none_make_nothing(tmp_path: Path, names: tuple[str, ...]) -> None:
    done = make(tmp_path / "made", *names)
    assert done.returncode == 2 and ("Usage" in done.stderr or "wanted" in done.stderr)
    assert not (tmp_path / "made").exists()
