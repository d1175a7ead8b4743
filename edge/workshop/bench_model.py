"""One model measured: at each hop, and as a process."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edge.control.loading import find_model
from edge.errors import SettingsError
from edge.model.runtime import open_runtime
from edge.settings import Settings
from edge.workshop.bench import Cost, bare_file, measure
from edge.workshop.bench_peer import MediaPipe
from edge.workshop.bench_process import ProcessCost, measure_process

Peer = Callable[[float, int], float]
"""Hears so many hops of so many seconds, and gives its CPU seconds."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A model's costs."""

    model: str
    runtime: str
    costs: tuple[Cost, ...]
    """One for each hop."""
    process: ProcessCost


def whole_for(name: str, state_dir: Path) -> Path | None:
    """The published file that a bare interpreter runs beside a model; None where none is known. Raises ModelError for a
    model that is not known."""
    return bare_file(find_model(name, state_dir).folder, state_dir)


def measure_model(settings: Settings, name: str, state_dir: Path, *, hops: Sequence[float], seconds: float, rounds: int,
                  whole: Path | None, peers: Mapping[str, Peer]) -> Measured:
    """Measure a model at each hop, in turn with the peers. whole: a file for the bare interpreter. Raises ModelError where
    anything fails."""
    wanted = replace(settings.model, name=name)
    named = find_model(name, state_dir)
    # A model without standard targets: all of it, then.
    model = named.open(runtime=wanted.runtime, threads=wanted.threads, delegate=wanted.delegate,
                       rows=named.ask(settings.target).labels or None)
    bare = open_runtime(whole, runtime=wanted.runtime) if whole else None
    def at(hop: float) -> Cost:
        turns = {name: functools.partial(peer, hop, round(seconds / hop)) for name, peer in peers.items()}
        return measure(model, seconds=seconds, hop_seconds=hop, rounds=rounds, bare=bare, targets=settings.target,
                       gate=settings.gate, peers=turns)

    costs = tuple(map(at, hops))
    process = measure_process(wanted, model.labels[:3], seconds, state_dir, rounds=rounds, bare=whole,
                              runtime_name=model.runtime_name)
    return Measured(model.manifest.name, model.runtime_name, costs, process)


@dataclass(frozen=True, slots=True)
class Compared:
    """Models of ours, and the peak memory of each peer in bytes. Each peer's CPU time is among each model's costs."""

    models: tuple[Measured, ...]
    peer_peaks: Mapping[str, int]


def compare(settings: Settings, names: Sequence[str], state_dir: Path, *, hops: Sequence[float], seconds: float,
            rounds: int, bare: Path | None, against: Mapping[str, Path], needing: Sequence[str] = ()) -> Compared:
    """Measure each model, in turn with the peers. bare: a whole file instead of the one that is known.

    against: peers, with the Python of each. needing: options that make no sense without a whole file. Raises SettingsError
    for one of these where no whole file is known, ModelError where anything fails.
    """
    wholes = [bare or whole_for(name, state_dir) for name in names]
    if (needing or against) and None in wholes:
        raise SettingsError(next(iter(needing), "against"), found="no whole file to compare with",
                            wanted="--bare FILE, or an installed yamnet (edge-audio model install yamnet)")
    with contextlib.ExitStack() as stack:
        running = {peer: stack.enter_context(MediaPipe(python, whole, seconds))
                   for peer, python in against.items() for whole in wholes[:1] if whole is not None}
        turns = {peer: one.hear for peer, one in running.items()}
        models = tuple(measure_model(settings, name, state_dir, hops=hops, seconds=seconds, rounds=rounds, whole=whole,
                                     peers=turns) for name, whole in zip(names, wholes, strict=True))
    return Compared(models, {peer: one.peak_bytes for peer, one in running.items()})
