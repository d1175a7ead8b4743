"""What hearing costs: CPU time of a listener as `run` has it, beside that of its body alone and of a bare interpreter.

All are measured in turn, round by round, in this process, since another program on the machine slows them alike. Given
are medians over the rounds, of times and of ratios. A time on this machine says nothing of a time on a board; a ratio
says more. What is heard before WARM_SECONDS does not count: the gate does not know the room yet.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.control.plan import plan_for
from edge.listener import Listener
from edge.model.classifier import Model, Split, Whole
from edge.model.runtime import Runtime
from edge.model.store import ModelStore
from edge.settings import GateSettings, SourceSettings, TargetSettings
from edge.sources.recording import Recording
from edge.stream import SAMPLE_RATE, Block
from edge.workshop.bench_sound import quiet_room, test_sound, write_wav
from edge.workshop.bench_stages import stages, without_clock
from edge.workshop.models.build import PUBLISHED

WARM_SECONDS = 19.2
"""More than the gate needs to know a room and to fall asleep; a multiple of the usual hops."""

Entrant = Callable[[], float]
"""Does a thing once, and gives what it cost."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Medians over the rounds, for one hop."""

    hop_seconds: float
    stages: dict[str, float]
    """CPU seconds of each stage for one second of sound, timed apart, gate off."""
    spent: dict[str, float]
    """CPU seconds for one second of sound: `gate_off`, `gate_on` (varied sound), `quiet` (a quiet room, gate on), `body`,
    and what else was measured: `bare`, a peer."""
    over_body: dict[str, float]
    """Each of `spent` over `body`."""
    over_bare: dict[str, float]
    """Each of `spent` over `bare`; empty where nothing was run bare."""
    gate: float
    """gate_on / gate_off."""
    awake: float
    """Share of the quiet room's patches that the backbone heard, 0 to 1."""
    patches_per_second: float
    """How many patches one CPU second serves, gate off."""
    without_looks: float | None = None
    """The stages' CPU time over the same without looks, whose rows are made by the hop; None where no target is decided by
    looks."""


def in_turn(entrants: Mapping[str, Entrant], rounds: int) -> list[dict[str, float]]:
    """Let each have its turn, `rounds` times and once before, which fills caches and does not count."""
    return [{name: entrant() for name, entrant in entrants.items()} for _ in range(rounds + 1)][1:]


def middle(turns: Sequence[Mapping[str, float]], name: str, over: str = "") -> float:
    """The median over the rounds of a cost, or of its ratio to that of `over`."""
    return statistics.median(turn[name] / (turn[over] if over else 1.0) for turn in turns)


def measure(model: Model, *, seconds: float, hop_seconds: float, rounds: int, bare: Runtime | None = None,
            targets: tuple[TargetSettings, ...] = (), gate: GateSettings | None = None,
            peers: Mapping[str, Entrant] | None = None) -> Cost:
    """Hear varied sound and a quiet room, `rounds` times in turn with the others.

    seconds: of sound that count. bare: an interpreter of a whole file that takes the waveform. gate: its settings where it
    is on. peers: others that hear `seconds` of sound at this hop and give their CPU seconds. Raises ModelError where a model
    fails.
    """
    gate = gate if gate is not None else GateSettings()
    varied, quiet = (make(WARM_SECONDS + seconds) for make in (test_sound, quiet_room))
    plan = plan_for(model, targets, hop_seconds=hop_seconds)
    looking = any(sound.looked for sound in plan.targets.sounds)
    hops = round(seconds / hop_seconds)
    awake: list[float] = []
    staged: list[dict[str, float]] = []

    with tempfile.TemporaryDirectory() as folder:
        files = {"varied": Path(folder) / "varied.wav", "quiet": Path(folder) / "quiet.wav"}
        write_wav(files["varied"], varied)
        write_wav(files["quiet"], quiet)

        def hear(sound: str, gate: GateSettings | None) -> Entrant:
            def heard() -> float:
                spent, share = hear_file(model, files[sound], hop_seconds, targets, gate)
                if sound == "quiet":
                    awake.append(share)
                return spent
            return heard

        def timed_apart() -> float:
            staged.append(stages(model, varied, hop_seconds, targets))
            return sum(staged[-1].values())

        entrants = {"gate_off": hear("varied", None), "gate_on": hear("varied", gate), "quiet": hear("quiet", gate),
                    "body": lambda: body(runtime_of(model), hops)}
        if bare is not None:
            entrants["bare"] = lambda: alone(bare, varied[round(WARM_SECONDS * SAMPLE_RATE):], hop_seconds, hops)
        entrants |= peers or {}
        names = list(entrants)
        extra: dict[str, Entrant] = {"stages": timed_apart}
        if looking:
            extra |= {"looks": lambda: without_clock(model, varied, hop_seconds, targets, looks=True),
                      "no looks": lambda: without_clock(model, varied, hop_seconds, targets, looks=False)}
        turns = in_turn(entrants | extra, rounds)
    whole = WARM_SECONDS + seconds
    return Cost(
        hop_seconds=hop_seconds,
        stages={name: statistics.median(each[name] for each in staged[1:]) / whole for name in staged[0]},
        spent={name: middle(turns, name) / seconds for name in names},
        over_body={name: middle(turns, name, "body") for name in names if name != "body"},
        over_bare={name: middle(turns, name, "bare") for name in names if name != "bare"} if bare is not None else {},
        gate=middle(turns, "gate_on", "gate_off"), awake=statistics.median(awake),
        patches_per_second=hops / middle(turns, "gate_off"),
        without_looks=middle(turns, "looks", "no looks") if looking else None)


