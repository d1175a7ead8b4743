"""The runtimes: which one is taken, what they say of themselves, and how their failures are put."""

from __future__ import annotations

import ctypes.util
import os
import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from edge.errors import ModelError
from edge.model.classifier import Model
from edge.model.runtime import open_runtime
from tests.external_delegate import Claims, delegate_library

ROOT = Path(__file__).resolve().parents[2]


def _python(code: str, **environment: str) -> str:
    """Run code in a fresh interpreter; what it printed."""
    path = os.pathsep.join(filter(None, (environment.pop("FIRST", ""), str(ROOT))))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True,
                          env=os.environ | {"PYTHONPATH": path} | environment)
    return done.stdout.strip()


@pytest.mark.big
def test_importing_the_model_stage_imports_no_runtime() -> None:
    loaded = _python("import sys, edge.model.classifier, edge.model.store, edge.workshop.models.build\n"
                     "print([name for name in sys.modules if 'litert' in name or 'tflite_runtime' in name])")
    assert loaded == "[]"


@pytest.mark.big
def test_the_listener_finds_models_without_what_installs_them() -> None:
    loaded = _python("import sys, edge.model.classifier, edge.model.store\n"
                     "print([name for name in ('ssl', 'urllib.request', 'tarfile') if name in sys.modules])")
    assert loaded == "[]"


def test_the_runtime_says_name_version_threads_and_xnnpack(tiny: Path, runtime: str, on_tflite: bool) -> None:
    opened = open_runtime(tiny / "float.tflite", runtime=runtime, threads=2)
    assert opened.name == ("tflite-runtime" if on_tflite else "LiteRT")
    assert f"{opened.name} {opened.version}, 2 threads, XNNPACK: " in opened.describe()


def test_xnnpack_takes_the_whole_backbone_in_litert_and_nothing_in_tflite_runtime(yamnet_model: Model,
                                                                                  on_tflite: bool) -> None:
    wanted = "XNNPACK: none of 28 operators" if on_tflite else "XNNPACK: 28 of 28 operators in 1 piece"
    assert yamnet_model.describe().endswith(f"1 thread, {wanted}")


def test_a_model_opens_from_memory_as_from_its_file(tiny: Path, runtime: str) -> None:
    outputs = []
    for source in (tiny / "float.tflite", (tiny / "float.tflite").read_bytes()):
        opened = open_runtime(source, runtime=runtime)
        waveform = np.zeros(opened.inputs[0].shape, np.float32)
        waveform[0, :3] = 0.1, 0.2, -0.3
        opened.set_input(waveform)
        opened.invoke()
        outputs.append(opened.output())
    assert np.array_equal(*outputs)
    assert np.allclose(outputs[0], 1 / (1 + np.exp([[-0.8, -1.6, 2.4]])), atol=1e-6)


def test_an_output_is_a_copy_that_the_next_run_leaves_alone(tiny: Path, runtime: str) -> None:
    opened = open_runtime(tiny / "float.tflite", runtime=runtime)
    opened.set_input(np.zeros(opened.inputs[0].shape, np.float32))
    opened.invoke()
    first = opened.output()
    opened.set_input(np.ones(opened.inputs[0].shape, np.float32))
    opened.invoke()
    assert (first == 0.5).all() and (opened.output() > 0.9).all()


@pytest.mark.parametrize(("content", "found"), [
    (b"", "an empty file"), (b"this is no model\n", "a file beginning"),
    (b"\0" * 100, "a file beginning"),
])
def test_a_file_that_is_no_model_is_refused(tmp_path: Path, runtime: str, content: bytes, found: str) -> None:
    (tmp_path / "text.tflite").write_bytes(content)
    with pytest.raises(ModelError, match=f"tflite: found {found}"):
        open_runtime(tmp_path / "text.tflite", runtime=runtime)


def test_a_file_that_is_not_there_or_is_a_folder_is_said(tmp_path: Path, runtime: str) -> None:
    with pytest.raises(ModelError, match="No such file"):
        open_runtime(tmp_path / "none.tflite", runtime=runtime)
    with pytest.raises(ModelError, match="Is a directory"):
        open_runtime(tmp_path, runtime=runtime)


def test_an_unknown_runtime_and_no_threads_are_refused(tiny: Path, runtime: str) -> None:
    with pytest.raises(ModelError, match="found tensorflow; wanted auto, litert or tflite-runtime"):
        open_runtime(tiny / "float.tflite", runtime="tensorflow")
    with pytest.raises(ModelError, match="threads: found 0"):
        open_runtime(tiny / "float.tflite", runtime=runtime, threads=0)


def test_a_named_runtime_that_is_missing_is_an_error_that_says_how_to_get_it(tiny: Path, on_tflite: bool) -> None:
    missing, command = ("litert", "pip install ai-edge-litert") if on_tflite else (
        "tflite-runtime", "pip install tflite-runtime 'numpy<2'")
    with pytest.raises(ModelError) as caught:
        open_runtime(tiny / "float.tflite", runtime=missing)
    assert "found not installed" in str(caught.value) and command in str(caught.value)


