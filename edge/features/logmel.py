"""Frames to log-mel rows: YAMNet's own front end, in float32, each row computed once however patches overlap.

Pure arithmetic without memory of the past: a row depends on its frame alone, bit for bit, whatever it is batched with.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.stream import BANDS, FRAME_SAMPLES, SAMPLE_RATE

FRONT_END_VERSION = 1
"""Goes up when a row would come out otherwise: calibrations and learnt sounds belong to one version."""

_FFT_SAMPLES = 512
_SPECTRUM = _FFT_SAMPLES // 2 + 1
_LOWEST_HZ, _HIGHEST_HZ = 125.0, 7_500.0
LOG_OFFSET = 0.001
"""Added to every band before the logarithm, so that silence has one."""
_BATCH = 64  # rows per turn, a hop of 0.48 s and a block: the scratch (330 kB) stays in a small board's second-level cache
_SLAB = 4  # rows per matrix product; see LogMel.rows
_TWO_OVER_PI = 0.636619746685028076171875
_HALF_PI = (1.5703125, 0.000483989715576171875, -1.62865035235881805419921875e-07,
            -5.56443155441677106409770203754e-11)
"""pi / 2 in four parts, each short enough that its product with a small whole number is exact (Cody and Waite)."""
_COSINE = (2.4372266125283204019069671630859375e-05, -0.00138865201734006404876708984375, 0.041666619479656219482421875,
           -0.5, 1.0)
_SINE = (-0.0001959234114083702898469196984621, 0.008332687365561685169379479987, -0.16666662039822982555)
"""Minimax polynomials in x squared on -pi/4 to pi/4: cos x, and (sin x - x) / x cubed, as in Eigen's float cosine."""


def _mel(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    """HTK's mel scale, as tf.signal has it: 1127 ln(1 + f / 700)."""
    return 1127.0 * np.log1p(hertz / 700.0)


def mel_weights() -> NDArray[np.float32]:
    """Weights float32 `(257, 64)` from magnitude to mel bands, 125 to 7500 Hz.

    The formula of tf.signal.linear_to_mel_weight_matrix: triangles on the mel axis, height 1, no area normalisation;
    the zero-frequency row, which it clears, lies under every triangle anyway.
    """
    lowest, highest = _mel(np.array([_LOWEST_HZ, _HIGHEST_HZ]))
    edges = np.linspace(lowest, highest, BANDS + 2)
    lower, centre, upper = edges[:-2], edges[1:-1], edges[2:]
    spectrum = _mel(np.linspace(0.0, SAMPLE_RATE / 2, _SPECTRUM))[:, np.newaxis]
    rising = (spectrum - lower) / (centre - lower)
    falling = (upper - spectrum) / (upper - centre)
    weights: NDArray[np.float32] = np.maximum(0.0, np.minimum(rising, falling)).astype(np.float32)
    return weights


class LogMel:
    """int16 frames in, float32 log-mel rows out: `log(mel(|rfft(hann * frame / 32768)|) + 0.001)`.

    Silence gives log(0.001) = -6.908 in every band; no int16 input gives inf or nan.
    """

    def __init__(self) -> None:
        # 1 / 32768 is a power of two: folded into the window it rounds nothing that YAMNet does not.
        self._window: NDArray[np.float32] = hann_window(FRAME_SAMPLES) / np.float32(32_768.0)
        self._weights = mel_weights()
        self._padded = np.zeros((_BATCH, _FFT_SAMPLES), np.float32)  # the last 112 columns stay zero
        self._magnitude = np.zeros((_BATCH, _SPECTRUM), np.float32)

    def rows(self, frames: NDArray[np.int16]) -> NDArray[np.float32]:
        """Log-mel rows float32 `(k, 64)`, newly made, of frames int16 `(k, 400)` (a strided view will do); any k."""
        count = len(frames)
        rows = np.empty((-(-count // _SLAB) * _SLAB, BANDS), np.float32)
        for start in range(0, count, _BATCH):
            stop = min(start + _BATCH, count)
            end = -(-stop // _SLAB) * _SLAB
            self._fill_magnitude(frames[start:stop])
            # A matrix product's rounding depends on its shape, so it is always taken on slabs of one shape (rows left
            # over from before may fill the last): how rows are batched then never shows in them.
            slabs = self._magnitude[: end - start].reshape(-1, _SLAB, _SPECTRUM)
            np.matmul(slabs, self._weights, out=rows[start:end].reshape(-1, _SLAB, BANDS))
        rows += np.float32(LOG_OFFSET)
        np.log(rows, out=rows)
        return rows[:count]

    def _fill_magnitude(self, frames: NDArray[np.int16]) -> None:
        """Magnitude spectra of at most _BATCH frames into the head of the scratch."""
        count = len(frames)
        padded = self._padded[:count]
        np.multiply(frames, self._window, out=padded[:, :FRAME_SAMPLES])
        # numpy 1 computes in float64 and would hand that on; numpy 2 stays in float32 and copies nothing here.
        spectrum = np.fft.rfft(padded).astype(np.complex64, copy=False)
        np.abs(spectrum, out=self._magnitude[:count])


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
