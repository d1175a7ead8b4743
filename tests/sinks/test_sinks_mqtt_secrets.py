"""The password and the key of our certificate: where they come from, and whose files are refused."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from edge.cli.demonstration.broker import PrivateBroker
from edge.errors import SettingsError, SinkError
from edge.settings import MqttSettings
from edge.sinks.mqtt.connection import check_broker
from edge.sinks.mqtt.secrets import read_password
from edge.sinks.mqtt.sink import MqttSink
from edge.sinks.outbox import Outbox
from edge.stats import Stats
from tests.sinks.certificates import Authority, encrypt
from tests.sinks.conftest import board_of

NOTHING = Outbox(messages=1, size=1, stats=Stats())

NOT_A_GROUP_OF_OURS = 54_321


def secret(path: Path, content: bytes = b"hunter2\n", mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


def with_file(path: Path) -> MqttSettings:
    return MqttSettings(host="127.0.0.1", user="joe", password_file=str(path))


@pytest.mark.big
def test_a_password_file_without_a_final_line_break_and_with_carriage_return_works(tmp_path: Path) -> None:
    with PrivateBroker(user="joe", password="wörd 1") as broker:
        for text in ("wörd 1", "wörd 1\n", "wörd 1\r\n", "wörd 1\nsecond line\n"):
            check_broker(replace(broker.settings(), password_file=str(secret(tmp_path / "password", text.encode()))))


@pytest.mark.parametrize(("content", "found"), [(None, "no such file or directory"), (b"", "an empty first line"),
                                                (b"\nsecret\n", "an empty first line"),
                                                (b"x" * 70_000, "a first line of 65537 bytes or more"),
                                                (b"\xff\xfe\n", "bytes that are not UTF-8")])
def test_a_useless_password_file_is_a_settings_error(tmp_path: Path, content: bytes | None, found: str) -> None:
    file = tmp_path / "password"
    if content is not None:
        secret(file, content)
    wanted = rf"\[mqtt\] password_file {file}: found {found}; wanted a file whose first line is the password"
    with pytest.raises(SettingsError, match=wanted):
        MqttSink(with_file(file), board_of(), NOTHING)
    with pytest.raises(SettingsError, match=wanted):
        check_broker(with_file(file))


def test_a_file_that_is_no_plain_file_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(SettingsError, match=r"found (no plain file|is a directory); wanted a file"):
            read_password(with_file(path))


def test_a_password_without_a_user_is_a_settings_error(tmp_path: Path) -> None:
    for settings in (MqttSettings(password_file=str(tmp_path / "x")), MqttSettings(password_credential="x")):
        with pytest.raises(SettingsError, match=r"\[mqtt\] user: found nothing; wanted the user whose password \[mqtt\]"):
            check_broker(replace(settings, host="127.0.0.1"))


@pytest.mark.big
@pytest.mark.parametrize("mode", [0o604, 0o640, 0o660, 0o644, 0o606, 0o622, 0o610, 0o777])
def test_a_file_that_others_can_read_or_change_is_refused(tmp_path: Path, mode: int, authority: Authority) -> None:
    with pytest.raises(SettingsError, match=rf"found mode {mode:04o}, by which others can .*wanted mode 0600") as told:
        MqttSink(with_file(secret(tmp_path / "password", mode=mode)), board_of(), NOTHING)
    assert "hunter2" not in str(told.value)
    certificate, key = authority.sign("client")
    key.chmod(mode)
    with pytest.raises(SettingsError, match=rf"\[mqtt\] tls_key_file {key}: found mode {mode:04o}"):
        check_broker(MqttSettings(host="127.0.0.1", tls=True, tls_certificate_file=str(certificate),
                                  tls_key_file=str(key)))


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_file_for_its_owner_only_serves(tmp_path: Path, mode: int) -> None:
    assert read_password(with_file(secret(tmp_path / "password", mode=mode))) == "hunter2"


@pytest.mark.big
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize(("owner", "group", "mode", "fine"), [
    (0, 1234, 0o640, True), (0, 1234, 0o440, True), (0, NOT_A_GROUP_OF_OURS, 0o640, False), (0, 1234, 0o660, False),
    (0, 1234, 0o644, False), (1234, 1234, 0o640, False), (1234, 1234, 0o600, True), (0, 1235, 0o640, False)])
def test_roots_file_may_be_readable_by_the_service_s_own_group(tmp_path: Path, owner: int, group: int, mode: int,
                                                              fine: bool) -> None:
    """As a service of its own user and group (1234), with 1235 as another group of that user."""
    file = secret(tmp_path / "password")
    os.chown(file, owner, group)
    file.chmod(mode)
    tmp_path.chmod(0o711)
    program = ("import os, sys\nfrom edge.settings import MqttSettings\nfrom edge.sinks.mqtt.secrets import read_password\n"
               "os.chdir(sys.argv[1]); os.setgroups([1235]); os.setgid(1234); os.setuid(1234)\n"
               "print(read_password(MqttSettings(user='joe', password_file='password')))")
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=False)
    if fine:
        assert done.stdout == "hunter2\n", done.stderr
    else:
        assert "SettingsError: [mqtt] password_file password: found" in done.stderr
        assert "hunter2" not in done.stdout + done.stderr


@pytest.mark.big
def test_systemd_s_credentials_serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, authority: Authority) -> None:
    """Their access lists show as readable by the group, which says nothing: systemd guards them."""
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    secret(tmp_path / "mqtt-password", mode=0o440)
    certificate, key = authority.sign("127.0.0.1", alternative="IP:127.0.0.1")
    secret(tmp_path / "mqtt-key", key.read_bytes(), 0o440)
    lines = f"certfile {certificate}\nkeyfile {key}\ncafile {authority.ca}\nrequire_certificate true"
    with PrivateBroker(user="joe", password="hunter2", extra=lines) as broker:
        settings = replace(broker.settings(), password_file="", password_credential="mqtt-password", tls=True,
                           tls_ca_file=str(authority.ca), tls_certificate_file=str(certificate),
                           tls_key_credential="mqtt-key")
        check_broker(settings)
        with pytest.raises(SinkError, match=r"refused: not authori[sz]ed"):
            check_broker(replace(settings, user="jim"))


@pytest.mark.parametrize(("name", "folder", "found"), [
    ("mqtt-password", "", r"mqtt-password: found no CREDENTIALS_DIRECTORY: .*wanted LoadCredential=mqtt-password:FILE"),
    ("mqtt-password", "there", "mqtt-password: found no such file or directory; wanted a file whose first line"),
    ("../mqtt-password", "there", r"found '\.\./mqtt-password'; wanted the name that systemd's LoadCredential="),
    ("..", "there", r"found '\.\.'; wanted the name"),
])
def test_a_credential_that_is_not_there_is_said(name: str, folder: str, found: str, tmp_path: Path,
                                                monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / folder) if folder else "")
    with pytest.raises(SettingsError, match=rf"\[mqtt\] password_credential.*{found}"):
        MqttSink(MqttSettings(host="127.0.0.1", user="joe", password_credential=name), board_of(), NOTHING)


@pytest.mark.big
def test_certificates_and_keys_that_are_none_are_named(tmp_path: Path, authority: Authority) -> None:
    certificate, key = (str(path) for path in authority.sign("client"))
    other_key = str(authority.sign("other")[1])
    junk, empty = str(secret(tmp_path / "junk", b"junk\n")), str(secret(tmp_path / "empty", b""))
    missing = str(tmp_path / "missing")
    settings = MqttSettings(host="127.0.0.1", tls=True, tls_certificate_file=certificate, tls_key_file=key)
    for keys, found in [
        ({"tls_ca_file": missing}, "tls_ca_file .*found no such file or directory"),
        ({"tls_ca_file": junk}, "tls_ca_file .*found no certificate; wanted a PEM file of the CA"),
        ({"tls_ca_file": empty}, "tls_ca_file .*found no certificate"),
        ({"tls_ca_file": key}, "tls_ca_file .*found no certificate"),
        ({"tls_ca_file": str(tmp_path)}, "tls_ca_file .*found is a directory"),
        ({"tls_certificate_file": missing}, "tls_certificate_file .*found no such file or directory"),
        ({"tls_certificate_file": junk}, "tls_certificate_file .*found no certificate; wanted a PEM file of our cert"),
        ({"tls_key_file": missing}, "tls_key_file .*found no such file or directory; wanted a PEM file of a key"),
        ({"tls_key_file": junk}, "tls_key_file .*found no key; wanted a PEM file of the key of mqtt.tls_certificate_file"),
        ({"tls_key_file": empty}, "tls_key_file .*found an empty file"),
        ({"tls_key_file": other_key}, "tls_key_file .*found the key of another certificate"),
        ({"tls_key_file": str(encrypt(Path(key)))}, "tls_key_file .*found an encrypted key; wanted one without a pass"),
    ]:
        with pytest.raises(SettingsError, match=rf"\[mqtt\] {found}"):
            MqttSink(replace(settings, **keys), board_of(), NOTHING)
