"""A file that takes bands and gives logits, such as one that was compiled for an Edge TPU: served as it is."""

from __future__ import annotations

import math

import numpy as np

from edge.errors import ModelError
from edge.model.head import Head
from edge.model.manifest import TensorSpec
from edge.model.quantisation import QUANTISED, limits
from edge.model.runtime import TensorInfo
from edge.stream import BANDS, PATCH_FRAMES


def takes_bands(inputs: tuple[TensorInfo, ...]) -> bool:
    """Whether there is one input, a patch of 96 x 64 bands, whatever axes of one value are around them."""
    return len(inputs) == 1 and [size for size in inputs[0].shape if size != 1] == [PATCH_FRAMES, BANDS]


def bands_tensors(inputs: tuple[TensorInfo, ...], outputs: tuple[TensorInfo, ...],
                  thing: str) -> tuple[TensorSpec, TensorSpec]:
    """Input and output of such a file.

    The output must be quantised logits. A float's range is not known, and scores (0 to 1) cannot be calibrated further.
    Raises ModelError for anything else.
    """
    wanted = "one row of quantised logits, below 0 and above 1"
    given = inputs[0].spec
    if given.dtype not in ("float32", *QUANTISED):
        raise ModelError(f"{thing}: input", found=str(inputs[0]), wanted=f"float32, {', '.join(QUANTISED)}")
    if len(outputs) != 1:
        raise ModelError(f"{thing}: output", found=f"{len(outputs)} tensors", wanted=wanted)
    made = outputs[0].spec
    if math.prod(made.shape) != made.shape[-1] or made.dtype not in QUANTISED or not made.scale:
        raise ModelError(f"{thing}: output", found=str(outputs[0]), wanted=wanted)
    low, high = ((limit - made.zero_point) * made.scale for limit in limits(made.dtype))
    if low >= 0.0 or high <= 1.0:
        raise ModelError(f"{thing}: output", found=f"values from {low:.3g} to {high:.3g}", wanted=wanted)
    return given, made


def passing_on(count: int) -> Head:
    """The head behind it: each logit as it came."""
    return Head(np.eye(count, dtype=np.float32), np.zeros(count, np.float32))
