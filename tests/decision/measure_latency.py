"""How soon a clap's event comes: sound heard when the event is made, less the onset. Prints models/README.md's rows.

    python tests/decision/measure_latency.py [--model starter] [--hop 0.24] [--threshold P]

Blocks of 0.1 s, as a microphone gives them. Heard are the demo's claps, and a series of 200 of them over quiet noise of
their room, at times that no hop divides. --threshold names claps that a look is less sure of, and --labels leaves the
naming to patches, as before there were looks.
"""

from __future__ import annotations

import argparse
import sys
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from edge.control.loading import load_model
from edge.control.plan import plan_for
from edge.listener import Listener
from edge.settings import TargetSettings
from edge.stream import SAMPLE_RATE, Block, Event, StreamFormat

CLAPS = Path(__file__).resolve().parents[2] / "models" / "demo" / "claps.wav"
AT = (1.5, 5.0, 8.5, 12.0)
"""Seconds at which the demo's claps begin."""
BLOCK = SAMPLE_RATE // 10


class Told:
    """A source of blocks and a sink of events: seconds from each clap's onset to its event, and which look or patch."""

    live, state, name, waiting_messages = False, "ok", "told", 0

    def __init__(self, samples: NDArray[np.int16]) -> None:
        self._samples = samples
        self._heard = 0
        self.seconds: list[float] = []

    def blocks(self) -> Iterator[Block]:
        """All of it, block by block."""
        for start in range(0, len(self._samples), BLOCK):
            self._heard = min(start + BLOCK, len(self._samples))
            yield Block(self._samples[start: start + BLOCK], start, StreamFormat(SAMPLE_RATE, 1))

    def close(self) -> None:
        """Nothing to give back."""

    def event(self, event: Event) -> None:
        """Note a start."""
        if event.phase == "start":
            self.seconds.append((self._heard - event.start) / SAMPLE_RATE)

    def health(self, health: object) -> None:
        """Nobody asks."""


def claps() -> NDArray[np.int16]:
    """The demo's recording, int16 at 16 kHz."""
    with wave.open(str(CLAPS), "rb") as file:
        assert (file.getframerate(), file.getnchannels()) == (SAMPLE_RATE, 1)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def series(recording: NDArray[np.int16], count: int = 200) -> NDArray[np.int16]:
    """So many of the recording's claps, 0.7 s of each, in a noise as quiet as its room."""
    random = np.random.default_rng(0)
    quiet = float(np.std(recording[: SAMPLE_RATE // 2].astype(np.float64)))
    starts = np.cumsum(random.uniform(1.5, 2.5, count))
    sound = random.normal(0.0, max(quiet, 1.0), round((starts[-1] + 2.0) * SAMPLE_RATE))
    for number, start in enumerate((starts * SAMPLE_RATE).astype(int)):
        first = round(AT[number % len(AT)] * SAMPLE_RATE) - 160
        sound[start: start + 11_200] += recording[first: first + 11_200]
    return np.clip(np.rint(sound), -32_768, 32_767).astype(np.int16)


def row(title: str, told: Told, of: int) -> str:
    """One row of the table."""
    if not told.seconds:
        return f"| {title} | 0 of {of} | | | |"
    low, median, high = np.quantile(told.seconds, (0.1, 0.5, 0.9))
    return (f"| {title} | {len(told.seconds)} of {of} | {median:.2f} | {low:.2f} to {high:.2f} | {max(told.seconds):.2f} |")


def main() -> None:
    """Arguments in, a table out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="starter")
    parser.add_argument("--state-dir", type=Path, help="where a model is installed")
    parser.add_argument("--hop", type=float, default=0.24)
    parser.add_argument("--threshold", type=float, default=0.0, help="probability; 0: the one that ships")
    parser.add_argument("--labels", default="", help="labels of the model, with commas, that decide instead of looks")
    options = parser.parse_args()
    model = load_model(options.model, state_dir=options.state_dir)
    labels = tuple(label.strip() for label in options.labels.split(",") if label.strip())
    target = TargetSettings(name="hand_clap", threshold=options.threshold, labels=labels,
                            sound="impulsive" if labels else "")
    recording = claps()
    print("| claps | events | seconds, median | 10 to 90 % | longest |\n|---|---|---|---|---|")
    for title, sound, count in (("the demo's", recording, len(AT)), ("a series of them", series(recording), 200)):
        told = Told(sound)
        Listener(plan_for(model, (target,), hop_seconds=options.hop)).run(told, [told])
        print(row(title, told, count))


if __name__ == "__main__":
    main()
