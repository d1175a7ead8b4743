"""No secret leaves the process: real programs, looked at from outside, while they run, are refused, and crash."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from edge.cli.demonstration.broker import PrivateBroker
from edge.sinks.mqtt.subscriber import Subscriber
from tests.sinks.certificates import Authority

pytestmark = pytest.mark.big

ROOT = Path(__file__).resolve().parent.parent
PASSWORD = "Tr0ub4dor-correct-horse"
KNOCKS = "\n".join((
    "import os, time", "while True:", "    for block in 10 * [bytes(3200)] + 3 * [os.urandom(3200)]:",
    "        os.write(1, block); time.sleep(0.1)"))
"""A second of silence, 0.3 s of noise, and again."""
CRASH = """
import logging, sys, tomllib
from pathlib import Path
from edge.settings_file import load_settings
from edge.sinks.mqtt.connection import Connection
logging.basicConfig(level=logging.DEBUG)
settings = load_settings(Path(sys.argv[1])).mqtt
def crash(received):
    raise RuntimeError(f"a bug: {settings!r}")
connection = Connection(settings, client_id="crash", on_message=crash)
connection.open(60.0)
connection.subscribe("$SYS/#")
while True:
    connection.pump(1.0)
"""


@pytest.fixture
def configured(tmp_path: Path) -> Iterator[tuple[Path, PrivateBroker, list[str], Callable[..., dict[str, str]]]]:
    """A settings file that runs for ever with password and key from files, its broker, what nobody may see, and an
    environment in which systemd's credentials are named, too."""
    authority = Authority(tmp_path / "authority")
    certificate, key = authority.sign("broker", alternative="IP:127.0.0.1")
    ours, our_key = authority.sign("kitchen")
    lines = f"certfile {certificate}\nkeyfile {key}\ncafile {authority.ca}\nrequire_certificate true"
    password = tmp_path / "mqtt-password"
    password.touch(0o600)
    password.write_text(PASSWORD + "\n")
    with PrivateBroker(user="kitchen", password=PASSWORD, extra=lines) as broker:
        settings = tmp_path / "edge.toml"
        settings.write_text(
            f'[source]\nkind = "command"\ncommand = ["{sys.executable}", "-c", {json.dumps(KNOCKS)}]\n'
            '[[target]]\nname = "loud"\nlouder_db = 20.0\n'
            f'[mqtt]\nhost = "127.0.0.1"\nport = {broker.port}\nuser = "kitchen"\npassword_file = "{password}"\n'
            f'tls = true\ntls_ca_file = "{authority.ca}"\ntls_certificate_file = "{ours}"\ntls_key_file = "{our_key}"\n'
            'health_seconds = 1.0\n[log]\nlevel = "debug"\n')
        secrets = [PASSWORD, *(line for line in our_key.read_text().splitlines() if "PRIVATE KEY" not in line)]

        def environment(**more: str) -> dict[str, str]:
            return {**os.environ, "EDGE_AUDIO_STATE": str(tmp_path / "state"), "PYTHONPATH": str(ROOT), **more}

        yield settings, broker, secrets, environment


Configured = tuple[Path, PrivateBroker, list[str], Callable[..., dict[str, str]]]


def assert_kept(secrets: list[str], shown: str) -> None:
    assert shown, "something was looked at"
    for secret in secrets:
        assert secret not in shown


