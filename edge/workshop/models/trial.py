"""Model files tried in a process of its own: a broken file may crash the runtime, but neither the appliance nor a command.

tflite-runtime 2.14 verifies nothing and ends with a segmentation fault on a truncated file. LiteRT verifies the file's
tables, not what its operators make of them.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from edge.errors import ModelError
from edge.model.classifier import open_model
from edge.model.head import load_head, save_head
from edge.model.manifest import TensorSpec
from edge.model.runtime import TensorInfo, open_runtime
from edge.model.table import Table
from edge.stream import PATCH_SAMPLES, Patch
from edge.workshop.child import environment
from edge.workshop.models.layout import OtherLayout
from edge.workshop.models.split import Cut, SchemaMissing, expose, logit_steps_off, split

_SECONDS = 120.0
"""A whole YAMNet takes 0.2 s on a PC; the slowest board may take a while to start Python."""
_MOST_BYTES = 500 << 20
"""Of memory, for a trial: some bytes of a model can ask for all that a board has, and the board then kills whom it likes."""
_STEPS_OFF = 1
"""int8 steps that a split's logits may be off the file's own."""
_BACKBONE, _HEAD = "backbone.tflite", "head.npz"


def try_model(path: Path, *, runtime: str, delegate: str = "") -> tuple[tuple[TensorInfo, ...], tuple[TensorInfo, ...]]:
    """Open and run a TFLite file in a child process, on silence and on noise; its inputs and outputs.

    Raises ModelError for a file that cannot be opened, crashes the runtime, or gives values that are not finite.
    """
    table = Table("", asked(path, "tensors", path, runtime, delegate))
    return table.get("inputs", tuple[TensorInfo, ...]), table.get("outputs", tuple[TensorInfo, ...])


def try_directory(directory: Path, *, runtime: str, delegate: str = "") -> str:
    """Open a model in a child process and run it on silence and on noise; its description. Raises ModelError."""
    return str(asked(directory, "directory", directory, runtime, delegate)["described"])


def try_cut(path: Path, into: Path, thing: str) -> Cut:
    """A file of YAMNet's layout, split in a child process and held against itself there. thing: names it in errors.

    into: a folder for what it came apart into. Raises OtherLayout, SchemaMissing and ModelError, as `split` does, and
    ModelError where the file crashes the runtime or the parts do not compute what the whole does.
    """
    table = Table("", asked(path, "cut", path, into, thing))
    given, made, logits = (table.get(key, TensorSpec) for key in ("input", "output", "logits"))
    head = load_head(into / _HEAD, rows=logits.size, columns=made.size)
    return Cut((into / _BACKBONE).read_bytes(), given, made, head, logits)


def asked(thing: Path, *words: object) -> Mapping[str, Any]:
    """What a child answers to these words (`answer`). thing: the file or folder that may crash it. Raises ModelError."""
    try:
        done = subprocess.run([sys.executable, "-P", "-m", "edge.workshop.models.trial", *map(str, words)],
                              capture_output=True, text=True, errors="replace", timeout=_SECONDS, env=environment(),
                              check=False)
    except subprocess.TimeoutExpired as error:
        raise ModelError(str(thing), found=f"no result in {_SECONDS:.0f} s",
                         wanted="a model that this board can run") from error
    if done.returncode < 0:
        raise crashed(thing, -done.returncode)
    try:
        told = json.loads(done.stdout)
    except ValueError as error:
        found = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise ModelError(str(thing), found=found, wanted="a TFLite model") from error
    return taken(told)


def crashed(thing: Path, signal: int) -> ModelError:
    """The error for a model that ended its child."""
    return ModelError(str(thing), found=f"the runtime crashed (signal {signal})", wanted="a TFLite model")


def taken(told: Mapping[str, Any]) -> Mapping[str, Any]:
    """A child's answer. Raises the error that it tells of."""
    if "found" in told:
        kind = {kind.__name__: kind for kind in (OtherLayout, SchemaMissing)}.get(told["error"], ModelError)
        raise kind(told["thing"], found=told["found"], wanted=told["wanted"])
    return told


def answer(words: Sequence[str]) -> dict[str, Any]:
    """In the child: what `main` prints, an answer or an error."""
    try:
        kind, path = words[0], Path(words[1])
        if kind == "tensors":
            return _tensors(path, *words[2:4])
        if kind == "directory":
            return {"described": _described(path, *words[2:4])}
        return _cut(path, Path(words[2]), words[3])
    except ModelError as error:
        return {"error": type(error).__name__, "thing": error.thing, "found": error.found, "wanted": error.wanted}
    except MemoryError:
        return {"error": "ModelError", "thing": words[1], "wanted": "a smaller one",
                "found": f"a model that takes over {_MOST_BYTES >> 20} MB of memory"}


def _tensors(path: Path, runtime: str, delegate: str) -> dict[str, Any]:
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


def _described(directory: Path, runtime: str, delegate: str) -> str:
    model = open_model(directory, runtime=runtime, delegate=delegate)
    noise = np.random.default_rng(0)
    for loud in (0.0, 1.0):
        if model.wants == "bands":
            data = noise.normal(-2.0, 2.0, (96, 64)).astype(np.float32) * np.float32(loud)
            scores = model.score(Patch(data, 0))
        else:
            samples = noise.integers(-8_000, 8_000, model.patch_samples).astype(np.int16) * np.int16(loud)
            scores = model.score(Patch(samples, 0))
        low, high = float(scores.values.min()), float(scores.values.max())
        if not 0.0 <= low <= high <= 1.0:
            raise ModelError(f"model {model.manifest.name}", found=f"scores from {low:.3g} to {high:.3g}",
                             wanted="scores from 0 to 1")
    return model.describe()


def _cut(path: Path, into: Path, thing: str) -> dict[str, Any]:
    content = path.read_bytes()
    cut = split(content, thing)
    whole = open_runtime(expose(content, thing), runtime="litert")
    backbone = open_runtime(cut.backbone, runtime="litert")
    noise = np.random.default_rng(0)
    for loud in (0.0, 0.001, 0.1):
        waveform = (noise.standard_normal(PATCH_SAMPLES) * loud).astype(np.float32)
        whole.set_input(waveform.reshape(whole.inputs[0].shape))
        whole.invoke()
        backbone.set_input(whole.output(1).reshape(cut.input.shape))
        backbone.invoke()
        embedding = cut.output.to_real(backbone.output().reshape(-1))
        worst = int(np.abs(logit_steps_off(cut, embedding, whole.output(3))).max())
        if worst > _STEPS_OFF:
            raise ModelError(thing, found=f"logits {worst} steps off the file's own after splitting",
                             wanted=f"{_STEPS_OFF} at most")
    (into / _BACKBONE).write_bytes(cut.backbone)
    save_head(into / _HEAD, cut.head)
    return {"input": asdict(cut.input), "output": asdict(cut.output), "logits": asdict(cut.logits)}


def bounded() -> None:
    """Let this process take no more than `_MOST_BYTES`, and leave no core behind where it crashes."""
    for kind, most in ((resource.RLIMIT_DATA, _MOST_BYTES), (resource.RLIMIT_CORE, 0)):
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def main() -> None:
    """`python -m edge.workshop.models.trial tensors|directory FILE RUNTIME DELEGATE`, or `cut FILE FOLDER NAME`: prints one
    JSON object, an answer or an error."""
    bounded()
    print(json.dumps(answer(sys.argv[1:])))


if __name__ == "__main__":
    main()
