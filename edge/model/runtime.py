"""The one file that imports LiteRT or tflite-runtime: a model file in, tensors in and out.

LiteRT is the default because XNNPACK takes every int8 operator there and none of them in tflite-runtime 2.14.
Nothing is imported before a model is opened.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.model.delegation import Delegation, count_delegated, load_delegate
from edge.model.manifest import TensorSpec

LITERT = "litert"
TFLITE = "tflite-runtime"
_HOW = {LITERT: "pip install ai-edge-litert", TFLITE: "pip install tflite-runtime 'numpy<2'"}
_SPOKEN = {LITERT: "LiteRT", TFLITE: "tflite-runtime"}


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """An input or output. scale is 0.0 where the tensor is not quantised; -1 in shape is a length left open."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: float
    zero_point: int

    @property
    def spec(self) -> TensorSpec:
        """What a manifest says of this tensor."""
        return TensorSpec(self.shape, self.dtype, self.scale, self.zero_point)

    def __str__(self) -> str:
        return f"{self.dtype} {list(self.shape)}"


class Runtime:
    """One model in one interpreter. `run` may be called from any thread. `invoke` releases Python's lock."""

    def __init__(self, interpreter: Any, *, kind: str, version: str, threads: int, delegate: str,
                 by_delegate: Delegation | None = None) -> None:
        """interpreter: with its tensors allocated. by_delegate: what the one that was named took. Use `open_runtime`."""
        self.name = _SPOKEN[kind]
        self.version = version
        self.threads = threads
        self.delegate = delegate
        self._interpreter = interpreter
        self.inputs = tuple(_tensor_info(detail) for detail in interpreter.get_input_details())
        self.outputs = tuple(_tensor_info(detail) for detail in interpreter.get_output_details())
        # Functions that give a view on the tensor's memory; a view must be gone before the next invoke.
        self._in = [interpreter.tensor(detail["index"]) for detail in interpreter.get_input_details()]
        self._out = [interpreter.tensor(detail["index"]) for detail in interpreter.get_output_details()]
        self._lock = threading.Lock()
        self.delegation = count_delegated(interpreter)
        self._by_delegate = by_delegate

    def run(self, values: NDArray[Any]) -> NDArray[Any]:
        """The input to a copy of the output, one thread at a time: the models before and after a reload share a runtime.
        Raises ModelError."""
        with self._lock:
            self.set_input(values)
            self.invoke()
            return self.output()

    def set_input(self, values: NDArray[Any], index: int = 0) -> None:
        """Copy `values` (the input's own shape and dtype) into input `index`."""
        np.copyto(self._in[index](), values, casting="no")

    def invoke(self) -> None:
        """Run the model once. Raises ModelError if the runtime fails."""
        try:
            self._interpreter.invoke()
        except (RuntimeError, ValueError) as error:
            raise ModelError(f"{self.name} {self.version}{_beside(self.delegate)}", found=str(error),
                             wanted="a delegate that answers" if self.delegate else "a model it can run") from error

    def output(self, index: int = 0) -> NDArray[Any]:
        """A copy of output `index`, in its own shape and dtype."""
        copy: NDArray[Any] = self._out[index]().copy()
        return copy

    @property
    def slow(self) -> bool:
        """Whether most of the graph is in no delegate, which costs several times the processor and says nothing by itself.

        tflite-runtime's XNNPACK takes no int8 operator on any machine: that is how it is, and no finding.
        """
        return self.name == _SPOKEN[LITERT] and self.delegation is not None and not self.delegation.enough

    @property
    def undelegated(self) -> str:
        """Empty, or which delegate took too little: so little that it is `slow`, or nothing though it was named."""
        if self.slow:
            return f"{self._who} took {self.delegation}"
        if self._by_delegate is not None and not self._by_delegate.taken:
            return f"{self.delegate} took {self._by_delegate}, the processor runs them as without it"
        return ""

    @property
    def _who(self) -> str:
        return f"{self.delegate} and XNNPACK" if self.delegate else "XNNPACK"

    def describe(self) -> str:
        """One line for the log: runtime, version, threads, what XNNPACK and the delegate took."""
        threads = f"{self.threads} thread{'s' if self.threads != 1 else ''}"
        alone = f"{self.delegate}: {self._by_delegate}; " if self._by_delegate else ""
        taken = str(self.delegation) if self.delegation else "operators unknown"
        return f"{self.name} {self.version}, {threads}, {alone}{self._who}: {taken}"


