"""Any rate to 16 kHz: a fixed-point polyphase low-pass, int16 in, Q15 coefficients, int16 out, saturating.

The filter is in lowpass.py, and why its arithmetic is exact.
"""

from __future__ import annotations

from math import ceil, gcd

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from edge.errors import SettingsError
from edge.features.lowpass import coefficients, exponent, half_taps, to_int16
from edge.stream import HIGHEST_RATE, LOWEST_RATE, SAMPLE_RATE

_MOST_PHASES = 640  # 11.025 kHz needs them all; a period of more would wait for more than 40 ms of sound
_LARGEST_TABLE = 1 << 18  # coefficients, 2 MB; odder ratios take the nearest of as many phases as it holds
_GROUP = 24  # outputs of a matrix product, about: more multiplies by zero against fewer copies of samples
_LARGEST_PRODUCT = 1 << 17  # multiplies of one matrix product: under what wakes OpenBLAS's other threads
_ROWS = 128  # outputs of the nearest phase at a time: bounds the scratch


class _ExactPhases:
    """One period of outputs at a time: `up` outputs per `down` samples or a multiple, in groups of about 24.

    A group is one matrix product, (periods, width) by (width, group): its columns are the phases'
    coefficients, each shifted to where its output lies.
    """

    def __init__(self, rate_in: int, up: int, down: int) -> None:
        periods = ceil(_GROUP / up)
        self._outputs, self._step = up * periods, down * periods
        groups = max(1, self._outputs // _GROUP)
        size = ceil(self._outputs / groups)
        turn = np.arange(up)
        table = coefficients(rate_in, turn * down % up / up)
        taps = table.shape[1]
        self.delay = taps // 2 - 1
        self._exponent = exponent(rate_in)
        self._groups: list[tuple[int, NDArray[np.float64]]] = []
        for first in range(0, self._outputs, size):
            outputs = range(first, min(first + size, self._outputs))
            start = first * down // up
            matrix = np.zeros((outputs[-1] * down // up - start + taps, len(outputs)))
            for column, output in enumerate(outputs):
                offset = output * down // up - start
                matrix[offset:offset + taps, column] = table[output % up]
            self._groups.append((start, matrix))
        self.reach = max(start + len(matrix) for start, matrix in self._groups)
        self._rows = max(1, _LARGEST_PRODUCT // max(matrix.size for _, matrix in self._groups))

    def take(self, samples: NDArray[np.int16]) -> tuple[NDArray[np.int16], int]:
        """What can be computed of `samples` int16 `(n,)`, and how many of them will not be needed again."""
        count = max(0, (len(samples) - self.reach) // self._step + 1)
        sums = np.empty((count, self._outputs))
        strides = (self._step * samples.itemsize, samples.itemsize)
        for begin in range(0, count, self._rows):
            end = min(begin + self._rows, count)
            column = 0
            for start, matrix in self._groups:
                width, size = matrix.shape
                first = (start + begin * self._step) * samples.itemsize
                rows: NDArray[np.int16] = np.ndarray((end - begin, width), np.int16, samples, first, strides)
                np.matmul(rows.astype(np.float64), matrix, out=sums[begin:end, column:column + size])
                column += size
        return to_int16(sums.reshape(-1), self._exponent), count * self._step

    def reset(self) -> None:
        """Nothing to forget: every period begins at phase 0."""


class _NearestPhase:
    """For ratios with more phases than a table should have: each output takes the nearest of a few hundred.

    The position of every output is exact for ever; each is computed for a time at most half a phase off,
    which is noise about 65 dB under a full-scale 7.5 kHz sine. One product per output and tap: some fifteen
    times the work.
    """

    def __init__(self, rate_in: int, up: int, down: int) -> None:
        self._up, self._down = up, down
        self.reach = 2 * half_taps(rate_in)
        self.delay = self.reach // 2 - 1
        self._phases = _LARGEST_TABLE // self.reach
        self._table = coefficients(rate_in, np.arange(self._phases + 1) / self._phases)
        self._exponent = exponent(rate_in)
        self._numerator = 0  # time of the next output behind the first sample held, in 1/up of a sample

    def take(self, samples: NDArray[np.int16]) -> tuple[NDArray[np.int16], int]:
        room = len(samples) - self.reach + 1  # an output may begin at samples 0 to room - 1
        count = max(0, -(-(room * self._up - self._numerator) // self._down))
        made = np.empty(count, np.int16)
        for begin in range(0, count, _ROWS):
            end = min(begin + _ROWS, count)
            time = self._numerator + np.arange(begin, end, dtype=np.int64) * self._down
            start, rest = np.divmod(time, self._up)
            table = self._table[(rest * self._phases + self._up // 2) // self._up]
            rows = sliding_window_view(samples, self.reach)[start].astype(np.float64)
            made[begin:end] = to_int16(np.einsum("kt,kt->k", rows, table), self._exponent)
        self._numerator += count * self._down
        used = min(self._numerator // self._up, len(samples))
        self._numerator -= used * self._up
        return made, used

    def reset(self) -> None:
        self._numerator = 0


class Resampler:
    """A stream of int16 samples from any rate to 16 kHz; how it is cut into blocks never shows in the output.

    Output k stands for the sound at input time k * rate_in / 16000 since the first sample: the filter's delay
    is taken out, and silence stands before the start. An output comes once half the filter (about 2.2 ms at
    44.1 and 48 kHz) and the rest of its period (10 ms at 44.1 kHz, 1 ms at 48 kHz) have been heard: see
    `latency_seconds`.
    """

    def __init__(self, rate_in: int) -> None:
        """rate_in: in Hz. Raises SettingsError for a rate outside 4000 to 384000."""
        if not LOWEST_RATE <= rate_in <= HIGHEST_RATE:
            raise SettingsError("sample rate", found=f"{rate_in} Hz", wanted=f"{LOWEST_RATE} to {HIGHEST_RATE} Hz")
        common = gcd(rate_in, SAMPLE_RATE)
        self._rate_in, self._up, self._down = rate_in, SAMPLE_RATE // common, rate_in // common
        self._held: NDArray[np.int16] = np.zeros(0, np.int16)
        self._polyphase: _ExactPhases | _NearestPhase | None = None
        if rate_in != SAMPLE_RATE:
            table = self._up * 2 * half_taps(rate_in)
            exact = self._up <= _MOST_PHASES and table <= _LARGEST_TABLE
            kind = _ExactPhases if exact else _NearestPhase
            self._polyphase = kind(rate_in, self._up, self._down)
        self.reset()

    @property
    def latency_seconds(self) -> float:
        """The longest that an output waits for the samples behind its own time."""
        return 0.0 if self._polyphase is None else (self._polyphase.reach - self._polyphase.delay) / self._rate_in

    def push(self, samples: NDArray[np.int16]) -> NDArray[np.int16]:
        """Outputs int16 `(m,)` that samples int16 `(n,)` complete. Equal rates: the same array, untouched."""
        if self._polyphase is None:
            return samples
        self._heard += len(samples)
        held = np.concatenate((self._held, samples))
        made, used = self._polyphase.take(held)
        self._held = held[used:].copy()  # a view would keep the whole block alive
        self._made += len(made)
        return made

    def flush(self) -> NDArray[np.int16]:
        """The tail: outputs up to the last sample's time, with silence after it; then as after `reset`.

        In all, n samples give ceil(n * 16000 / rate_in) outputs.
        """
        if self._polyphase is None:
            return np.empty(0, np.int16)
        owed = -(-self._heard * self._up // self._down) - self._made
        tail = self.push(np.zeros(2 * self._polyphase.reach, np.int16))[:owed]
        self.reset()
        return tail

    def reset(self) -> None:
        """Forget every sample; the next output stands for the next sample."""
        self._heard = self._made = 0
        self._held = np.zeros(0, np.int16)
        if self._polyphase is not None:
            self._polyphase.reset()
            self._held = np.zeros(self._polyphase.delay, np.int16)
