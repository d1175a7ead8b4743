"""A model file tried in a process of its own: a broken file may crash the runtime, and the appliance with it.

tflite-runtime 2.14 verifies nothing and ends with a segmentation fault on a truncated file.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np

from edge.errors import ModelError
from edge.model.runtime import TensorInfo, open_runtime
from edge.model.table import Table
from edge.workshop.child import environment

_SECONDS = 120.0
"""A whole YAMNet takes 0.2 s on a PC; the slowest board may take a while to start Python."""


def try_model(path: Path, *, runtime: str, delegate: str = "") -> tuple[tuple[TensorInfo, ...], tuple[TensorInfo, ...]]:
    """Open and run a TFLite file in a child process, on silence and on noise; its inputs and outputs.

    Raises ModelError for a file that cannot be opened, crashes the runtime, or gives values that are not finite.
    """
    try:
        done = subprocess.run([sys.executable, "-P", "-m", "edge.workshop.models.trial", str(path), runtime, delegate],
                              capture_output=True, text=True, timeout=_SECONDS, env=environment(), check=False)
    except subprocess.TimeoutExpired as error:
        raise ModelError(str(path), found=f"no result in {_SECONDS:.0f} s",
                         wanted="a model that this board can run") from error
    if done.returncode < 0:
        raise ModelError(str(path), found=f"the runtime crashed (signal {-done.returncode})", wanted="a TFLite model")
    try:
        answer = json.loads(done.stdout)
    except ValueError as error:
        found = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise ModelError(str(path), found=found, wanted="a TFLite model") from error
    if "found" in answer:
        raise ModelError(answer["thing"], found=answer["found"], wanted=answer["wanted"])
    table = Table("", answer)
    return table.get("inputs", tuple[TensorInfo, ...]), table.get("outputs", tuple[TensorInfo, ...])


def _run(path: Path, runtime: str, delegate: str) -> dict[str, object]:
    opened = open_runtime(path, runtime=runtime, delegate=delegate)
    noise = np.random.default_rng(0)
    for loud in (0.0, 0.1):
        for index, tensor in enumerate(opened.inputs):
            if min(tensor.shape, default=1) < 1:
                break  # a length left open: its shape is told, and refused by who asked
            real = (noise.standard_normal(tensor.shape) * loud).astype(np.float32)
            if tensor.dtype != "float32":
                real = np.clip(real * 128.0, 0, 127)
            opened.set_input(real.astype(tensor.dtype), index)
        else:
            try:
                opened.invoke()
            except ModelError as error:
                raise ModelError(f"{path}: {error.thing}", found=error.found, wanted=error.wanted) from error
            for index, tensor in enumerate(opened.outputs):
                if not np.isfinite(opened.output(index)).all():
                    raise ModelError(f"{path}: output {tensor.name}", found="values that are not finite",
                                     wanted="finite values")
    return {"inputs": [asdict(each) for each in opened.inputs], "outputs": [asdict(each) for each in opened.outputs]}


def main() -> None:
    """`python -m edge.workshop.models.trial FILE RUNTIME DELEGATE`: prints one JSON object, tensors or error."""
    try:
        answer = _run(Path(sys.argv[1]), *sys.argv[2:4])
    except ModelError as error:
        answer = {"thing": error.thing, "found": error.found, "wanted": error.wanted}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
