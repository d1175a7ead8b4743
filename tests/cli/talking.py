"""A command that is talked to, as a child; and recordings that stand in for a microphone."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from edge.sources.recording import open_recording
from edge.workshop.recordings import samples_of
from tests.cli.test_cli import write_wav

PATIENCE_SECONDS = 300.0
RATE = 16_000
DOOR = "thoaidn05-Sound-Classify__knock"


def knocks(shared: Path, count: int) -> list[Path]:
    """Knocks at one door, which trained nothing."""
    found = sorted(path for path in (shared / "data" / "eval" / "door_knock").iterdir() if path.name.startswith(DOOR))
    return found[:count]


def all_different(shared: Path) -> list[Path]:
    """Sounds of which no two are alike."""
    chosen = {"door_knock": -1, "cough": 1, "finger_snap": 2, "mouse_click": 2, "glass_break": 1, "drawer": 0}
    return [sorted((shared / "data" / "eval" / kind).iterdir())[number] for kind, number in chosen.items()]


def microphone(folder: Path, recordings: Sequence[Path], *, room: float = 8.0) -> Path:
    """A settings file whose microphone is a file: a room in which the recordings sound one after another.

    room: the deviation of its noise.
    """
    random = np.random.default_rng(1)
    parts = [random.normal(0.0, room, 2 * RATE)]
    for path in recordings:
        with open_recording(path) as source:
            parts.append(np.concatenate(list(samples_of(source.blocks()))).astype(np.float64))
        parts.append(random.normal(0.0, room, 2 * RATE))
    write_wav(folder / "microphone.wav", np.clip(np.concatenate(parts), -32_768, 32_767).astype(np.int16))
    config = folder / "talking.toml"
    config.write_text(f'[source]\nkind = "file"\npath = "{folder / "microphone.wav"}"\npaced = false\n', encoding="utf-8")
    return config


class Talker:
    """The command, and all lines that it has told."""

    def __init__(self, words: Sequence[str]) -> None:
        self.process = subprocess.Popen([sys.executable, "-m", "edge", *words], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.lines: list[dict[str, Any]] = []
        self._bound = threading.Timer(PATIENCE_SECONDS, self.process.kill)
        self._bound.start()

    def until(self, kind: str) -> dict[str, Any]:
        """The next line of this kind."""
        assert self.process.stdout is not None
        while line := self.process.stdout.readline():
            self.lines.append(json.loads(line))
            if self.lines[-1]["kind"] == kind:
                return self.lines[-1]
        raise AssertionError(f"no {kind}: {self.lines[-3:]}, {self.process.stderr.read()}")  # type: ignore[union-attr]

    def end(self, answer: str | None = None) -> tuple[int, str]:
        """Give an answer, or close its standard input; its exit code and standard error, once its last line is told."""
        out, err = self.process.communicate(None if answer is None else f"{answer}\n", timeout=PATIENCE_SECONDS)
        self.lines += [json.loads(line) for line in out.splitlines()]
        return self.process.returncode, err

    def kinds(self, *without: str) -> list[str]:
        return [line["kind"] for line in self.lines if line["kind"] not in without]

    def close(self) -> None:
        self._bound.cancel()
        self._bound.join()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe is not None and not pipe.closed:
                pipe.close()


@contextmanager
def talking(*words: str) -> Iterator[Talker]:
    """A command that is ended with the block."""
    talker = Talker(words)
    try:
        yield talker
    finally:
        talker.close()
