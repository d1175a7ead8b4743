"""Encrypted connections to real brokers, and whatever can be wrong with them: each is said in words that help."""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.cli.demonstration.broker import PrivateBroker
from edge.errors import SinkError
from edge.settings import MqttSettings
from edge.sinks.mqtt.connection import check_broker
from edge.sinks.mqtt.sink import MqttSink
from tests.sinks.certificates import Authority

pytestmark = pytest.mark.big

LONG_AGO, IN_FUTURE = ("200101000000Z", "210101000000Z"), ("480101000000Z", "490101000000Z")
LOOPBACK = "IP:127.0.0.1"
StartMqtt = Callable[..., MqttSink]
Until = Callable[[Callable[[], bool]], None]


def lines(pair: tuple[Path, Path], *more: str) -> str:
    return "\n".join([f"certfile {pair[0]}", f"keyfile {pair[1]}", *more])


def demand(authority: Authority) -> tuple[str, str]:
    return f"cafile {authority.ca}", "require_certificate true"


def encrypted(broker: PrivateBroker, authority: Authority, **keys: Any) -> MqttSettings:
    return replace(broker.settings(protocol="auto"), tls=True, **({"tls_ca_file": str(authority.ca)} | keys))


@pytest.fixture
def newest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """newest("TLSv1.1"): brokers started from now on speak nothing newer."""

    def limit(version: str) -> None:
        file = tmp_path / "openssl.conf"
        file.write_text("openssl_conf=a\n[a]\nssl_conf=b\n[b]\nsystem_default=c\n[c]\nMinProtocol=TLSv1\n"
                        f"MaxProtocol={version}\nCipherString=DEFAULT:@SECLEVEL=0\n")
        monkeypatch.setenv("OPENSSL_CONF", str(file))

    return limit


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_broker_of_a_believed_ca_takes_us_in(version: str, protocol: str, authority: Authority,
                                               newest: Callable[[str], None]) -> None:
    newest(version)
    with PrivateBroker(extra=lines(authority.sign("broker", alternative=LOOPBACK))) as broker:
        spoken = check_broker(replace(encrypted(broker, authority), protocol=protocol))
        assert spoken == f"MQTT {protocol} over {version}"
        assert check_broker(replace(encrypted(broker, authority, tls_ca_file=""), tls_insecure=True)).startswith("MQTT 5")


@pytest.mark.parametrize(("alternative", "days", "found"), [
    ("DNS:localhost", None, r"a certificate for another host than 127\.0\.0\.1; wanted mqtt\.host as the broker's"),
    ("", None, r"a certificate for another host than 127\.0\.0\.1"),
    (LOOPBACK, LONG_AGO, r"an expired certificate \(by this board's clock: 20.*UTC\); wanted a valid certificate, and a"),
    (LOOPBACK, IN_FUTURE, r"a certificate that is not yet valid \(by this board's clock: 20"),
])
def test_a_certificate_that_does_not_serve_is_said(alternative: str, days: tuple[str, str] | None, found: str,
                                                   authority: Authority) -> None:
    with PrivateBroker(extra=lines(authority.sign("127.0.0.1", alternative=alternative, days=days))) as broker:
        settings = encrypted(broker, authority)
        with pytest.raises(SinkError, match=rf"broker 127\.0\.0\.1:{broker.port}: found {found}"):
            check_broker(settings)
        check_broker(replace(settings, tls_insecure=True))  # so it was nothing else


def test_a_host_is_known_by_its_name(authority: Authority) -> None:
    with PrivateBroker(extra=lines(authority.sign("broker", alternative="DNS:localhost"))) as broker:
        check_broker(encrypted(broker, authority, host="localhost"))


def test_a_ca_that_is_not_ours_is_said(authority: Authority, tmp_path: Path) -> None:
    other = Authority(tmp_path / "other", "another CA")
    with PrivateBroker(extra=lines(authority.sign("broker", alternative=LOOPBACK))) as broker:
        for file in (str(other.ca), ""):  # the system's
            with pytest.raises(SinkError, match=r"found a certificate of an unknown CA .*; wanted the CA that signed its"):
                check_broker(encrypted(broker, authority, tls_ca_file=file))
    with PrivateBroker(extra=lines((other.ca, other.key))) as broker, \
            pytest.raises(SinkError, match=r"found a certificate of an unknown CA \(self.signed certificate\)"):
        check_broker(encrypted(broker, authority))


