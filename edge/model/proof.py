"""Inputs made by formulas and what the model made of them: run again, they prove that a board computes the same.

No sound of a room is in them.
"""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.model.classifier import Model, Whole
from edge.model.manifest import Manifest
from edge.stream import BANDS, PATCH_FRAMES, Patch

STEPS_OFF = 1
"""Steps that a quantised value may be off: kernels of other cores may round a half the other way."""
_FLOAT_OFF = 1e-3
_LOWEST, _HIGHEST = np.float32(-6.9), np.float32(2.5)
"""Bands of silence and of a loud sound."""


@dataclass(frozen=True, slots=True)
class Proof:
    """given: the patch as the model takes it, flat (cells of a backbone, int16 samples of a whole one); made: the output."""

    given: NDArray[Any]
    made: NDArray[Any]


def make_proof(model: Model) -> tuple[Proof, ...]:
    """Run the model on patches made by formulas: a knock, a glide and a hum over noise. Raises ModelError where it fails."""
    return tuple(Proof(given, _run(model, given)) for given in _inputs(model))


def check_proof(model: Model, proofs: tuple[Proof, ...]) -> str:
    """What is different here; empty where the model gives what it gave. Raises ModelError where it fails."""
    worst, different, values = 0.0, 0, 0
    for proof in proofs:
        made = _run(model, proof.given)
        if made.shape != proof.made.shape or made.dtype != proof.made.dtype:
            return f"its proof has {len(proof.made)} values of {proof.made.dtype}, here {len(made)} of {made.dtype}"
        off = np.abs(made.astype(np.float64) - proof.made.astype(np.float64))
        worst, different, values = max(worst, float(off.max())), different + int((off > 0).sum()), values + off.size
    allowed = _FLOAT_OFF if proofs and proofs[0].made.dtype == np.float32 else STEPS_OFF
    if worst <= allowed:
        return ""
    return f"this board computes otherwise: {different} of {values} values differ, by up to {worst:g}"


def encode(values: NDArray[Any]) -> str:
    """Little-endian bytes, deflated, in base64."""
    return base64.b64encode(zlib.compress(values.astype(values.dtype.newbyteorder("<")).tobytes(), 9)).decode("ascii")


def decode(text: str, dtype: str, size: int, thing: str) -> NDArray[Any]:
    """What `encode` made: `(size,)` of `dtype`. Raises ModelError for anything else."""
    wanted = f"{size} values of {dtype}"
    try:
        unpacked = zlib.decompressobj()
        content = unpacked.decompress(base64.b64decode(text, validate=True), size * np.dtype(dtype).itemsize + 1)
    except (ValueError, zlib.error) as error:
        raise ModelError(thing, found=f"no deflated base64 ({error})", wanted=wanted) from error
    if len(content) != size * np.dtype(dtype).itemsize:
        raise ModelError(thing, found=f"{len(content)} bytes", wanted=wanted)
    return np.frombuffer(content, np.dtype(dtype).newbyteorder("<")).astype(dtype)


def forms(manifest: Manifest) -> tuple[tuple[str, int], tuple[str, int]]:
    """dtype and size of a proof's `given` and `made` for this model."""
    if manifest.backbone is not None:
        given, made = manifest.backbone.input, manifest.backbone.output
        return (given.dtype, given.size), (made.dtype, made.size)
    assert manifest.whole is not None  # Manifest.check saw to it
    return ("int16", manifest.patch_samples), ("float32", manifest.whole.output.size)


def _inputs(model: Model) -> list[NDArray[Any]]:
    if model.wants == "samples":
        return [_samples(model.patch_samples, number) for number in range(3)]
    spec = model.manifest.backbone
    assert spec is not None
    return [spec.input.to_cells(bands).reshape(-1) for bands in _bands()]


def _run(model: Model, given: NDArray[Any]) -> NDArray[Any]:
    if model.wants == "samples":
        return model.all_scores(given) if isinstance(model, Whole) else model.score(Patch(given, 0)).values
    spec = model.manifest.backbone
    assert spec is not None
    embedding = model.score(Patch(spec.input.to_real(given).reshape(PATCH_FRAMES, BANDS), 0)).embedding
    assert embedding is not None
    return spec.output.to_cells(embedding)


def _bands() -> list[NDArray[np.float32]]:
    """Three float32 `(96, 64)` patches from sums and products alone, so that every machine makes the same."""
    frame, band = np.mgrid[0:PATCH_FRAMES, 0:BANDS].astype(np.float32)
    grain = ((frame * 37 + band * 101 + frame * band * 13) % 29 - 14) * np.float32(0.04)
    since = frame - 20
    knock = np.where(since >= 0, _HIGHEST - since * np.float32(0.35) - band * np.float32(0.05), _LOWEST)
    glide = _HIGHEST - np.abs(band - frame * np.float32(0.6)) * np.float32(1.1)
    hum = _HIGHEST - (band % 9) * np.float32(0.7) - np.float32(3.0) * ((frame // 12) % 2)
    return [np.clip(sound + grain, _LOWEST, _HIGHEST).astype(np.float32) for sound in (knock, glide, hum)]


def _samples(count: int, number: int) -> NDArray[np.int16]:
    """int16 `(count,)` in integers alone: a falling saw, a glide of squares, a slow triangle."""
    at = np.arange(count, dtype=np.int64)
    if number == 0:
        sound = (at * 977 % 4001 - 2000) * 12 // (1 + at // 400)
    elif number == 1:
        sound = np.where((at * at // 9000) % 2 == 0, 6000, -6000)
    else:
        sound = np.abs(at % 160 - 80) * 150 - 6000
    return sound.astype(np.int16)
