"""The appliance as a process of its own that can be killed, and what can be read of it from outside."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parents[2]
DEVICE = "faults"
SPEED = "4"
"""Seconds of claps a second: 13 messages."""
PATIENCE_SECONDS = 60.0
QUIET = ("sleep", "600")
"""A source that is never heard."""


@dataclass(frozen=True)
class Made:
    """What a journal holds. messages: (id, phase) of all that was committed; waiting: those for the broker; newest: the
    highest number."""

    messages: frozenset[tuple[str, str]]
    waiting: frozenset[tuple[str, str]]
    newest: int


class Appliance:
    """`edge-audio run` with a state directory; kill and start it as often as you like."""

    def __init__(self, folder: Path, port: int, *, state: Path | None = None, user: str = "", keepalive_seconds: int = 30,
                 command: Sequence[str] = ()) -> None:
        """folder: for settings, the log, and the state directory unless `state` is one; port: the broker's."""
        self.state = state or folder / "state"
        self._events, self._said, self._settings = bytearray(), bytearray(), folder / "settings.toml"
        self.password_file = folder / "password"
        self._port, self._user, self._keepalive_seconds = port, user, keepalive_seconds
        self._claps = command or (sys.executable, str(Path(__file__).with_name("claps.py")), SPEED)
        self._process: subprocess.Popen[bytes] | None = None
        self._readers: list[threading.Thread] = []
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def journal(self) -> Path:
        """Its file."""
        return self.state / "journal.sqlite3"

    @property
    def pid(self) -> int:
        """Its process; 0 for none."""
        return self._process.pid if self._process is not None else 0

    @property
    def said(self) -> str:
        """All that it wrote to standard error."""
        return self._said.decode(errors="replace")

    def start(self, *, quiet: bool = False) -> None:
        """Begin to hear claps without end (quiet: nothing). Does not wait."""
        self._write_settings(QUIET if quiet else self._claps)
        self._process = process = subprocess.Popen(
            [sys.executable, "-m", "edge", "run", "--config", str(self._settings), "--state-dir", str(self.state)],
            cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
            env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"})
        self._readers = [threading.Thread(target=_keep, args=(pipe, kept), daemon=True)
                         for pipe, kept in ((process.stdout, self._events), (process.stderr, self._said))]
        for reader in self._readers:
            reader.start()

    def wait_for_events(self, more: int = 1) -> None:
        """Until it has heard so many more than now."""
        count = self._events.count(b"\n") + more
        self.wait(lambda: self._events.count(b"\n") >= count)

    def wait_said(self, words: str, times: int = 1) -> None:
        """Until it has said so, so many times in all."""
        self.wait(lambda: self.said.count(words) >= times)

    def wait(self, true: Callable[[], bool]) -> None:
        """Until something is true that nobody announces. Raises TimeoutError; RuntimeError where the process has ended."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not true():
            if self._process is not None and self._process.poll() is not None:
                raise RuntimeError(f"the appliance ended by itself:\n{self.said[-3000:]}")
            if time.monotonic() > deadline:
                raise TimeoutError(self.said[-3000:])
            time.sleep(0.01)

    def kill(self) -> None:
        """As a power cut would, but for what the kernel still writes."""
        self._end(lambda process: process.kill())

    def stop(self) -> None:
        """As systemd does."""
        if self._end(lambda process: process.terminate()) not in (0, -signal.SIGTERM):  # that one: before it listened to it
            raise RuntimeError(f"the appliance failed:\n{self.said[-3000:]}")

    def _end(self, how: Callable[[subprocess.Popen[bytes]], None]) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        how(process)
        code = process.wait(PATIENCE_SECONDS)
        for reader in self._readers:
            reader.join(PATIENCE_SECONDS)
        return code

    def limit_files(self, size: int) -> None:
        """Let no write of the process go beyond so many bytes of a file."""
        if self._process is not None:
            resource.prlimit(self._process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def heard(self) -> list[dict[str, Any]]:
        """Every event that its listener gave to the sinks, in order; what a kill tore is left out."""
        lines = []
        for line in self._events.decode(errors="replace").splitlines():
            try:
                lines.append(json.loads(line))
            except ValueError:
                continue
        return lines

    def made(self) -> Made:
        """What its journal holds, read from a copy: opening it would change what the next start finds."""
        with tempfile.TemporaryDirectory() as scratch:
            copy = Path(scratch, self.journal.name)
            for ending in ("", "-wal"):
                part = self.journal.with_name(self.journal.name + ending)
                if part.exists():
                    shutil.copyfile(part, copy.with_name(copy.name + ending))
            if not copy.exists():
                return Made(frozenset(), frozenset(), 0)
            file = sqlite3.connect(copy)
            try:
                return _made(file)
            finally:
                file.close()

    def _write_settings(self, command: Sequence[str]) -> None:
        self._settings.write_text("\n".join((
            "[device]", f'name = "{DEVICE}"', "[source]", 'kind = "command"', f"command = {json.dumps(list(command))}",
            "[[target]]", 'name = "hand_clap"', "[watch]", "enabled = false", "[journal]", "events = 1000000",
            "[mqtt]", 'host = "127.0.0.1"', f"port = {self._port}",
            f"keepalive_seconds = {self._keepalive_seconds}", "retry_seconds = 1.0", "discovery = false",
            *((f'user = "{self._user}"', f'password_file = "{self.password_file}"') if self._user else ()), "")))


def _keep(pipe: IO[bytes], kept: bytearray) -> None:
    with pipe:
        while data := os.read(pipe.fileno(), 65_536):
            kept += data


def _made(file: sqlite3.Connection) -> Made:
    try:
        events = file.execute("SELECT id, ended_at FROM events").fetchall()
        rows = file.execute("SELECT sequence, body FROM messages").fetchall()
    except sqlite3.OperationalError as error:
        if "no such table" not in str(error):
            raise
        return Made(frozenset(), frozenset(), 0)  # killed before anything was made
    bodies = [json.loads(body) for _, body in rows if body is not None]
    waiting = frozenset((body["id"], body["phase"]) for body in bodies)
    kept = {(row[0], "start") for row in events} | {(row[0], "end") for row in events if row[1] is not None}
    return Made(waiting | kept, waiting, max((row[0] for row in rows), default=0))