def open_runtime(model: bytes | Path, *, runtime: str = "auto", threads: int = 1, delegate: str = "") -> Runtime:
    """Open a TFLite model, from memory or (mapped, not read) from a file, and allocate its tensors.

    runtime: "litert", "tflite-runtime", or "auto": LiteRT where it is installed, else tflite-runtime.
    delegate: path or name of an external delegate's library; empty: the runtime's own (XNNPACK).
    Raises ModelError for a runtime or delegate that is missing or broken and for a file that is no TFLite model.
    """
    thing = str(model) if isinstance(model, Path) else "model"
    _check_head(model, thing)
    thing += _beside(delegate)
    kind, module, version = _load(runtime)
    if threads < 1:
        raise ModelError("threads", found=str(threads), wanted="1 or more")
    source = {"model_path": str(model)} if isinstance(model, Path) else {"model_content": model}
    delegates = [load_delegate(module, delegate)] if delegate else None
    try:
        with quiet():
            interpreter = module.Interpreter(**source, num_threads=threads, experimental_delegates=delegates)
            by_delegate = count_delegated(interpreter) if delegate else None  # XNNPACK takes its share when tensors are made
            interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        found = str(error).strip() or "an error without words, as where memory is short"
        raise ModelError(thing, found=found, wanted=f"a model that {_SPOKEN[kind]} {version} can open") from error
    except SystemError as error:
        # How tflite-runtime, built for numpy 1, fails under numpy 2: only when an interpreter is made.
        raise _too_new_numpy(version) from error
    return Runtime(interpreter, kind=kind, version=version, threads=threads, delegate=delegate, by_delegate=by_delegate)


def _beside(delegate: str) -> str:
    return f" with delegate {delegate}" if delegate else ""


_QUIET = threading.Lock()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Hold back what the block writes to file descriptor 2; then write all but its lines that begin "INFO: ".

    The runtimes say in such a line that XNNPACK has started; none of their settings leaves the line out. Warnings and
    errors come out after the block, and are lost where the runtime crashes. Messages of other threads are held too.
    """
    with _QUIET, os.fdopen(os.memfd_create("runtime"), "rb") as said:
        try:
            kept = os.dup(2)
        except OSError:  # a service without a standard error
            yield
            return
        os.dup2(said.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            said.seek(0)
            for line in said:
                if not line.startswith(b"INFO: "):
                    os.write(2, line)


def _check_head(model: bytes | Path, thing: str) -> None:
    """tflite-runtime crashes on some files that are no models, so look at the identifier (bytes 4 to 8) first."""
    try:
        if isinstance(model, Path):
            with model.open("rb") as file:
                head = file.read(8)
        else:
            head = bytes(model[:8])
    except OSError as error:
        raise ModelError(thing, found=error.strerror or str(error), wanted="a file that can be read") from error
    if head[4:] != b"TFL3":
        found = f"a file beginning {head!r}" if head else "an empty file"
        raise ModelError(thing, found=found, wanted="a TFLite model ('TFL3' at byte 4)")


def _load(runtime: str) -> tuple[str, Any, str]:
    """The runtime's kind, its interpreter module and its version."""
    if runtime in ("auto", LITERT):
        try:
            import ai_edge_litert
            from ai_edge_litert import interpreter as litert

            return LITERT, litert, str(ai_edge_litert.__version__)
        except ModuleNotFoundError as error:
            if runtime == LITERT or not _absent(error, "ai_edge_litert"):
                raise _missing(LITERT, error) from error
        except ImportError as error:
            raise _missing(LITERT, error) from error
    elif runtime != TFLITE:
        raise ModelError("model.runtime", found=runtime, wanted="auto, litert or tflite-runtime")
    from importlib import metadata  # a twentieth of a start, which LiteRT does without

    try:
        version = metadata.version("tflite-runtime")
        # Its last wheels; importing them under numpy 2 prints a page of warnings before anything can be caught.
        if version == "2.14.0" and int(np.__version__.split(".")[0]) >= 2:
            raise _too_new_numpy(version)
        from tflite_runtime import interpreter as tflite
    except (ImportError, metadata.PackageNotFoundError) as error:
        raise _missing(TFLITE if runtime == TFLITE else "auto", error) from error
    return TFLITE, tflite, version


def _absent(error: ModuleNotFoundError, package: str) -> bool:
    """The package itself is not installed, as against one that it needs."""
    return error.name is not None and error.name.split(".")[0] == package


def _missing(kind: str, error: Exception) -> ModelError:
    if kind == "auto":
        return ModelError("runtime", found="neither LiteRT nor tflite-runtime installed",
                          wanted=f"`{_HOW[LITERT]}`, or on 32-bit ARM `{_HOW[TFLITE]}`")
    found = "not installed" if isinstance(error, ModuleNotFoundError) else str(error)
    return ModelError(f"runtime {_SPOKEN[kind]}", found=found, wanted=f"`{_HOW[kind]}`")


def _too_new_numpy(version: str) -> ModelError:
    return ModelError(f"runtime tflite-runtime {version}", found=f"numpy {np.__version__}",
                      wanted=f"numpy before 2 (`{_HOW[TFLITE]}`), or LiteRT (`{_HOW[LITERT]}`)")


def _tensor_info(detail: dict[str, Any]) -> TensorInfo:
    scale, zero_point = detail["quantization"]
    shape = detail.get("shape_signature", detail["shape"])
    shape = shape if len(shape) else detail["shape"]
    return TensorInfo(str(detail["name"]), tuple(int(size) for size in shape), np.dtype(detail["dtype"]).name,
                      float(scale), int(zero_point))
