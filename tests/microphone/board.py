"""A real appliance that hears a microphone which a test can break, and what its health says of that, when."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from edge.cli.demonstration.broker import PrivateBroker
from edge.sinks.mqtt.subscriber import Subscriber
from tests.microphone.player import Player
from tests.sources.pulse_server import NAME, PulseServer

ROOT = Path(__file__).resolve().parents[2]
DEVICE = "board"
PATIENCE_SECONDS = 240.0


class Board:
    """A context: `edge-audio run` with the settings' own pauses, its microphone in a PulseAudio server of our own."""

    def __init__(self, folder: Path) -> None:
        self.server = PulseServer(folder)
        self.player = Player(self.server.pipe)
        self.module = 0
        self._folder = folder
        self._broker = PrivateBroker()
        self._changed = threading.Condition()
        self._healths: list[tuple[float, dict[str, Any]]] = []
        self._claps: list[float] = []
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._broker.__enter__()
        self._subscriber = Subscriber(self._broker.settings(), [f"edge-audio/{DEVICE}/#"], self._receive)
        self._subscriber.__enter__()
        self.server.start()
        self.module = self.server.load_pipe()
        self.player.start()
        settings = self._folder / "settings.toml"
        settings.write_text("\n".join((
            "[source]", f'microphone = "{NAME}"', "[device]", f'name = "{DEVICE}"', "[[target]]", 'name = "hand_clap"',
            "[mqtt]", f'host = "{self._broker.host}"', f"port = {self._broker.port}", "discovery = false", "")),
            encoding="utf-8")
        with (self._folder / "said").open("wb") as said:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "edge", "run", "--config", str(settings), "--state-dir", str(self._folder / "state")],
                cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said,
                env={**os.environ, "PYTHONPATH": str(ROOT), **self.server.environment})
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(PATIENCE_SECONDS)
            finally:
                self._process.kill()
                self._process.wait()
        self.player.close()
        self.server.end()
        self._subscriber.__exit__(kind, error, trace)
        self._broker.__exit__(kind, error, trace)

    @property
    def said(self) -> str:
        """The log."""
        return (self._folder / "said").read_text(encoding="utf-8", errors="replace")

    def _receive(self, topic: str, payload: str, retained: bool) -> None:
        with self._changed:
            if topic.endswith("/health") and payload and not retained:
                self._healths.append((time.monotonic(), json.loads(payload)))
            elif topic.endswith("/event/hand_clap"):
                self._claps.append(time.monotonic())
            self._changed.notify_all()

    def health(self, since: float, holds: Callable[[dict[str, Any]], bool]) -> tuple[float, dict[str, Any]]:
        """The first health that was made after `since` (monotonic seconds) of which something holds, and when it was made.

        When: by its own account, `uptime_seconds`; so a busy broker or subscriber counts for nothing.
        """
        def found() -> tuple[float, dict[str, Any]] | None:
            began = min((at - float(one["uptime_seconds"]) for at, one in self._healths), default=0.0)
            made = ((began + float(one["uptime_seconds"]), one) for _, one in self._healths)
            return next(((at, one) for at, one in made if at >= since and holds(one)), None)

        with self._changed:
            if not self._changed.wait_for(lambda: found() is not None, PATIENCE_SECONDS):
                newest = self._healths[-1][1] if self._healths else {}
                raise AssertionError(f"no such health; the newest: {newest.get('source_trouble')!r} "
                                     f"({newest.get('source')!r})\n{self.said[-3000:]}")
            answer = found()
        assert answer is not None
        return answer

    def hears_claps(self, since: float) -> bool:
        """Whether a clap is told after `since`."""
        with self._changed:
            return self._changed.wait_for(lambda: any(at > since for at in self._claps), PATIENCE_SECONDS)

    @property
    def runs(self) -> bool:
        """Whether the process that was started first is still there."""
        return self._process is not None and self._process.poll() is None
