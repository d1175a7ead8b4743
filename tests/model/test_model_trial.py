"""Model files that crash LiteRT, or ask for all the memory there is: no command and no appliance ends with them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from model_tiny import LABELS, SAMPLES, classifier

from edge.errors import ModelError
from edge.model.manifest import bytes_sha256
from edge.model.manifest_file import MANIFEST
from edge.workshop.models import trial
from edge.workshop.models.install import Installer

schema = pytest.importorskip("ai_edge_litert.schema_py_generated", reason="files are altered with LiteRT's schema")
ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(os.environ.get("EDGE_AUDIO_TEST_RUNTIME", "litert") == "tflite-runtime", reason="for LiteRT")


def altered(alter: Callable[[Any], None]) -> bytes:
    """A tiny classifier with its graph altered."""
    import flatbuffers

    model = schema.ModelT.InitFromPackedBuf(classifier(), 0)
    alter(model.subgraphs[0])
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def weights_for_input(graph: Any) -> None:
    """Whoever sets this input writes to memory that is the file's: a segmentation fault in LiteRT 2.3."""
    graph.inputs = [1]


def installed(state: Path, content: bytes) -> None:
    """A model whose digests are right, as a packed one brings them, and which no trial has seen."""
    folder = state / "models" / "crash"
    folder.mkdir(parents=True)
    (folder / "whole.tflite").write_bytes(content)
    size = len(LABELS) * SAMPLES
    (folder / MANIFEST).write_text(json.dumps({
        "schema": 1, "name": "crash", "version": "1", "kind": "whole", "licence": "", "description": "", "labels": LABELS,
        "sample_rate": 16_000, "patch_samples": size, "whole": {
            "file": "whole.tflite", "sha256": bytes_sha256([content]), "bytes": len(content),
            "input": {"shape": [len(LABELS), SAMPLES], "dtype": "float32"},
            "output": {"shape": [1, 3], "dtype": "float32"}}}))


@pytest.mark.big
def test_a_file_that_crashes_the_runtime_is_told_by_install_and_by_verify(tmp_path: Path) -> None:
    """`model verify` ran it in its own process, and ended with the signal."""
    (tmp_path / "crash.tflite").write_bytes(altered(weights_for_input))
    store = Installer(tmp_path / "state", runtime="litert")
    with pytest.raises(ModelError, match=r"crash\.tflite: found the runtime crashed \(signal \d+\); wanted a TFLite model"):
        store.install(tmp_path / "crash.tflite")
    installed(tmp_path / "state", altered(weights_for_input))
    with pytest.raises(ModelError, match=r"models/crash: found the runtime crashed \(signal \d+\)"):
        store.verify("crash")


@pytest.mark.big
@pytest.mark.parametrize("words", [("run", "--file", "models/demo/claps.wav"), ("check", "--only", "model")])
def test_a_model_named_by_its_path_that_crashes_the_runtime_is_told(tmp_path: Path, words: tuple[str, ...]) -> None:
    """No install has tried it: `run` ended with a signal, and the service with it at each new start."""
    installed(tmp_path, altered(weights_for_input))
    own = ["--model", str(tmp_path / "models" / "crash"), "--state-dir", str(tmp_path / "state")]
    done = subprocess.run([sys.executable, "-m", "edge", *words, *own], cwd=ROOT, capture_output=True, text=True,
                          timeout=120.0, check=False)
    assert done.returncode in (1, 2), done.stderr
    assert "models/crash: found the runtime crashed (signal" in done.stdout + done.stderr


@pytest.mark.big
def test_a_file_that_crashes_while_it_is_split_ends_the_child_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What `split` makes of a file is run too, and was run in the command's own process."""
    monkeypatch.setattr(trial, "environment", lambda: os.environ | {"PYTHONPATH": str(tmp_path)})
    folder = tmp_path / "edge" / "workshop" / "models"
    folder.mkdir(parents=True)
    (folder / "trial.py").write_text("import os, sys\nprint(sys.argv)\nos.abort()")
    with pytest.raises(ModelError, match=r"a\.tflite: found the runtime crashed \(signal 6\)"):
        trial.try_cut(tmp_path / "a.tflite", tmp_path, "a.tflite")


@pytest.mark.big
def test_a_few_bytes_cannot_ask_for_gigabytes(tmp_path: Path) -> None:
    """Its trial took them, and a small board then kills whom it likes, the appliance perhaps."""
    def enormous(graph: Any) -> None:
        for tensor in (graph.tensors[3], graph.tensors[4]):
            tensor.shape = [1, 400_000_000]
        graph.operators, graph.inputs = graph.operators[1:], [3]

    (tmp_path / "large.tflite").write_bytes(altered(enormous))
    with pytest.raises(ModelError, match=r"large\.tflite: found an error without words, as where memory is short; wanted"):
        trial.try_model(tmp_path / "large.tflite", runtime="litert")
    (tmp_path / "small.tflite").write_bytes(classifier())
    inputs, _ = trial.try_model(tmp_path / "small.tflite", runtime="litert")
    assert inputs[0].shape == (1, SAMPLES)
