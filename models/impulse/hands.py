"""Claps and snaps that nobody recorded: by formula, and by crossing the few that somebody did.

`clap_by_formula` knows bursts, a hollow and a tail; `snap_by_formula` one short burst, higher up, after a faint slide.
`crossed` takes the envelope of recorded sounds over time and frequency, bends and mixes it, and lets new noise sound through
it. Both give float32 `(n,)`, peak 1, the onset LEAD samples in.
Which of them sound like hands is for the critic to say (critic.py).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.signal import istft, stft

from models.impulse.stock import LEAD, SAMPLE_RATE

Floats = npt.NDArray[np.float32]
LENGTH = 4_800
WINDOW, STEP = 128, 16  # samples of a spectrum (8 ms), and between two (1 ms)


def clap_by_formula(rng: np.random.Generator) -> Floats:
    """Up to five bursts of noise within milliseconds; the hollow between two palms colours them; a breath is left."""
    seconds = np.arange(LENGTH) / SAMPLE_RATE
    count = int(rng.choice([1, 2, 3, 4, 5], p=[0.3, 0.25, 0.2, 0.15, 0.1]))
    starts = np.concatenate(([0.0], np.cumsum(rng.exponential(rng.uniform(0.0005, 0.004), count - 1))))
    bursts = np.zeros(LENGTH)
    decay = np.exp(rng.uniform(np.log(0.0007), np.log(0.008)))
    for start in starts:
        after = seconds - start
        rise = 1.0 - np.exp(-np.maximum(after, 0.0) / rng.uniform(0.00005, 0.0006))
        own = decay * np.exp(rng.normal(0.0, 0.3))
        bursts += np.where(after >= 0.0, rise * np.exp(-np.maximum(after, 0.0) / own), 0.0) * rng.uniform(0.25, 1.0) \
            * rng.standard_normal(LENGTH)
    breath = rng.standard_normal(LENGTH) * np.exp(-seconds / np.exp(rng.uniform(np.log(0.006), np.log(0.05))))
    clap = coloured(rng, bursts) + coloured(rng, breath) * 10 ** (rng.uniform(-32.0, -8.0) / 20)
    return placed(clap)


def snap_by_formula(rng: np.random.Generator) -> Floats:
    """A finger slides, then hits the palm: one or two bursts, narrower and higher than a clap's."""
    seconds = np.arange(LENGTH) / SAMPLE_RATE
    slide = rng.uniform(0.0, 0.03)
    hit = np.maximum(seconds - slide, 0.0)
    decay = np.exp(rng.uniform(np.log(0.0005), np.log(0.006)))
    burst = np.where(seconds >= slide, np.exp(-hit / decay), 0.0) * rng.standard_normal(LENGTH)
    if rng.random() < 0.4:
        again = np.maximum(hit - rng.uniform(0.001, 0.012), 0.0)
        burst += rng.uniform(0.2, 0.8) * np.where(again > 0.0, np.exp(-again / decay), 0.0) * rng.standard_normal(LENGTH)
    sliding = np.where(seconds < slide, seconds / max(slide, 1e-4), 0.0) * rng.standard_normal(LENGTH)
    ring = rng.standard_normal(LENGTH) * np.exp(-hit / rng.uniform(0.006, 0.03)) * (seconds >= slide)
    snap = coloured(rng, burst, 1_200.0, 5_000.0) + coloured(rng, ring, 1_200.0, 5_000.0) * 10 ** (rng.uniform(-30, -8) / 20)
    snap += coloured(rng, sliding + 1e-9, 2_000.0, 6_000.0) * 10 ** (rng.uniform(-40.0, -18.0) / 20) * (slide > 0.004)
    return placed(snap)