@pytest.mark.parametrize("credential", [False, True])
def test_a_running_appliance_shows_none(configured: Configured, tmp_path: Path, credential: bool) -> None:
    """Log at level debug, process list, every topic, every file it writes, and the traceback of all threads at its end."""
    settings, broker, secrets, environment = configured
    if credential:
        text = settings.read_text()
        settings.write_text("\n".join('password_credential = "mqtt-password"' if line.startswith("password_file") else line
                                      for line in text.splitlines()))
    heard: list[str] = []
    healthy, loud = threading.Event(), threading.Event()

    def on_message(topic: str, payload: str, _retained: bool) -> None:
        heard.append(f"{topic} {payload}")
        if topic.endswith("/health") and '"mqtt":"connected' in payload:
            healthy.set()
        if "/event/loud " in heard[-1]:
            loud.set()

    document = {line.split(" = ")[0]: json.loads(line.split(" = ")[1]) for line in settings.read_text().splitlines()
                if line.startswith("tls_") and " = " in line}
    watching = replace(broker.settings(), tls=True, **document)
    process = subprocess.Popen([sys.executable, "-m", "edge", "run", "--config", str(settings)], cwd=ROOT, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               env=environment(PYTHONFAULTHANDLER="1", CREDENTIALS_DIRECTORY=str(tmp_path)))
    try:
        with Subscriber(watching, ["#", "$SYS/#"], on_message):
            assert healthy.wait(60) and loud.wait(60), heard
        processes = "".join((folder / name).read_text(errors="replace") for folder in Path("/proc").glob("[0-9]*")
                            for name in ("cmdline", "environ")
                            if folder.name in (str(process.pid), *children(process.pid)))
        assert "edge" in processes and "edge.toml" in processes
    finally:
        process.send_signal(signal.SIGABRT)
        out, said = process.communicate(timeout=60)
    assert "Fatal Python error: Aborted" in said and "sinks/mqtt/" in said, said
    assert "connected to broker" in said
    files = [path for path in (tmp_path / "state").rglob("*") if path.is_file()]
    written = "".join(path.read_bytes().decode(errors="replace") for path in files)
    for shown in (said, "\n".join(heard), processes, written):
        assert_kept(secrets, shown)
    assert not any(secret in out for secret in secrets)


def children(parent: int) -> list[str]:
    return Path(f"/proc/{parent}/task/{parent}/children").read_text().split()


def test_a_crash_with_the_secrets_in_hand_shows_none(configured: Configured) -> None:
    settings, _broker, secrets, environment = configured
    done = subprocess.run([sys.executable, "-X", "dev", "-c", CRASH, str(settings)], cwd=ROOT, text=True, timeout=120,
                          capture_output=True, check=False, env=environment())
    assert "RuntimeError: a bug: MqttSettings(" in done.stderr and "in pump" in done.stderr
    assert_kept(secrets, done.stderr + done.stdout)


@pytest.mark.parametrize("form", ["table", "json"])
@pytest.mark.parametrize("broken", ["nothing", "mode", "key mode", "password", "first line"])
def test_check_shows_none(configured: Configured, tmp_path: Path, form: str, broken: str) -> None:
    settings, _broker, secrets, environment = configured
    password = tmp_path / "mqtt-password"
    if broken == "mode":
        password.chmod(0o644)
    elif broken == "key mode":
        text = settings.read_text()
        Path(text.partition('tls_key_file = "')[2].partition('"')[0]).chmod(0o640)
    elif broken == "password":
        password.write_text(PASSWORD + "-wrong\n")
    elif broken == "first line":
        password.write_bytes(PASSWORD.encode() + b"\xff\n")
    done = subprocess.run([sys.executable, "-m", "edge", "check", "--config", str(settings), "--format", form], cwd=ROOT,
                          text=True, timeout=120, capture_output=True, check=False, env=environment())
    found = {"nothing": "took us in with MQTT 5 over TLSv1.3", "mode": "found mode 0644", "key mode": "found mode 0640",
             "password": "not authorized", "first line": "not UTF-8"}[broken]
    assert found in done.stdout, done.stdout + done.stderr
    assert_kept(secrets, done.stdout + done.stderr)


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o660])
def test_run_refuses_a_file_that_others_can_read_before_anything_opens(configured: Configured, tmp_path: Path,
                                                                      mode: int) -> None:
    settings, _broker, secrets, environment = configured
    (tmp_path / "mqtt-password").chmod(mode)
    opened = tmp_path / "opened"
    program = f"import pathlib; pathlib.Path({str(opened)!r}).touch()"
    settings.write_text(settings.read_text().replace(json.dumps(KNOCKS), json.dumps(program))
                        + '[[pin]]\npin = 17\ntarget = "loud"\nfactory = "simulated"\n')
    done = subprocess.run([sys.executable, "-m", "edge", "run", "--config", str(settings)], cwd=ROOT, text=True,
                          timeout=120, capture_output=True, check=False, env=environment())
    assert done.returncode == 2
    assert f"found mode {mode:04o}, by which others can read or change it" in done.stderr
    assert "gpio" not in done.stderr and not opened.exists()
    assert_kept(secrets, done.stderr + done.stdout)
