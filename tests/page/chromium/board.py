"""A board to look at: the appliance as a process of its own, hearing recordings in real time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from edge.sinks.watching.socket import NAME

ROOT = Path(__file__).resolve().parents[3]
DEMO = ROOT / "models" / "demo"
PATIENCE_SECONDS = 60.0
TARGETS = ("hand_clap", "siren", "typing", "door_knock")


def settings_text(sounds: Sequence[str], targets: str = "", *, device: str = "kitchen", begun: Path | None = None) -> str:
    """Settings in TOML. sounds: names of bundled recordings; targets: tables of targets and pins; begun: as player.py's."""
    command = [sys.executable, str(Path(__file__).with_name("player.py")),
               *(["--begun", str(begun)] if begun is not None else []), *(str(DEMO / f"{name}.wav") for name in sounds)]
    usual = "".join(f'[[target]]\nname = "{name}"\n' for name in TARGETS)
    return (f'[device]\nname = "{device}"\n[source]\nkind = "command"\ncommand = {json.dumps(command)}\n'
            f"[journal]\nsound = true\n{targets or usual}")


def settings_file(state_dir: Path) -> Path:
    """Where the settings of this state directory's appliance are."""
    return state_dir.parent / f"{state_dir.name}.toml"


@contextmanager
def hearing(state_dir: Path, settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """The appliance of this state directory, from its first sign of life until the block ends."""
    path = settings_file(state_dir)
    path.write_text(settings, encoding="utf-8")
    (state_dir / NAME).unlink(missing_ok=True)
    log = (state_dir.parent / f"{state_dir.name}.log").open("ab")
    process = subprocess.Popen([sys.executable, "-m", "edge", "run", "--config", str(path), "--state-dir", str(state_dir)],
                               cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log,
                               env={**os.environ, "OMP_NUM_THREADS": "1"})
    try:
        yield process
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)
        log.close()
