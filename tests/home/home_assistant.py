"""A real Home Assistant and a real appliance, each a process of its own, for tests/home."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import wave
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlencode

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parent.parent.parent
SECONDS = 120.0
"""How long something may take on a loaded machine."""
START_SECONDS = 900.0
"""A first start compiles all that Home Assistant imports."""

Samples = NDArray[np.int16]


def until(true: Callable[[], Any], what: str, seconds: float = SECONDS) -> Any:
    """Wait for something that nobody announces, and return it."""
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline, what
        time.sleep(0.05)
    return found


class HomeAssistant:
    """Set up as an owner does it: first user, then the MQTT integration by its form. A context: gone on exit."""

    def __init__(self, root: Path, folder: str, configuration: str) -> None:
        """root: a Debian with Home Assistant in it; folder: for its configuration, a path within."""
        self._root, self._folder = root, folder
        self.home = root / folder.lstrip("/")
        self.home.mkdir(parents=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.home.joinpath("configuration.yaml").write_text(
            f"http:\n  server_host: 127.0.0.1\n  server_port: {self.port}\n{configuration}")
        self._token = ""
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> HomeAssistant:
        self.start()
        user = {"client_id": self._url, "name": "Owner", "username": "owner", "password": "owner", "language": "en"}
        code = self.ask("/api/onboarding/users", user)["auth_code"]
        form = {"grant_type": "authorization_code", "code": code, "client_id": self._url}
        answer = self._request("/auth/token", urlencode(form).encode(), "application/x-www-form-urlencoded")
        self._token = answer["access_token"]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    @property
    def _url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def inside(self, *words: str) -> list[str]:
        """A command line that runs Home Assistant's Python in its root."""
        return ["chroot", str(self._root), "/opt/home-assistant/bin/python", *words]

    def start(self) -> None:
        """Start (again) and wait until all is set up."""
        path = "/opt/home-assistant/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        with (self.home / "output").open("ab") as output:
            self._process = subprocess.Popen(
                self.inside("-m", "homeassistant", "--config", self._folder, "--skip-pip"), start_new_session=True,
                env={"PATH": f"{path}:{os.environ['PATH']}", "HOME": "/root", "LANG": "C.UTF-8"}, stdin=subprocess.DEVNULL,
                stdout=output, stderr=output)
        try:
            until(self._is_up, "Home Assistant does not start", START_SECONDS)
        except BaseException:
            self.stop()
            raise
        if self._token:
            until(lambda: self.ask("/api/config")["state"] == "RUNNING", "Home Assistant does not finish its start")

    def stop(self) -> None:
        """End it as its service would."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
            self._process = None

    def _is_up(self) -> bool:
        assert self._process is not None and self._process.poll() is None, (self.home / "output").read_text()[-3000:]
        try:
            self.ask("/api/onboarding")
        except OSError:
            return False
        return True

    def add_mqtt(self, port: int) -> None:
        """Fill the form of the MQTT integration."""
        flow = self.ask("/api/config/config_entries/flow", {"handler": "mqtt"})
        done = self.ask(f"/api/config/config_entries/flow/{flow['flow_id']}", {"broker": "127.0.0.1", "port": port})
        assert done["type"] == "create_entry", done

    def ask(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """GET, or POST `body`. Raises HTTPError (an OSError) where it is refused."""
        return self._request(path, None if body is None else json.dumps(body).encode(), "application/json")

    def _request(self, path: str, body: bytes | None, kind: str) -> Any:
        request = urllib.request.Request(self._url.rstrip("/") + path, body, {"Content-Type": kind})
        if self._token:
            request.add_header("Authorization", f"Bearer {self._token}")
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            text = answer.read().decode()
        return text if "text/plain" in answer.headers["Content-Type"] else json.loads(text)

    def render(self, template: str) -> str:
        """What a template of Home Assistant's says now."""
        return str(self.ask("/api/template", {"template": template}))

    def find(self, entity: str) -> dict[str, Any] | None:
        """State and attributes; None where there is no such entity."""
        try:
            found: dict[str, Any] = self.ask(f"/api/states/{entity}")
        except urllib.error.HTTPError as error:
            assert error.code == 404
            return None
        return found

    def state(self, entity: str) -> str | None:
        """Its state, None where there is no such entity."""
        found = self.find(entity)
        return None if found is None else str(found["state"])

    def wait(self, entity: str, *states: str | None) -> None:
        """Until it is in one of these states."""
        until(lambda: self.state(entity) in states, f"{entity} is {self.find(entity)}, not {states}")

    def entities(self, device: str) -> set[str]:
        """The entities of a device, in its registry."""
        return set(json.loads(self.render(f"{{{{ device_entities(device_id('{device}') or 'none') | to_json }}}}")))

    def complaints(self) -> list[str]:
        """What it logged of MQTT as a warning or an error."""
        lines = (self.home / "home-assistant.log").read_text(errors="replace").splitlines()
        return [line for line in lines if (" WARNING " in line or " ERROR " in line) and "mqtt" in line.lower()]


