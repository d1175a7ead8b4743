"""Typing from its parts: a finger's tap, the key on its plate, the board and desk answering, the click on the way up.

Keys come in words: log-normal intervals, a heavier space bar after each word, now and then a pause to think.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

RATE = 16_000
Samples = npt.NDArray[np.float64]


def ring(rng: np.random.Generator, length: int, modes: list[tuple[float, float, float]]) -> Samples:
    """Damped modes, each (hertz, seconds to fall to 1/e, strength)."""
    seconds = np.arange(length) / RATE
    sound = np.zeros(length)
    for hertz, fall, strength in modes:
        sound += strength * np.sin(2.0 * np.pi * hertz * seconds + rng.uniform(0.0, 6.28)) * np.exp(-seconds / fall)
    return sound


def click(rng: np.random.Generator, length: int, fall: float, low: float, high: float) -> Samples:
    """A click: noise between two frequencies, falling fast."""
    seconds = np.arange(length) / RATE
    spectrum = np.fft.rfft(rng.standard_normal(length) * np.exp(-seconds / fall))
    hertz = np.fft.rfftfreq(length, 1.0 / RATE)
    band = 1.0 / (1.0 + (low / np.maximum(hertz, 1.0)) ** 4) / (1.0 + (hertz / high) ** 4)
    sound = np.fft.irfft(spectrum * band, length)
    return sound / max(float(np.abs(sound).max()), 1e-9)


def key_press(seed: int, force: float, wide: bool) -> Samples:
    """One key, down and up, 260 ms; a wide key (space, return) is lower and longer."""
    rng = np.random.default_rng(seed)
    sound = np.zeros(round(0.26 * RATE))
    size = 0.6 if wide else 1.0
    touch = click(rng, 400, 0.0012, 900.0, 5_000.0)
    sound[:400] += 0.18 * touch
    down = round(rng.uniform(0.006, 0.014) * RATE)
    strike = click(rng, 1_200, rng.uniform(0.003, 0.005), 700.0 * size, 6_500.0)
    body = ring(
        rng,
        1_200,
        [
            (rng.uniform(180.0, 260.0) * size, 0.014, 0.35),
            (rng.uniform(420.0, 620.0) * size, 0.009, 0.30),
            (rng.uniform(1_100.0, 1_500.0) * size, 0.005, 0.30),
            (rng.uniform(2_600.0, 3_400.0), 0.004, 0.30),
        ],
    )
    sound[down : down + 1_200] += strike + 0.6 * body
    up = down + round(rng.uniform(0.07, 0.12) * RATE)
    sound[up : up + 600] += rng.uniform(0.25, 0.45) * click(rng, 600, 0.0022, 1_400.0, 7_000.0)
    return force * sound


def typing(seconds: float, seed: int) -> Samples:
    """A stretch of typing, peak about 1."""
    rng = np.random.default_rng(seed)
    sound = np.zeros(round(seconds * RATE) + RATE)
    keys = rng.integers(0, 2**31, 28)
    now, left = 0.02, int(rng.integers(3, 9))
    while now < seconds - 0.3:
        wide = left == 0
        force = float(np.exp(rng.normal(-0.25, 0.22))) * (1.15 if wide else 1.0)
        press = key_press(int(keys[27 if wide else rng.integers(27)]), force, wide)
        press = press + 0.08 * force * np.resize(click(rng, 900, 0.004, 800.0, 6_000.0), len(press)) * (
            np.arange(len(press)) < 900
        )
        place = round(now * RATE)
        sound[place : place + len(press)] += press
        left = int(rng.integers(3, 9)) if wide else left - 1
        now += float(np.clip(rng.lognormal(np.log(0.12), 0.33), 0.06, 0.5)) + (0.06 if wide else 0.0)
    return sound[: round(seconds * RATE)] / np.abs(sound).max()
