"""Alarms and what is alike, made by formula: tones that pulse in a rhythm, int16 at 16 kHz."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.stream import SAMPLE_RATE

Pulses = list[tuple[float, float]]
"""Start and length of each pulse, in seconds."""


def t3(first: float = 1.0, cycles: int = 3, *, pulse: float = 0.5, gap: float = 0.5, pause: float = 1.5) -> Pulses:
    """ISO 8201: three pulses, and a pause, so many times over."""
    return grouped(3, cycles, first, pulse, gap, pause)


def t4(first: float = 1.0, cycles: int = 3, *, pulse: float = 0.1, gap: float = 0.1, pause: float = 5.0) -> Pulses:
    """UL 2034: four short pulses, and a long pause."""
    return grouped(4, cycles, first, pulse, gap, pause)


def grouped(count: int, cycles: int, first: float, pulse: float, gap: float, pause: float) -> Pulses:
    """Groups of `count` pulses, all times in seconds."""
    cycle = count * pulse + (count - 1) * gap + pause
    return [(first + number * cycle + each * (pulse + gap), pulse) for number in range(cycles) for each in range(count)]


def sounding(pulses: Pulses, seconds: float, *, hertz: float = 3_100.0, square: bool = False, glide: float = 0.0,
             amplitude: float = 0.2) -> NDArray[np.float64]:
    """float64 samples: a tone (or a square wave) in these pulses. glide: hertz that each pulse rises by."""
    sound = np.zeros(round(seconds * SAMPLE_RATE))
    for start, length in pulses:
        time = np.arange(round(length * SAMPLE_RATE)) / SAMPLE_RATE
        wave = np.sin(2.0 * np.pi * (hertz * time + glide * time * time / (2.0 * length)))
        wave = np.sign(wave) if square else wave + 0.1 * np.sin(4.0 * np.pi * hertz * time)
        at = round(start * SAMPLE_RATE)
        wave *= amplitude * np.minimum(1.0, np.minimum(time, length - time) / 0.004)
        room = max(len(sound) - at, 0)
        sound[at: at + len(wave)] += wave[:room]
    return sound


def in_a_room(sound: NDArray[np.float64], seconds: float, seed: int = 0) -> NDArray[np.float64]:
    """The sound with the tail of a room of this reverberation time, direct sound and tail equally strong."""
    length = round(seconds * SAMPLE_RATE)
    tail = np.random.default_rng(seed).normal(size=length) * 10.0 ** (-3.0 * np.arange(length) / length)
    response = tail / np.sqrt(np.sum(tail**2))
    response[0] += 1.0
    size = len(sound) + length
    mixed: NDArray[np.float64] = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(response, size), size)[: len(sound)]
    return mixed


def over(sound: NDArray[np.float64], background: NDArray[np.float64], decibels: float) -> NDArray[np.float64]:
    """The sound over a background; decibels: its RMS while it sounds, over the background's."""
    sounds = np.abs(sound) > 0.02 * np.abs(sound).max()
    ratio = np.sqrt(np.mean(sound[sounds] ** 2) / np.mean(background**2))
    return sound + background * ratio * 10.0 ** (-decibels / 20.0)


def babble(seconds: float, seed: int = 0) -> NDArray[np.float64]:
    """Something like a voice: a gliding pulse train through three wandering resonances, in syllables, with hisses."""
    chance = np.random.default_rng(seed)
    count = round(seconds * SAMPLE_RATE)
    time = np.arange(count) / SAMPLE_RATE
    turns = np.arange(0.0, seconds + 1.0, 0.3)
    pitch = 130.0 * np.exp(0.25 * np.interp(time, turns, chance.normal(size=len(turns))))
    phase = 2.0 * np.pi * np.cumsum(pitch) / SAMPLE_RATE
    voice = sum(np.sin(part * phase) / part**0.8 for part in range(1, 30))
    syllables = np.clip(np.sin(2.0 * np.pi * 3.3 * time + chance.uniform(0.0, 6.0)) + 0.3, 0.0, None)
    hiss = np.diff(chance.normal(size=count + 1)) * np.clip(np.sin(2.0 * np.pi * 1.7 * time) - 0.7, 0.0, None) * 4.0
    return np.asarray(voice * syllables + hiss)


def pcm(sound: NDArray[np.float64], noise: float = 0.0006, seed: int = 1) -> NDArray[np.int16]:
    """int16 of float samples, with a little noise of the microphone; what is too loud is brought down to 0.9."""
    sound = sound + np.random.default_rng(seed).normal(0.0, noise, len(sound))
    return np.asarray(np.rint(sound * min(1.0, 0.9 / np.abs(sound).max()) * 32_767.0), np.int16)
