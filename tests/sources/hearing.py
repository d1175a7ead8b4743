"""A microphone heard in a process of its own: ALSA's and PulseAudio's environment must be set before PortAudio starts.

The child prints one JSON line whenever the state changes, and after each second of sound; it ends when its standard input
does. What it heard is then in an .npz file.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edge.errors import EdgeError
from edge.settings import SourceSettings
from edge.sources.microphone import MicrophoneSource, _port_audio, list_microphones
from edge.stats import Stats
from edge.stream import Block, StreamFormat

PATIENCE_SECONDS = 120.0
ROOT = Path(__file__).resolve().parents[2]
SYSTEM_ALSA = Path("/usr/share/alsa/alsa.conf")


def alsa(folder: Path, definitions: str) -> dict[str, str]:
    """An environment in which ALSA knows the system's devices and `definitions`."""
    path = folder / "alsa.conf"
    path.write_text(f"<{SYSTEM_ALSA}>\n{definitions}")
    return {"ALSA_CONFIG_PATH": str(path), "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}


def ask(question: str, environment: Mapping[str, str], **settings: Any) -> tuple[Any, str]:
    """The child's answer to "list" or "find", and what stood on its standard error."""
    done = subprocess.run([sys.executable, __file__, question, json.dumps(settings)], cwd=ROOT, text=True,
                          env={**os.environ, "PYTHONPATH": str(ROOT), **environment}, capture_output=True,
                          timeout=PATIENCE_SECONDS, check=True)
    return json.loads(done.stdout), done.stderr


class Hearing:
    """The parent's side."""

    def __init__(self, folder: Path, environment: Mapping[str, str], **settings: Any) -> None:
        """settings: of SourceSettings, and `slow_seconds` (of the listener, for each block), `stalled_seconds`."""
        self._sound = folder / "heard.npz"
        settings = {"retry_seconds": 0.5, "sound": str(self._sound), **settings}
        self.process = subprocess.Popen([sys.executable, __file__, "hear", json.dumps(settings)], cwd=ROOT, text=True,
                                        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.said: list[dict[str, Any]] = []
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._news:
                self.said.append(json.loads(line))
                self._news.notify_all()

    def wait_for(self, true: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first report, of those to come and the newest, for which `true` holds."""
        seen = max(len(self.said) - 1, 0)
        with self._news:
            deadline = time.monotonic() + PATIENCE_SECONDS
            while True:
                for report in self.said[seen:]:
                    if true(report):
                        return report
                seen = len(self.said)
                assert self._news.wait(deadline - time.monotonic()), f"never came; last: {self.said[-1:]}"

    def stop(self) -> tuple[list[Block], dict[str, Any]]:
        """Close the source; the blocks heard and the last report."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        try:
            assert self.process.wait(PATIENCE_SECONDS) == 0
        finally:
            self.process.kill()
            self._reader.join()
            self.process.stdout.close()
        with np.load(self._sound) as sound:
            parts = np.split(sound["samples"], np.cumsum(sound["sizes"])[:-1]) if len(sound["sizes"]) else []
            blocks = [Block(samples, int(position), StreamFormat(*map(int, form)), bool(gap)) for
                      samples, position, gap, form in zip(parts, sound["positions"], sound["gaps"], sound["formats"],
                                                          strict=True)]
        return blocks, self.said[-1]


def hear(sound: str, slow_seconds: float = 0.0, stalled_seconds: float = 5.0, most_samples: int = 10_000_000,
         **settings: Any) -> None:
    """The child's side."""
    stats = Stats()
    source = MicrophoneSource(SourceSettings(**settings), stats, stalled_seconds=stalled_seconds)

    def close_with_stdin() -> None:
        sys.stdin.read()
        source.close()

    threading.Thread(target=close_with_stdin, daemon=True).start()
    heard: list[Block] = []
    count = reported = 0
    said = ""

    def report(**more: Any) -> None:
        print(json.dumps({"state": source.state, "heard": count, **stats.snapshot(), **more}), flush=True)

    try:
        for block in source.blocks():
            if block is not None:
                heard.append(block)
                count += block.length
                time.sleep(slow_seconds)
            if source.state != said or count >= reported + block_rate(heard):
                said, reported = source.state, count
                report()
            if count >= most_samples:
                source.close()
    except EdgeError as error:
        report(error=str(error), kind=type(error).__name__)
    report()
    np.savez(sound, samples=np.concatenate([b.samples for b in heard]) if heard else np.zeros(0, np.int16),
             sizes=[len(b.samples) for b in heard], positions=[b.position for b in heard],
             gaps=[b.gap for b in heard], formats=[(b.format.rate, b.format.channels) for b in heard])


def block_rate(heard: list[Block]) -> int:
    return heard[-1].format.rate if heard else 1


if __name__ == "__main__":
    question, settings = sys.argv[1], json.loads(sys.argv[2])
    if question == "hear":
        hear(**settings)
    elif question == "list":
        print(json.dumps([[m.name, m.host_api, m.channels, m.default_rate, m.rates] for m in list_microphones()]))
    else:
        try:
            with _port_audio() as audio:
                card, form = audio.pick(SourceSettings(**settings))
            print(json.dumps([card["name"], form], default=str))
        except EdgeError as error:
            print(json.dumps({"kind": type(error).__name__, "error": str(error)}))
