"""A room for the bundled sounds: a box whose walls mirror the source, and the diffuse sound that follows.

Everything is float64 (n,) at 16 kHz. Metres, seconds.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

RATE = 16_000
SPEED_OF_SOUND = 343.0
Samples = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Room:
    """A box with sides in metres."""

    reflection: float  # of the sound pressure, what a wall gives back
    diffuse: float  # how strong the tail begins, beside a direct sound from 1 metre
    decay_seconds: float = 0.38  # in which the tail falls by 60 dB
    sides: tuple[float, float, float] = (4.6, 3.7, 2.5)

    def response(self, source: tuple[float, float, float], ear: tuple[float, float, float], seed: int) -> Samples:
        """Impulse response from source to ear, the direct sound at 1 metre's loudness divided by the distance."""
        rng = np.random.default_rng(seed)
        response = np.zeros(int(RATE * self.decay_seconds * 1.3))
        by_bounces = [np.zeros_like(response) for _ in range(4)]
        for image in itertools.product(range(-2, 3), repeat=3):
            bounces = sum(abs(n) for n in image)
            if bounces > 3:
                continue
            place = [
                2 * np.ceil(n / 2) * side + (-1) ** n * at
                for n, side, at in zip(image, self.sides, source, strict=True)
            ]
            metres = max(float(np.linalg.norm(np.subtract(place, ear))), 0.15)
            metres += bounces * rng.uniform(
                0.0, 0.12
            )  # walls carry shelves and curtains: no two paths are quite in line
            exact = metres / SPEED_OF_SOUND * RATE
            early, share = int(exact), exact % 1.0
            if early + 1 < len(response):
                strength = self.reflection**bounces / metres
                by_bounces[bounces][early] += strength * (1.0 - share)
                by_bounces[bounces][early + 1] += strength * share
        for bounces, arrivals in enumerate(by_bounces):
            for _ in range(bounces):
                arrivals = smooth(arrivals, 3_200.0)
            response += arrivals
        time = np.arange(len(response)) / RATE
        noise = smooth(rng.standard_normal(len(response)), 1_500.0)
        decay = 10.0 ** (-3.0 * time / self.decay_seconds) * (1.0 - np.exp(-time / 0.012))
        return response + self.diffuse * decay * noise / np.std(noise)


def smooth(samples: Samples, corner_hertz: float) -> Samples:
    """A gentle low-pass: 6 dB an octave above the corner."""
    hertz = np.fft.rfftfreq(len(samples), 1.0 / RATE)
    return np.fft.irfft(np.fft.rfft(samples) / np.sqrt(1.0 + (hertz / corner_hertz) ** 2), len(samples))


def heard(dry: Samples, response: Samples) -> Samples:
    """The dry sound in the room; as long as the dry one."""
    size = 1 << (len(dry) + len(response)).bit_length()
    return np.fft.irfft(np.fft.rfft(dry, size) * np.fft.rfft(response, size), size)[: len(dry)]


def quiet_room(seconds: float, level_dbfs: float, seed: int) -> Samples:
    """What a quiet room sounds like between events: low rumble, a little air, at an RMS level in dBFS."""
    rng = np.random.default_rng(seed)
    air = rng.standard_normal(round(seconds * RATE))
    rumble = smooth(smooth(rng.standard_normal(len(air)), 120.0), 120.0)
    mixed = 0.25 * smooth(air, 900.0) / np.std(air) + rumble / np.std(rumble)
    return mixed / np.std(mixed) * 10.0 ** (level_dbfs / 20.0)
