"""A private Mosquitto on a free loopback port, for the demonstration and for tests of what a broker may do to us."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from edge.errors import SinkError
from edge.settings import MqttSettings

START_SECONDS = 10.0
"""How long a started broker may take to listen, and a stopped one to end."""


class PrivateBroker:
    """A context: listening on entry, gone on exit, with nothing left behind.

    With `user` the broker asks for a name and password, else it lets everybody in. It keeps nothing on disk:
    a broker that was stopped has forgotten its retained messages.
    """

    host = "127.0.0.1"
    program = "mosquitto"
    start_seconds = START_SECONDS

    def __init__(self, *, user: str = "", password: str = "", extra: str = "") -> None:
        """extra: more lines for mosquitto.conf."""
        self._user, self._password, self._extra = user, password, extra
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def __enter__(self) -> Self:
        """Start on a free port. Raises SinkError where there is no Mosquitto or it does not start."""
        self._folder = tempfile.TemporaryDirectory(prefix="edge-audio-broker-")
        try:
            self.start()
        except SinkError:
            self._folder.cleanup()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.stop()
        if self._folder is not None:
            self._folder.cleanup()

    def settings(self, *, protocol: str = "5") -> MqttSettings:
        """What a client needs to come in."""
        password_file = str(self._path("password")) if self._user else ""
        return MqttSettings(host=self.host, port=self.port, user=self._user, password_file=password_file,
                            protocol=protocol)

    def start(self) -> None:
        """Start (again: on the same port) and wait until it listens. Raises SinkError."""
        self.port = self.port or free_port()
        if in_use(self.port):  # asked first, for its owner would answer us as a broker does
            raise SinkError(f"port {self.port}", found="another program's", wanted=f"a free port for {self.program}")
        command = self._command()
        with self._path("log").open("wb") as log:
            # A session of its own: Ctrl-C ends the demonstration, which then stops its broker in good order.
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                             start_new_session=True)
        if not self._listens(self._process):
            found = self._path("log").read_text(errors="replace").strip() or f"no listener in {self.start_seconds:g} s"
            raise SinkError(self.program, found=found[-2000:], wanted=f"a broker on {self.host}:{self.port}")

    def stop(self) -> None:
        """End it in good order: it tells its clients. Safe twice."""
        self._end(kill=False)

    def kill(self) -> None:
        """End it as a power cut would."""
        self._end(kill=True)

    def restart(self) -> None:
        """Stop and start on the same port; retained messages are forgotten."""
        self.stop()
        self.start()

    @property
    def pid(self) -> int:
        """The number of the broker's process, and of its process group; 0 while it is stopped."""
        return self._process.pid if self._process is not None else 0

    def _end(self, *, kill: bool) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        deadline = time.monotonic() + START_SECONDS
        while not kill and process.poll() is None and time.monotonic() < deadline:
            process.terminate()  # again and again: Mosquitto forgets one that comes while it starts
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.2)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # what it started, too
        process.wait()

    def _command(self) -> list[str]:
        """Write its configuration; how it is started. Raises SinkError where there is no such program."""
        program = find("mosquitto")
        lines = [f"listener {self.port} {self.host}", "persistence false", "log_dest stderr", "log_type error"]
        if os.getuid() == 0:
            # Else Mosquitto becomes the user mosquitto, who may not read this folder.
            lines.append(f"user {pwd.getpwuid(0).pw_name}")
        if self._user:
            self._write_secret("password", self._password + "\n")
            self._write_secret("users", f"{self._user}:{self._password}\n")
            subprocess.run([find("mosquitto_passwd"), "-U", str(self._path("users"))], check=True, capture_output=True)
            lines += ["allow_anonymous false", f"password_file {self._path('users')}"]
        else:
            lines.append("allow_anonymous true")
        self._path("conf").write_text("\n".join([*lines, self._extra, ""]))
        return [program, "-c", str(self._path("conf"))]

    def _write_secret(self, name: str, text: str) -> None:
        path = self._path(name)
        path.touch(mode=0o600)
        path.write_text(text)

    def _listens(self, process: subprocess.Popen[bytes]) -> bool:
        deadline = time.monotonic() + self.start_seconds
        while process.poll() is None and time.monotonic() < deadline:
            if self._answers():
                return True
            time.sleep(0.02)  # nothing tells when a port begins to listen
        self._end(kill=True)
        return False

    def _answers(self) -> bool:
        try:
            socket.create_connection((self.host, self.port), timeout=1.0).close()
        except OSError:
            return False
        return True

    def _path(self, name: str) -> Path:
        if self._folder is None:
            raise SinkError("private broker", found="a broker before its `with`", wanted="use within its `with`")
        return Path(self._folder.name) / name


def find(program: str, package: str = "mosquitto") -> str:
    """The full path of a broker's program. Raises SinkError saying which Debian package has it."""
    places = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin"])
    found = shutil.which(program, path=places)
    if found is None:
        raise SinkError(program, found="no such program", wanted=f"{package.capitalize()} (Debian: apt install {package})")
    return found


def free_port() -> int:
    """A loopback port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind((PrivateBroker.host, 0))
        return int(probe.getsockname()[1])


def in_use(port: int) -> bool:
    """Whether somebody listens on this loopback port (connections that are only fading away do not count)."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((PrivateBroker.host, port))
        except OSError:
            return True
    return False