def coloured(rng: np.random.Generator, sound: npt.NDArray[np.float64], lowest: float = 400.0,
             highest: float = 3_500.0) -> npt.NDArray[np.float64]:
    """Through the hollow of the hands (its pitch in hertz), further resonances, and a slope to both sides; RMS 1."""
    hertz = np.maximum(np.fft.rfftfreq(2 * LENGTH, 1.0 / SAMPLE_RATE), 1.0)
    hollow = np.exp(rng.uniform(np.log(lowest), np.log(highest)))
    gain = np.full(len(hertz), 10 ** (rng.uniform(-30.0, -6.0) / 20), np.complex128)
    for number in range(int(rng.integers(1, 5))):
        centre = hollow if number == 0 else np.exp(rng.uniform(np.log(300.0), np.log(6_000.0)))
        width = rng.uniform(0.7, 6.0)
        share = 1.0 if number == 0 else rng.uniform(0.1, 0.8) * np.exp(1j * rng.uniform(0.0, 6.28))
        gain += share / (1.0 + 1j * width * (hertz / centre - centre / hertz))
    gain /= np.sqrt(1.0 + (rng.uniform(100.0, 600.0) / hertz) ** 4)
    gain /= (1.0 + (hertz / rng.uniform(1_500.0, 9_000.0)) ** 2) ** rng.uniform(0.2, 1.0)
    found = np.fft.irfft(np.fft.rfft(sound, 2 * LENGTH) * gain)[:LENGTH]
    return found / max(float(np.sqrt(np.mean(found**2))), 1e-9)


def crossed(rng: np.random.Generator, claps: Sequence[Floats]) -> Floats:
    """Noise through the bent envelope of one recorded clap, or of two mixed."""
    envelope = _envelope(rng, claps)
    if rng.random() < 0.7:
        share = rng.uniform(0.2, 0.8)
        other = _envelope(rng, claps)
        late = int(rng.choice([0, 0, 1, 2, 4]))
        other = np.roll(other, late, axis=1)
        other[:, :late] = other[:, late: late + 1]
        envelope = share * envelope + (1.0 - share) * other
    hertz = np.linspace(0.0, SAMPLE_RATE / 2, len(envelope))
    octaves = np.log2(np.maximum(hertz, 80.0) / 1_000.0)
    bend = rng.normal(0.0, 0.25) * octaves
    for _ in range(int(rng.integers(0, 4))):
        bend += rng.normal(0.0, 0.6) * np.exp(-0.5 * ((octaves - rng.uniform(-1.5, 2.8)) / rng.uniform(0.2, 0.8)) ** 2)
    noise = stft(rng.standard_normal(envelope.shape[1] * STEP), nperseg=WINDOW, noverlap=WINDOW - STEP)[2]
    noise = noise[:, : envelope.shape[1]]
    _, clap = istft(noise * np.exp(envelope + bend[:, None]), nperseg=WINDOW, noverlap=WINDOW - STEP)
    begin = max(int(np.argmax(np.abs(clap) > 0.2 * np.abs(clap).max())) - 24, 0)
    return placed(clap[begin:])


def _envelope(rng: np.random.Generator, claps: Sequence[Floats]) -> npt.NDArray[np.float64]:
    """Log magnitudes `(65, frames)` of one clap, smoothed, its hollow stretched and its time too."""
    clap = claps[int(rng.integers(len(claps)))][: LEAD + 3_200]
    magnitude = np.abs(stft(np.concatenate((clap, np.zeros(256))), nperseg=WINDOW, noverlap=WINDOW - STEP)[2])
    smooth = np.log(magnitude + 1e-5)
    bands = np.arange(len(smooth))
    stretch, pace = np.exp(rng.normal(0.0, 0.25)), np.exp(rng.normal(0.0, 0.3))
    times = np.clip(np.arange(int(smooth.shape[1] * pace)) / pace, 0, smooth.shape[1] - 1).astype(int)
    warped = np.stack([np.interp(bands / stretch, bands, column) for column in smooth[:, times].T], axis=1)
    found = np.full((len(smooth), LENGTH // STEP), np.log(1e-5))
    count = min(found.shape[1], warped.shape[1])
    found[:, :count] = warped[:, :count]
    return found


def placed(clap: npt.NDArray[np.floating]) -> Floats:
    """LEAD samples of silence before the clap; peak 1; its end faded out."""
    sound = np.zeros(LEAD + len(clap), np.float32)
    sound[LEAD:] = clap
    fall = len(clap) // 3
    sound[-fall:] *= np.linspace(1.0, 0.0, fall, dtype=np.float32)
    return sound / np.float32(max(float(np.abs(sound).max()), 1e-6))