def sound(name: str, start: float = 0.0, end: float = 1000.0) -> Samples:
    """A stretch, in seconds, of a bundled recording."""
    with wave.open(str(ROOT / "models" / "demo" / name)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    return samples[int(start * 16_000):int(end * 16_000)]


HEARS = """
[[target]]
name = "hand_clap"
[[target]]
name = "double_clap"
pattern_of = "hand_clap"
minimum_gap_seconds = 0.15
maximum_gap_seconds = 0.7
quiet_before_seconds = 1.0
quiet_after_seconds = 1.0
"""
TYPING = '[[target]]\nname = "typing"\n'
SMOKE_ALARM = '[[target]]\nname = "smoke_alarm"\nlabels = ["siren"]\n'  # a siren is bundled, an alarm is not
PIN = '[[pin]]\npin = 17\ntarget = "hand_clap"\naction = "toggle"\nfactory = "simulated"\n'

CLAP = sound("claps.wav", 0.0, 4.5)
DOUBLE_CLAP = (sound("claps.wav", 0.0, 1.85), sound("claps.wav", 1.45, 4.5))


class Board:
    """`edge-audio run` on a microphone of ours: silence in real time, or what it is given to hear. A context."""

    def __init__(self, folder: Path, settings: str) -> None:
        """folder: for its files; settings: TOML beside its source."""
        self._fifo, self._folder = folder / "microphone", folder
        os.mkfifo(self._fifo)
        (folder / "settings.toml").write_text(
            f'[source]\nkind = "command"\ncommand = ["cat", "{self._fifo}"]\n[log]\nevents = ""\n{settings}')
        self._noise = np.random.default_rng(1).integers(-8, 9, 1_600).astype(np.int16)
        self._left = np.zeros(0, np.int16)
        self._lock, self._stopping = threading.Lock(), threading.Event()

    def __enter__(self) -> Board:
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "edge", "run", "--config", str(self._folder / "settings.toml"),
                 "--state-dir", str(self._folder / "state")], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._thread = threading.Thread(target=self._sound, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._process.poll() is None:
            self._process.terminate()
        self._process.wait(SECONDS)
        self._stopping.set()
        other_end = os.open(self._fifo, os.O_RDWR | os.O_NONBLOCK)  # the thread shall not wait for one
        self._thread.join()
        os.close(other_end)

    def hear(self, *samples: Samples) -> None:
        """Let it hear this next."""
        with self._lock:
            self._left = np.concatenate([self._left, *samples])

    def wait_heard(self) -> None:
        """Until all that it was given has been played to it."""
        until(lambda: not len(self._left), "the microphone stands still")

    def kill(self) -> None:
        """As a power cut would."""
        self._process.kill()
        self._process.wait()

    def _sound(self) -> None:
        """Ten blocks a second, as a sound card gives them."""
        try:
            with self._fifo.open("wb", buffering=0) as fifo:
                due = time.monotonic()
                while not self._stopping.wait(max(0.0, due - time.monotonic())):
                    due += 0.1
                    with self._lock:
                        block, self._left = self._left[:1_600], self._left[1_600:]
                    fifo.write((block if len(block) == 1_600 else self._noise).tobytes())
        except BrokenPipeError:
            pass