def test_a_port_without_tls_is_said(broker: PrivateBroker, authority: Authority, make_door: Callable[..., Any]) -> None:
    with pytest.raises(SinkError, match=r"no TLS on this port.*; wanted the port on which the broker speaks TLS"):
        check_broker(encrypted(broker, authority))
    for answer in (b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n", b""):
        settings = replace(encrypted(broker, authority), port=make_door(0, answer).port)
        with pytest.raises(SinkError, match=r"no TLS on this port"):
            check_broker(settings, timeout_seconds=20)


def test_a_port_with_tls_is_said_where_none_is_set(authority: Authority) -> None:
    with PrivateBroker(extra=lines(authority.sign("broker", alternative=LOOPBACK))) as broker, \
            pytest.raises(SinkError, match=r"connection closed instead of an answer \(mqtt\.tls = true may help\)"):
        check_broker(broker.settings(protocol="auto"))


def test_a_handshake_that_never_ends_is_given_up(make_door: Callable[..., Any], authority: Authority) -> None:
    settings = MqttSettings(host="127.0.0.1", port=make_door(0).port, tls=True, tls_ca_file=str(authority.ca))
    with pytest.raises(SinkError, match=r"found no answer within 0\.5 s"):
        check_broker(settings, timeout_seconds=0.5)


def test_a_broker_of_tls_1_1_is_refused(authority: Authority, newest: Callable[[str], None]) -> None:
    pair = authority.sign("broker", alternative=LOOPBACK)
    newest("TLSv1.1")
    with PrivateBroker(extra=lines(pair, "tls_version tlsv1.1")) as broker:
        for insecure in (False, True):
            with pytest.raises(SinkError, match=r"found no TLS 1\.2 or later; wanted a broker that speaks TLS 1\.2"):
                check_broker(encrypted(broker, authority, tls_insecure=insecure))
        lenient = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        lenient.load_verify_locations(authority.ca)
        lenient.set_ciphers("DEFAULT:@SECLEVEL=0")
        with pytest.warns(DeprecationWarning):
            lenient.minimum_version = ssl.TLSVersion.TLSv1_1
        with lenient.wrap_socket(socket.create_connection((broker.host, broker.port)), server_hostname="127.0.0.1") as line:
            assert line.version() == "TLSv1.1", "so it was the version that was refused"


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_a_broker_that_demands_a_certificate(version: str, authority: Authority, tmp_path: Path,
                                             newest: Callable[[str], None]) -> None:
    pair = authority.sign("broker", alternative=LOOPBACK)
    ours, old = authority.sign("kitchen"), authority.sign("kitchen", days=LONG_AGO)
    stranger = Authority(tmp_path / "other", "another CA").sign("kitchen")
    newest(version)
    with PrivateBroker(extra=lines(pair, *demand(authority))) as broker:
        settings = encrypted(broker, authority)
        with pytest.raises(SinkError, match=r"demand a certificate of us|demands a certificate of us") as told:
            check_broker(settings)
        assert told.value.wanted == "a certificate that the broker knows in mqtt.tls_certificate_file, with its key"
        for (certificate, key), found in ((stranger, "unknown ca"), (old, "certificate expired")):
            with pytest.raises(SinkError, match=rf"found it refuses our certificate: {found}"):
                check_broker(replace(settings, tls_certificate_file=str(certificate), tls_key_file=str(key)))
        check_broker(replace(settings, tls_certificate_file=str(ours[0]), tls_key_file=str(ours[1])))


def test_verification_that_is_off_is_said_at_every_start(authority: Authority, start_mqtt: StartMqtt, until: Until,
                                                         caplog: pytest.LogCaptureFixture) -> None:
    with PrivateBroker(extra=lines(authority.sign("broker", alternative=LOOPBACK))) as broker:
        for start in range(2):
            sink = start_mqtt(encrypted(broker, authority, tls_ca_file="", tls_insecure=True))
            until(lambda sink=sink: sink.state == "connected")  # type: ignore[misc]
            said = [record for record in caplog.records if "any certificate is believed" in record.getMessage()]
            assert [record.levelno for record in said] == [logging.WARNING] * (start + 1)
        caplog.clear()
        until(lambda: start_mqtt(encrypted(broker, authority)).state != "")
        assert "believed" not in caplog.text


def test_the_state_says_what_is_wrong_and_a_renewed_certificate_mends_it(
        authority: Authority, start_mqtt: StartMqtt, until: Until, tmp_path: Path) -> None:
    old, new = (authority.sign("broker", alternative=LOOPBACK, days=days) for days in (LONG_AGO, None))
    pair = tmp_path / "certificate.pem", tmp_path / "key.pem"
    for file, content in zip(pair, old, strict=True):
        file.write_bytes(content.read_bytes())
    with PrivateBroker(extra=lines(pair)) as broker:
        sink = start_mqtt(encrypted(broker, authority))
        until(lambda: sink.state.startswith("away: an expired certificate"))
        for file, content in zip(pair, new, strict=True):
            file.write_bytes(content.read_bytes())
        broker.restart()
        until(lambda: sink.state == "connected")


def test_a_file_that_is_lost_while_it_runs_is_said_and_its_return_mends_it(
        authority: Authority, start_mqtt: StartMqtt, until: Until, tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_bytes(authority.ca.read_bytes())
    with PrivateBroker(extra=lines(authority.sign("broker", alternative=LOOPBACK))) as broker:
        sink = start_mqtt(encrypted(broker, authority, tls_ca_file=str(ca)))
        until(lambda: sink.state == "connected")
        ca.unlink()
        broker.restart()
        until(lambda: sink.state.startswith(f"away: [mqtt] tls_ca_file {ca}: found no such file or directory"))
        ca.write_bytes(authority.ca.read_bytes())
        until(lambda: sink.state == "connected")
