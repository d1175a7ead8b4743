"""What a whole process costs: peak memory of `edge-audio run` beside a bare interpreter's, and the time to be ready."""

from __future__ import annotations

import subprocess
import sys
import time
import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.stream import SAMPLE_RATE

_PEAK = """
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
"""
"""The process says its own peak, in kB: what wait4 reports starts from the memory of whoever forked it."""

_BARE = """
import sys, numpy
from pathlib import Path
from edge.model.runtime import open_runtime
runtime = open_runtime(Path(sys.argv[1]), runtime=sys.argv[2])
for _ in range(10):
    runtime.set_input(numpy.zeros(runtime.inputs[0].shape, numpy.float32))
    runtime.invoke()
    runtime.output()
""" + _PEAK

_RUN = """
import sys
from edge.cli import main
code = main(sys.argv[1:])
""" + _PEAK + """
sys.exit(code)
"""

_READY = """
import sys
from pathlib import Path
from edge.app import build
from edge.settings_file import load_settings
build(load_settings(Path(sys.argv[1])), Path(sys.argv[2])).source.close()
""" + _PEAK

SETTINGS = """
[source]
kind = "file"
path = "{sound}"
paced = false
[model]
name = "{model}"
runtime = "{runtime}"
[[target]]
name = "bench"
labels = {labels}
threshold = 0.9
[mqtt]
host = "127.0.0.1"
port = {port}
[[pin]]
pin = 17
target = "bench"
factory = "simulated"
[log]
events = ""
level = "error"
"""
"""All parts at work: broker (that refuses), pin, gate."""


def peak_bytes(script: str, *arguments: str) -> int:
    """Peak resident memory of a Python process that runs `script`. Raises ModelError where it fails."""
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ModelError("bench", found=f"exit {done.returncode}: {done.stderr.strip()[-300:]}",
                         wanted="a process that runs to its end")
    return int(done.stdout.split()[-1]) * 1024


def bare_peak_bytes(whole: Path, runtime: str) -> int:
    """Peak memory of numpy, the runtime, and the whole file in it: nothing of ours but the import of the runtime."""
    return peak_bytes(_BARE, str(whole), runtime)


def run_peak_bytes(settings: Path, state_dir: Path) -> int:
    """Peak memory of `edge-audio run` over a recording, with broker, pin and gate."""
    return peak_bytes(_RUN, "run", "--config", str(settings), "--state-dir", str(state_dir))


def startup_seconds(settings: Path, state_dir: Path, *, rounds: int = 3) -> float:
    """Wall seconds from the start of Python to an appliance that is wired: the fastest of `rounds`."""
    taken = []
    for _ in range(rounds):
        mark = time.monotonic()
        peak_bytes(_READY, str(settings), str(state_dir))
        taken.append(time.monotonic() - mark)
    return min(taken)


def write_wav(path: Path, samples: NDArray[np.int16]) -> None:
    """A plain WAV, 16 kHz mono."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes(samples.astype("<i2").tobytes())