class _Marked(Recording):
    """A recording that notes what had been spent when its warm part had been heard, and when all had."""

    listener: Listener

    def blocks(self) -> Iterator[Block | None]:
        self.notes: list[tuple[float, int, int]] = []
        for block in super().blocks():
            if not self.notes and block is not None and block.position >= round(WARM_SECONDS * SAMPLE_RATE):
                self._note()
            yield block
        self._note()  # the silence that completes the last patch does not count

    def _note(self) -> None:
        """CPU seconds, patches that the backbone heard so far, and those that the gate kept from it."""
        stats = self.listener.stats
        self.notes.append((time.process_time(), stats.patches, stats.gated_patches))


def hear_file(model: Model, path: Path, hop_seconds: float, targets: tuple[TargetSettings, ...],
              gate: GateSettings | None) -> tuple[float, float]:
    """CPU seconds of the listener over a file after WARM_SECONDS, and the share of patches that the backbone heard then."""
    with _Marked(SourceSettings(kind="file", path=str(path), paced=False)) as source:
        source.listener = Listener(plan_for(model, targets, hop_seconds=hop_seconds), gate=gate)
        source.listener.run(source)
        spent, heard, gated = (after - before for before, after in zip(*source.notes, strict=True))
    return spent, heard / max(heard + gated, 1)


def runtime_of(model: Model) -> Runtime:
    """The interpreter that hears a model's patches: the backbone's, or a whole model's."""
    assert isinstance(model, Split | Whole)
    return model.runtime


def body(runtime: Runtime, hops: int) -> float:
    """CPU seconds of the body alone: `hops` invokes, and nothing else."""
    mark = time.process_time()
    for _ in range(hops):
        runtime.invoke()
    return time.process_time() - mark


def alone(runtime: Runtime, sound: NDArray[np.int16], hop_seconds: float, hops: int) -> float:
    """CPU seconds of an interpreter that is given the waveform at every hop, as most programs do; `hops` times."""
    shape = runtime.inputs[0].shape
    length = shape[-1]
    last = len(sound) - length
    mark = time.process_time()
    for hop in range(hops):
        start = min(round(hop * hop_seconds * SAMPLE_RATE), last)
        runtime.set_input((sound[start: start + length].astype(np.float32) / np.float32(32768.0)).reshape(shape))
        runtime.invoke()
        runtime.output()
    return time.process_time() - mark


def bare_file(folder: Path, state_dir: Path) -> Path | None:
    """A published file to be run bare: the one kept beside an installed model, else that of an installed yamnet, or None."""
    known = ModelStore(state_dir).known()
    places = [folder, *(known[name][0] for name in ("yamnet",) if name in known)]
    return next((path for place in places if (path := place / PUBLISHED).is_file()), None)
