"""What a whole process costs: the peak memory of `edge-audio run`, and the time until it is ready."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.settings import ModelSettings
from edge.workshop.bench_sound import write_wav
from edge.workshop.child import environment

START_UPS = 3
_CLOSED_PORT = 9
_PEAK = """
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
"""
"""The process prints its own peak in kB. What wait4 reports includes the memory of its parent."""

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

_SETTINGS = """
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
"""All parts at work: a broker that cannot be reached, a pin, the gate."""


def _peak_bytes(script: str, *arguments: str) -> int:
    """Peak resident memory of a Python process that runs `script`. Raises ModelError where it fails."""
    done = subprocess.run([sys.executable, "-P", "-c", script, *arguments], capture_output=True, text=True, check=False,
                          env=environment())
    if done.returncode != 0:
        raise ModelError("bench", found=f"exit {done.returncode}: {done.stderr.strip()[-300:]}",
                         wanted="a process that runs to its end")
    return int(done.stdout.split()[-1]) * 1024


def bare_peak_bytes(whole: Path, runtime: str) -> int:
    """Peak memory, in bytes, of a process with numpy and the whole file in the runtime, and little else."""
    return _peak_bytes(_BARE, str(whole), runtime)


def measure_run(model: ModelSettings, labels: Sequence[str], sound: NDArray[np.int16], state_dir: Path) -> tuple[int, float]:
    """What `edge-audio run` over a recording costs, with broker, pin and gate.

    labels: of one target. sound: int16 `(n,)` at 16 kHz. Gives its peak memory in bytes; and the wall seconds
    from the start of Python to an appliance that is wired, the fastest of START_UPS. Raises ModelError where
    it fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        recording, toml = Path(folder) / "sound.wav", Path(folder) / "bench.toml"
        write_wav(recording, sound)
        toml.write_text(_SETTINGS.format(sound=recording, model=model.name, runtime=model.runtime,
                                         labels=json.dumps(list(labels)), port=_CLOSED_PORT))
        taken = []
        for _ in range(START_UPS):
            mark = time.monotonic()
            _peak_bytes(_READY, str(toml), str(state_dir))
            taken.append(time.monotonic() - mark)
        return _peak_bytes(_RUN, "run", "--config", str(toml), "--state-dir", str(state_dir)), min(taken)
