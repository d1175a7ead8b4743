"""The same sound through another room, microphone, distance or speed: int16 `(n,)` at 16 kHz in, int16 out, saturating.

Pure: what is drawn comes from the generator that the caller brings. Arithmetic is float64 inside; on the way out values are
rounded, then clipped to int16 (`saturate`), so that what is too loud is cut off as a converter would and never wraps.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.stream import SAMPLE_RATE

Samples = NDArray[np.int16]
Wide = NDArray[np.float64]

LOWEST_HZ = 60.0
"""Under it a tilt stays as it is: a microphone has no more to give there."""


def saturate(values: Wide) -> Samples:
    """Round to even, clip, cast; float64 of any shape."""
    return np.clip(np.rint(values), -32768.0, 32767.0).astype(np.int16)


def gained(samples: Samples, db: float) -> Samples:
    """Louder or softer by so many dB."""
    return saturate(samples.astype(np.float64) * 10.0 ** (db / 20.0))


def at_speed(samples: Samples, speed: float) -> Samples:
    """Played faster (over 1) or slower, pitch with it: `round(n / speed)` samples, by linear interpolation."""
    places = np.arange(round(len(samples) / speed)) * speed
    return saturate(np.interp(places, np.arange(len(samples)), samples.astype(np.float64)))


def with_noise(samples: Samples, generator: np.random.Generator, *, dbfs: float, slope: float) -> Samples:
    """Steady noise of `dbfs` RMS behind it, its amplitude falling as frequency ** -slope (0: white, 0.5: pink)."""
    spectrum = np.fft.rfft(generator.standard_normal(len(samples)))
    hertz = np.maximum(np.linspace(0.0, SAMPLE_RATE / 2, len(spectrum)), 50.0)
    noise = np.fft.irfft(spectrum * hertz ** -slope, len(samples))
    rms = max(float(np.sqrt(np.mean(noise * noise))), 1e-30)
    return saturate(samples + noise * (32768.0 * 10.0 ** (dbfs / 20.0) / rms))


def tilted(samples: Samples, db_per_octave: float) -> Samples:
    """Through a microphone that is brighter or duller: so many dB more for each octave over 1 kHz."""
    spectrum = np.fft.rfft(samples.astype(np.float64))
    hertz = np.maximum(np.linspace(0.0, SAMPLE_RATE / 2, len(spectrum)), LOWEST_HZ)
    return saturate(np.fft.irfft(spectrum * 10.0 ** (db_per_octave * np.log2(hertz / 1000.0) / 20.0), len(samples)))


def in_room(samples: Samples, generator: np.random.Generator, *, decay_seconds: float, reverb_db: float) -> Samples:
    """A decaying tail behind it: noise that falls by 60 dB in `decay_seconds`, its energy `reverb_db` against the direct
    sound's. The length stays; what rings on behind the end is cut off."""
    length = min(max(round(decay_seconds * SAMPLE_RATE), 1), len(samples))
    tail = generator.standard_normal(length) * 10.0 ** (-3.0 * np.arange(length) / (SAMPLE_RATE * decay_seconds))
    tail[: round(0.004 * SAMPLE_RATE)] = 0.0  # the nearest wall is a metre away
    energy = float(np.sum(tail * tail))
    tail *= 10.0 ** (reverb_db / 20.0) / np.sqrt(energy) if energy > 0.0 else 0.0
    size = 1 << (len(samples) + length - 1).bit_length()
    wet = np.fft.irfft(np.fft.rfft(samples.astype(np.float64), size) * np.fft.rfft(tail, size), size)[: len(samples)]
    return saturate(samples + wet)


def altered(samples: Samples, generator: np.random.Generator) -> Samples:
    """One more way that this sound may reach the microphone: speed, room, microphone, distance, noise, in this order.

    The length changes with the speed, by 6 % at most.
    """
    sound = at_speed(samples, float(generator.uniform(0.94, 1.06)))
    if generator.random() < 0.5:
        sound = in_room(sound, generator, decay_seconds=float(generator.uniform(0.1, 0.6)),
                        reverb_db=float(generator.uniform(-15.0, -3.0)))
    sound = tilted(sound, float(generator.normal(0.0, 1.5)))
    peak = max(int(sound.max(initial=0)), -int(sound.min(initial=0)), 1) / 32768.0
    # As far as it may be on another day, but neither under what the converter has nor far over its range.
    gain = float(np.clip(generator.uniform(-18.0, 9.0), -45.0 - 20.0 * np.log10(peak), 3.0 - 20.0 * np.log10(peak)))
    sound = gained(sound, gain)
    level = 20.0 * np.log10(peak) + gain - float(generator.uniform(18.0, 45.0))
    return with_noise(sound, generator, dbfs=float(np.clip(level, -90.0, -20.0)), slope=float(generator.uniform(0.0, 0.9)))
