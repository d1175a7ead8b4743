"""One target's child: `python -m tests.fuzz.child TARGET FOLDER INPUTS SECONDS SEED [--plain]`. The runner starts it."""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

MOST_DATA = 2 << 30
"""Bytes that a child may have over what it begins with: what wants more gets a MemoryError, as on a small board."""


def main(name: str, folder: Path, inputs: int, seconds: float, seed: int, *, plain: bool) -> None:
    """Try `inputs` inputs in all (counting what the meter has already), for so many seconds at most."""
    try:
        import atheris  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        plain = True
    from tests.fuzz.targets import PLANTED, TARGETS

    listed = (TARGETS | PLANTED)[name]
    plain = plain or not listed.guided
    with contextlib.nullcontext() if plain else atheris.instrument_imports(include=["edge"], enable_loader_override=False):
        module = importlib.import_module(listed.module)
    from tests.fuzz.engine import Findings, Meter, Trial, guided, search

    logging.disable(logging.CRITICAL)
    meter, findings = Meter(folder / "meter"), Findings(folder / "findings")
    until = time.monotonic() + seconds
    with tempfile.TemporaryDirectory(prefix="edge-audio-fuzz-", dir=scratch()) as own:
        target = getattr(module, listed.kind)(Path(own))
        trial = Trial(target, meter, findings)
        used = int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_DATA, (used + MOST_DATA, resource.RLIM_INFINITY))

        parent = os.getppid()

        def enough() -> bool:
            return meter.tried >= inputs or time.monotonic() >= until or os.getppid() != parent

        if plain:
            search(target, trial, enough, seed, folder)
        else:
            guided(target, trial, enough, seed, folder)


def scratch() -> str | None:
    """A folder in memory, where there is one: no card is worn by what is tried."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5]), plain="--plain" in sys.argv)
