"""What a whole process costs: the peak memory of `edge-audio run`, and its start, beside a bare loop's."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.errors import ModelError
from edge.settings import ModelSettings
from edge.workshop.bench import in_turn, middle
from edge.workshop.bench_sound import test_sound, write_wav
from edge.workshop.child import environment

_CLOSED_PORT = 9
_PEAK = """
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
"""
"""The process prints its own peak in kB. What wait4 reports includes the memory of its parent."""

_BARE = """
import sys, numpy
if sys.argv[2].startswith("LiteRT"):
    from ai_edge_litert.interpreter import Interpreter
else:
    from tflite_runtime.interpreter import Interpreter
interpreter = Interpreter(sys.argv[1], num_threads=1)
interpreter.allocate_tensors()
(wanted,), (given, *_) = interpreter.get_input_details(), interpreter.get_output_details()
for _ in range(int(sys.argv[3])):
    interpreter.set_tensor(wanted["index"], numpy.zeros(wanted["shape"], wanted["dtype"]))
    interpreter.invoke()
    interpreter.get_tensor(given["index"])
""" + _PEAK
"""As the runtime's guide has it: nothing of ours."""

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

_RUNS = 10


@dataclass(frozen=True, slots=True)
class ProcessCost:
    """Of `edge-audio run`, and of a bare loop over a whole file; None where there is none."""

    peak_bytes: int
    startup_seconds: float
    """Wall seconds from the start of Python to an appliance that is wired, the fastest."""
    startup_cpu_seconds: float
    """CPU seconds of the same, user and system, the median."""
    bare_peak_bytes: int | None = None
    bare_startup_cpu_seconds: float | None = None
    """From the start of Python to an interpreter that could be invoked."""
    startup_ratio: float | None = None
    """The median of the rounds' ratios."""

    @property
    def peak_ratio(self) -> float | None:
        """Our peak over the bare loop's."""
        return self.peak_bytes / self.bare_peak_bytes if self.bare_peak_bytes else None


def python(script: str, *arguments: str) -> tuple[str, float]:
    """Run a script in a Python of its own: what it printed, and its CPU seconds. Raises ModelError where it fails."""
    # As an installed program, it has its bytecode: what is missing is written in the round that does not count.
    known = {name: value for name, value in environment().items() if name != "PYTHONDONTWRITEBYTECODE"}
    before = _children_seconds()
    done = subprocess.run([sys.executable, "-P", "-c", script, *arguments], capture_output=True, text=True, check=False,
                          env=known)
    spent = _children_seconds() - before
    if done.returncode != 0:
        raise ModelError("bench", found=f"exit {done.returncode}: {done.stderr.strip()[-300:]}",
                         wanted="a process that runs to its end")
    return done.stdout, spent


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def peak_bytes(said: str) -> int:
    """The peak that a script printed last."""
    return int(said.split()[-1]) * 1024


def measure_process(model: ModelSettings, labels: Sequence[str], seconds: float, state_dir: Path, *, rounds: int,
                    bare: Path | None = None, runtime_name: str = "LiteRT") -> ProcessCost:
    """What `edge-audio run` over varied sound costs, with broker, pin and gate.

    labels: of one target. bare: a whole file, which a bare loop runs in `runtime_name`. Start-ups are measured in turn.
    Raises ModelError where a process fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        recording, toml = Path(folder) / "sound.wav", Path(folder) / "bench.toml"
        write_wav(recording, test_sound(seconds))
        toml.write_text(_SETTINGS.format(sound=recording, model=model.name, runtime=model.runtime,
                                         labels=json.dumps(list(labels)), port=_CLOSED_PORT))
        walls = []

        def ours() -> float:
            mark = time.monotonic()
            _, spent = python(_READY, str(toml), str(state_dir))
            walls.append(time.monotonic() - mark)
            return spent

        entrants = {"ours": ours}
        if bare is not None:
            entrants["bare"] = lambda: python(_BARE, str(bare), runtime_name, "0")[1]
        turns = in_turn(entrants, rounds)
        peak = peak_bytes(python(_RUN, "run", "--config", str(toml), "--state-dir", str(state_dir))[0])
    wall, cpu = min(walls), middle(turns, "ours")
    if bare is None:
        return ProcessCost(peak, wall, cpu)
    return ProcessCost(peak, wall, cpu, peak_bytes(python(_BARE, str(bare), runtime_name, str(_RUNS))[0]),
                       middle(turns, "bare"), middle(turns, "ours", "bare"))
