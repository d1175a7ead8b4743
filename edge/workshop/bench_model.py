"""One model measured: at each hop, and as a process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edge.control.loading import find_model
from edge.model.runtime import open_runtime
from edge.settings import Settings
from edge.workshop.bench import Cost, bare_file, measure
from edge.workshop.bench_process import ProcessCost, measure_process


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
                  whole: Path | None) -> Measured:
    """Measure a model at each hop. whole: a file for the bare interpreter. Raises ModelError where anything fails."""
    wanted = replace(settings.model, name=name)
    named = find_model(name, state_dir)
    # A model without standard targets: all of it, then.
    model = named.open(runtime=wanted.runtime, threads=wanted.threads, delegate=wanted.delegate,
                       rows=named.ask(settings.target).labels or None)
    bare = open_runtime(whole, runtime=wanted.runtime) if whole else None
    costs = tuple(measure(model, seconds=seconds, hop_seconds=hop, rounds=rounds, bare=bare, targets=settings.target,
                          gate=settings.gate) for hop in hops)
    process = measure_process(wanted, model.labels[:3], seconds, state_dir, rounds=rounds, bare=whole,
                              runtime_name=model.runtime_name)
    return Measured(model.manifest.name, model.runtime_name, costs, process)
