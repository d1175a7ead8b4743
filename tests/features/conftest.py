"""YAMNet as published, opened up: its own front end is the oracle of ours."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.recordings import classes_in_turn, recordings

Clip = NDArray[np.int16]


class Yamnet:
    """The whole file in the reference interpreter; every tensor in it can be read after `hear`."""

    def __init__(self, path: Path) -> None:
        installed = importlib.util.find_spec("ai_edge_litert") is not None
        runtime = pytest.importorskip("ai_edge_litert.interpreter" if installed else "tflite_runtime.interpreter")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it says that reading inner tensors is for debugging, which this is
            self._interpreter = runtime.Interpreter(str(path), num_threads=1, experimental_preserve_all_tensors=True)
        self._interpreter.allocate_tensors()
        tensors = self._interpreter.get_tensor_details()
        self._patch = next(t for t in tensors if t["dtype"] is np.int8 and list(t["shape"]) == [1, 96, 64])
        self._weights = next(t for t in tensors if t["dtype"] is np.float32 and list(t["shape"]) == [64, 257])
        self._window = next(t for t in tensors if t["dtype"] is np.float32 and list(t["shape"])[-1:] == [400]
                            and np.prod(t["shape"]) == 400)
        self._scores = self._interpreter.get_output_details()[0]
        self._input = self._interpreter.get_input_details()[0]

    @property
    def mel_weights(self) -> NDArray[np.float32]:
        """float32 `(257, 64)`: the file's own mel matrix."""
        return self._interpreter.get_tensor(self._weights["index"]).T

    @property
    def window(self) -> NDArray[np.float32]:
        """float32 `(400,)`: the file's own analysis window."""
        return self._interpreter.get_tensor(self._window["index"]).reshape(-1)

    def hear(self, samples: Clip) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
        """Of int16 `(15600,)`: the file's own patch int8 `(96, 64)` and its scores float32 `(521,)`."""
        self._interpreter.set_tensor(self._input["index"], samples.astype(np.float32) / np.float32(32_768))
        self._interpreter.invoke()
        return (self._interpreter.get_tensor(self._patch["index"])[0],
                self._interpreter.get_tensor(self._scores["index"])[0])

    def quantise(self, patch: NDArray[np.float32]) -> NDArray[np.int8]:
        """Round, clip, cast with the scale and zero point of the file's own patch."""
        scale, zero_point = self._patch["quantization"]
        return np.clip(np.rint(patch / np.float32(scale)) + zero_point, -128, 127).astype(np.int8)


@pytest.fixture(scope="session")
def yamnet(yamnet_file: Path) -> Yamnet:
    return Yamnet(yamnet_file)


@pytest.fixture(scope="session")
def clips(shared: Path) -> Callable[[float], list[Clip]]:
    """`clips(seconds)`: so much sound of all classes in turn, at most 4 s of a recording; int16 at 16 kHz."""
    soundfile = pytest.importorskip("soundfile")
    rows = classes_in_turn(recordings(shared))

    def read(seconds: float) -> list[Clip]:
        found: list[Clip] = []
        for row in rows:
            if sum(map(len, found)) >= seconds * 16_000:
                break
            found.append(soundfile.read(shared / "data" / row["path"], dtype="int16", frames=64_000)[0])
        return found

    return read