@pytest.mark.big
def test_a_broken_litert_is_not_passed_over_in_silence(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "ai_edge_litert").mkdir()
    (tmp_path / "ai_edge_litert" / "__init__.py").write_text("raise ImportError('libpywrap.so: GLIBC_2.99 not found')")
    said = _python("import sys; from pathlib import Path; from edge.errors import ModelError\n"
                   "from edge.model.runtime import open_runtime\n"
                   "try: open_runtime(Path(sys.argv[1] if sys.argv[1:] else sys.stdin.read()))\n"
                   "except ModelError as error: print(error)".replace(
                       "sys.argv[1] if sys.argv[1:] else sys.stdin.read()", repr(str(tiny / "float.tflite"))),
                   FIRST=str(tmp_path))
    assert said.startswith("runtime LiteRT: found libpywrap.so: GLIBC_2.99 not found; wanted ")


def test_tflite_runtime_under_numpy_2_says_so(tiny: Path, monkeypatch: pytest.MonkeyPatch, on_tflite: bool) -> None:
    if not on_tflite:
        pytest.skip("tflite-runtime is not installed here")
    monkeypatch.setattr(np, "__version__", "2.4.6")
    with pytest.raises(ModelError, match="wanted numpy before 2"):
        open_runtime(tiny / "float.tflite", runtime="tflite-runtime")


def test_a_missing_delegate_is_named(tiny: Path, runtime: str) -> None:
    with pytest.raises(ModelError, match=r"delegate libnothing\.so\.1: found .*cannot open"):
        open_runtime(tiny / "float.tflite", runtime=runtime, delegate="libnothing.so.1")


@pytest.mark.big
def test_a_library_that_is_no_delegate_is_refused(tiny: Path, runtime: str) -> None:
    library = ctypes.util.find_library("m")
    assert library is not None
    with pytest.raises(ModelError, match="without tflite_plugin_create_delegate"):
        open_runtime(tiny / "float.tflite", runtime=runtime, delegate=library)


@pytest.fixture(scope="module")
def delegates(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Claims], str]:
    """Real external delegates, each once: `delegates(Claims.NOTHING)` is a library's path."""
    folder = tmp_path_factory.mktemp("delegates")
    return cache(lambda claims: str(delegate_library(folder, claims)))


@pytest.mark.big
def test_a_delegate_that_takes_nothing_is_loaded_and_named(tiny: Path, runtime: str,
                                                           delegates: Callable[[Claims], str]) -> None:
    opened = open_runtime(tiny / "float.tflite", runtime=runtime, delegate=delegates(Claims.NOTHING))
    assert re.search(r"libnothing\.so: none of 2 operators; .*libnothing\.so and XNNPACK: ", opened.describe())
    assert re.fullmatch(r".*libnothing\.so took none of 2 operators, the processor runs them as without it",
                        opened.undelegated)
    assert not opened.slow
    opened.set_input(np.zeros(opened.inputs[0].shape, np.float32))
    opened.invoke()
    assert (opened.output() == 0.5).all()


@pytest.mark.big
def test_a_delegate_computes_the_operator_that_only_it_knows(tiny: Path, runtime: str,
                                                             delegates: Callable[[Claims], str]) -> None:
    """As an Edge TPU does: its compiler leaves one operator in the file, that nobody else can run."""
    with pytest.raises(ModelError, match="edgetpu-custom-op"):
        open_runtime(tiny / "compiled.tflite", runtime=runtime)
    opened = open_runtime(tiny / "compiled.tflite", runtime=runtime, delegate=delegates(Claims.COMPILED))
    assert "libcompiled.so: 1 of 1 operators in 1 piece; " in opened.describe() and opened.undelegated == ""
    plain = open_runtime(tiny / "float.tflite", runtime=runtime)
    samples = np.random.default_rng(1).uniform(-1, 1, opened.inputs[0].shape).astype(np.float32)
    for each in (opened, plain):
        each.set_input(samples)
        each.invoke()
    assert np.allclose(opened.output(), plain.output(), atol=1e-5) and np.ptp(opened.output()) > 0


@pytest.mark.big
def test_a_delegate_that_fails_is_blamed_and_not_the_model(tiny: Path, runtime: str,
                                                           delegates: Callable[[Claims], str]) -> None:
    with pytest.raises(ModelError, match=r"with delegate .*libunanswered\.so: found the device does not answer"):
        open_runtime(tiny / "float.tflite", runtime=runtime, delegate=delegates(Claims.UNANSWERED))
    opened = open_runtime(tiny / "float.tflite", runtime=runtime, delegate=delegates(Claims.PULLED_OUT))
    for _ in range(20):
        opened.invoke()
    with pytest.raises(ModelError, match=r"with delegate .*libpulled_out\.so: found the device was pulled out"):
        opened.invoke()


@pytest.mark.big
def test_a_delegate_without_its_device_is_an_error(tiny: Path, runtime: str, delegates: Callable[[Claims], str]) -> None:
    # In a process of its own: the runtimes complain once more when a delegate that failed is freed.
    said = _python("from pathlib import Path; from edge.errors import ModelError\n"
                   "from edge.model.runtime import open_runtime\n"
                   f"try: open_runtime(Path({str(tiny / 'float.tflite')!r}), runtime={runtime!r}, "
                   f"delegate={delegates(Claims.NO_DEVICE)!r})\n"
                   "except ModelError as error: print(error)")
    assert "libno_device.so: found Failed to load delegate" in said and "no device was found" in said
