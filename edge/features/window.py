"""The analysis window, to the last bit as the published file has it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_TWO_OVER_PI = 0.636619746685028076171875
_HALF_PI = (1.5703125, 0.000483989715576171875, -1.62865035235881805419921875e-07,
            -5.56443155441677106409770203754e-11)
"""pi / 2 in four parts, each short enough that its product with a small whole number is exact (Cody and Waite)."""
_COSINE = (2.4372266125283204019069671630859375e-05, -0.00138865201734006404876708984375, 0.041666619479656219482421875,
           -0.5, 1.0)
_SINE = (-0.0001959234114083702898469196984621, 0.008332687365561685169379479987, -0.16666662039822982555)
"""Minimax polynomials in x squared on -pi/4 to pi/4: cos x, and (sin x - x) / x cubed. Both as in Eigen's float cosine."""


def hann_window(samples: int) -> NDArray[np.float32]:
    """Periodic Hann window, float32 `(samples,)`: 0.5 - 0.5 cos(2 pi n / samples), each step rounded to float32.

    The published file computes in float32. A window from float64 differs in the last bit, and moves scores.
    """
    angle = np.float32(2.0 * np.pi) * np.arange(samples, dtype=np.float32) / np.float32(samples)
    window: NDArray[np.float32] = np.float32(0.5) - np.float32(0.5) * _cosine(angle)
    return window


def _cosine(angle: NDArray[np.float32]) -> NDArray[np.float32]:
    """float32 cosine of float32 `(n,)`, 0 to 2 pi, within one unit in the last place; no fused multiply and add."""
    turns = np.rint(angle * np.float32(_TWO_OVER_PI))
    for part in _HALF_PI:
        angle = angle - turns * np.float32(part)
    square = angle * angle
    cosine = _polynomial(_COSINE, square)
    sine = _polynomial(_SINE, square) * square * angle + angle
    quarter = turns.astype(np.intp) % 4
    values = np.where(quarter % 2 == 0, cosine, sine)
    return np.where((quarter == 1) | (quarter == 2), -values, values)


def _polynomial(coefficients: tuple[float, ...], x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Horner's scheme, highest power first, in float32."""
    value = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        value = value * x + np.float32(coefficient)
    return value
