"""The low-pass filter of the resampler: its coefficients, and the number formats around them.

A Kaiser-windowed sinc (Kaiser 1974; Oppenheim & Schafer, section 7.5): 6 dB down at half the lower rate, pass-band to
15/16 of that, stop-band from 17/16: 7.5 and 8.5 kHz for every rate over 16 kHz.

Coefficients are int16, Q15 with an exponent that the whole table shares (2 at 96 kHz; Q15 alone would leave the upper
bits unused there, and 192 kHz short of 60 dB). A sample times a coefficient is under 2**30, at most 2,000 of them under
2**41. They are carried by float64, which holds every integer up to 2**53: nothing is rounded, in whatever order they
add, so the outcome is that of integer arithmetic on every machine, at the speed of BLAS (numpy's integer product has
none). One rounding (half to even) and one saturation at the end. The coefficients of each phase sum to exactly 1.0:
a constant comes out as it went in, -32768 and 32767 included.
"""

from __future__ import annotations

from math import ceil, floor, log2, pi

import numpy as np
from numpy.typing import NDArray

from edge.stream import SAMPLE_RATE

_Q15 = 32_768
_ATTENUATION_DB = 72.0  # of the window; rounding the coefficients costs a little of it


def half_taps(rate_in: int) -> int:
    """Half the filter's length in input samples, by Kaiser's formula for a transition of 1/8 of half the lower rate."""
    transition = 2.0 * pi * (min(rate_in, SAMPLE_RATE) / 16) / rate_in
    return ceil((_ATTENUATION_DB - 7.95) / (2.285 * transition) / 2.0)


def exponent(rate_in: int) -> int:
    """By what power of 2 coefficients are finer than Q15: the largest is near 16000 / rate_in, or 1."""
    return max(0, floor(log2(0.95 * rate_in / SAMPLE_RATE)))


def coefficients(rate_in: int, phases: NDArray[np.float64]) -> NDArray[np.float64]:
    """Integers -32768 to 32767, carried by float64 `(len(phases), taps)`; each row sums to 2**(15 + exponent).

    phases: how far, in input samples (0 to 1), an output lies behind the tap number taps / 2 - 1.
    """
    half = half_taps(rate_in)
    one = _Q15 << exponent(rate_in)
    time = np.arange(1 - half, half + 1) - phases[:, np.newaxis]
    beta = 0.1102 * (_ATTENUATION_DB - 8.7)
    window = np.i0(beta * np.sqrt(np.maximum(0.0, 1.0 - (time / half) ** 2)))
    exact = np.sinc(time * min(1.0, SAMPLE_RATE / rate_in)) * window
    taps: NDArray[np.float64] = np.rint(exact / exact.sum(axis=1, keepdims=True) * one)
    # What rounding left over (a few steps, white) goes to the tap beside the largest, which may be 1.0 already.
    rows = np.arange(len(taps))
    largest = np.abs(taps).argmax(axis=1)
    taps[rows, largest] = np.minimum(taps[rows, largest], _Q15 - 1)
    taps[rows, np.where(largest < half, largest + 1, largest - 1)] += one - taps.sum(axis=1)
    return taps


def to_int16(sums: NDArray[np.float64], exponent: int) -> NDArray[np.int16]:
    """Sums to int16: scale by 2**-(15 + exponent) (exact), round half to even, saturate, cast. Overwrites `sums`."""
    sums *= 0.5 ** (15 + exponent)
    np.rint(sums, out=sums)
    np.clip(sums, -_Q15, _Q15 - 1, out=sums)
    return sums.astype(np.int16)
