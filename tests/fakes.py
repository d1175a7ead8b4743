"""Fakes in the shape of the real parts, obeying their rules. Where the real part runs on this machine, tests use that."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.clock import StreamClock
from edge.control.plan import plan_for
from edge.decision.targets import UNCALIBRATED, Calibrated
from edge.dispatch import Dispatcher
from edge.listener import Listener
from edge.model.classifier import Model
from edge.model.manifest import Manifest, ModelTarget
from edge.settings import TargetSettings
from edge.stats import Stats
from edge.stream import SAMPLE_RATE, Block, Event, Patch, Scores, StreamFormat


def listener_of(model: Model, targets: Sequence[TargetSettings] = (), *, hop_seconds: float = 0.24,
                monotonic: Callable[[], float] = time.monotonic, utc: Callable[[], float] = time.time,
                health_seconds: float = 60.0, about: Callable[[], Mapping[str, object]] = dict,
                calibrations: Mapping[str, Calibrated] = UNCALIBRATED, **options: Any) -> Listener:
    """A listener as `build` makes one, of a model that is open; options: the listener's own."""
    clock, stats = StreamClock(monotonic=monotonic, utc=utc), options.pop("stats", None) or Stats()
    out = Dispatcher(clock, stats, health_seconds=health_seconds, about=about)
    plan = plan_for(model, targets, hop_seconds=hop_seconds, calibrations=calibrations)
    return Listener(plan, stats=stats, out=out, **options)


class FakeSource:
    """Plays a script: blocks, None for "nothing yet", or a callable to run between two blocks."""

    def __init__(self, script: Sequence[Block | Callable[[], None] | None], *, live: bool = False) -> None:
        self.live = live
        self.state = "ok"
        self.hangs = False
        self.waiting_seconds = 0.0
        self.trouble = ""
        self.closed = False
        self.hurries: list[float] = []
        self._script = script

    def hurry(self, seconds: float) -> None:
        """What the listener wanted after each block."""
        self.hurries.append(seconds)

    def blocks(self) -> Iterator[Block | None]:
        """The script, until closed."""
        for entry in self._script:
            if self.closed:
                return
            if callable(entry):
                entry()
            else:
                yield entry

    def close(self) -> None:
        """End the script."""
        self.closed = True


class FakeSink:
    """Keeps what it is given, in order."""

    name = "fake"
    state = "ok"
    waiting_messages = 0

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.healths: list[Mapping[str, object]] = []
        self.calls: list[str] = []

    def start(self) -> None:
        """Note it."""
        self.calls.append("start")

    def event(self, event: Event) -> None:
        """Keep it."""
        self.events.append(event)

    def health(self, health: Mapping[str, object]) -> None:
        """Keep it."""
        self.healths.append(health)

    def stop(self) -> None:
        """Note it."""
        self.calls.append("stop")


class LoudnessModel:
    """A model whose one label, "loud", is how near the patch's loudest band is to full scale. Obeys the seam's shapes."""

    wants = "bands"
    patch_samples = 15_600
    embedding_size = 64
    labels = ("loud",)
    runtime_name = "fake 1"
    looks = None
    offers = ()
    series = ()

    def __init__(self) -> None:
        self.targets = (ModelTarget("loud", ("loud",), 0.5, 0.3),)
        self.manifest = Manifest(name="loudness", version="1", kind="split", licence="Apache-2.0", description="fake",
                                 sample_rate=SAMPLE_RATE, patch_samples=15_600, labels=("loud",))
        self.patches: list[Patch] = []

    def describe(self) -> str:
        """As the real ones."""
        return "model loudness"

    def score(self, patch: Patch) -> Scores:
        """Loud patches score near 1."""
        assert patch.data.shape == (96, 64) and patch.data.dtype == np.float32
        self.patches.append(patch)
        logit = np.array([float(patch.data.max()) - 1.0], np.float32) * 2
        values = (1.0 / (1.0 + np.exp(-logit))).astype(np.float32)
        return Scores(patch.position, values, logit, patch.data.mean(axis=0), patch.first)


def tone(seconds: float, *, amplitude: float = 12_000.0, hertz: float = 1000.0) -> NDArray[np.int16]:
    """int16 `(n,)` at 16 kHz."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return np.rint(amplitude * np.sin(2 * np.pi * hertz * time)).astype(np.int16)


def silence(seconds: float) -> NDArray[np.int16]:
    """int16 `(n,)` of zeros at 16 kHz."""
    return np.zeros(round(seconds * SAMPLE_RATE), np.int16)


def blocks_of(samples: NDArray[np.int16], *, block: int = 1600, position: int = 0, gap: bool = False) -> list[Block]:
    """Mono 16 kHz blocks, the first one with `gap`."""
    form = StreamFormat(SAMPLE_RATE, 1)
    return [Block(samples[start: start + block], position + start, form, gap and start == 0)
            for start in range(0, len(samples), block)]
