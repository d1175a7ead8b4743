"""Finds the sound in a recording made of it, and cuts stretches of a patch's length that hold it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from edge.decision.onset import decibels
from edge.features.logmel import LogMel
from edge.learn.augment import Samples, altered
from edge.stream import FRAME_SAMPLES, FRAME_STEP, PATCH_SAMPLES, SAMPLE_RATE

OVER_DB = 8.0
"""A sound rises so far over the recording's floor. Where nothing does, the whole recording is the sound."""
UNDER_PEAK_DB = 20.0
"""A sound lasts until it has fallen so far under its peak."""
LESSER_DB = 12.0
"""Sounds weaker than the strongest of their recording by more than this are taken for something else."""
SILENT_DB = -36.0
"""Of `levels`. Digital silence is at -41.9 dB, the softest sound of a 16-bit converter a little over that."""
BRIDGE_SECONDS = 0.12
"""A pause shorter than this does not end a sound."""
IMPULSIVE_SECONDS = 0.6
HELD_DB, HELD_SECONDS = 10.0, 0.2
MOST_IN_A_SECOND = 3.0
"""A sound is impulsive if it is shorter than IMPULSIVE_SECONDS, falls to HELD_DB under its peak for good within
HELD_SECONDS of its onset, and does not come more often than MOST_IN_A_SECOND: a beep holds its level, a clap
does not."""
HEARD_HOP = 3_840
"""Samples between two `heard` stretches: 0.24 s, the listener's own hop."""
MOST_HEARD, PLACED, ALTERED, MOST_QUIET = 12, 4, 10, 3
"""Stretches of each kind that are taken of a recording."""


@dataclass(frozen=True, slots=True)
class Found:
    """The sounds of one recording: (start, stop) in samples; how far the strongest rises over the floor, in dB."""

    sounds: tuple[tuple[int, int], ...]
    over_db: float
    impulsive: bool


@dataclass(frozen=True, slots=True)
class Stretches:
    """What one recording gives to learn from; each int16 `(15600,)`.

    heard: as the listener's hops may cut it, to measure with. placed: the sound whole, at several places. altered: the same
    through other rooms and microphones. quiet: of the same recording, without the sound.
    """

    heard: list[Samples]
    placed: list[Samples]
    altered: list[Samples]
    quiet: list[Samples]


def levels(samples: Samples) -> NDArray[np.float64]:
    """dB of every 10 ms frame of int16 `(n,)`, n at least 400: the power of its log-mel row."""
    rows = LogMel().rows(sliding_window_view(samples, FRAME_SAMPLES)[::FRAME_STEP])
    return decibels(rows).astype(np.float64)


def find_sounds(samples: Samples) -> Found | None:
    """The sounds in int16 `(n,)` at 16 kHz; None for silence."""
    if len(samples) < FRAME_SAMPLES:
        samples = np.concatenate((samples, np.zeros(FRAME_SAMPLES - len(samples), np.int16)))
    level = levels(samples)
    peak, floor = float(level.max()), float(np.quantile(level, 0.1))
    if peak < SILENT_DB:
        return None
    if peak - floor < OVER_DB:  # steady, or cut so tightly that nothing else is in it
        whole = (0, len(samples))
        return Found((whole,), peak - floor, _impulsive([whole], level))
    bridge = round(BRIDGE_SECONDS * SAMPLE_RATE) // FRAME_STEP
    runs = _runs(level > max(peak - UNDER_PEAK_DB, floor + OVER_DB / 2.0), bridge)
    strong = [(start, stop) for start, stop in runs if level[start:stop].max() > peak - LESSER_DB]
    sounds = tuple((FRAME_STEP * start, min(FRAME_STEP * (stop - 1) + FRAME_SAMPLES, len(samples)))
                   for start, stop in strong)
    return Found(sounds, peak - floor, _impulsive(sounds, level))


def _impulsive(sounds: Sequence[tuple[int, int]], level: NDArray[np.float64]) -> bool:
    """Whether most of these sounds (start, stop in samples) have no length. level: of every frame, dB `(k,)`."""
    seconds, held = [], []
    for start, stop in sounds:
        own = level[start // FRAME_STEP: max(stop // FRAME_STEP, start // FRAME_STEP + 1)]
        loud = np.flatnonzero(own > own.max() - HELD_DB)
        seconds.append((stop - start) / SAMPLE_RATE)
        held.append((loud[-1] - loud[0] + 1) * FRAME_STEP / SAMPLE_RATE)
    rate = len(sounds) / max((sounds[-1][1] - sounds[0][0]) / SAMPLE_RATE, 1.0)
    return bool(np.median(seconds) < IMPULSIVE_SECONDS and np.median(held) < HELD_SECONDS) and rate <= MOST_IN_A_SECOND


def cut(samples: Samples, found: Found, generator: np.random.Generator) -> Stretches:
    """The stretches of a recording int16 `(n,)` whose sounds are `found`; what lies outside of it is silence."""
    places = _placed(found)
    chosen = [places[int(place)] for place in generator.permutation(len(places))[:PLACED]]
    more = [places[int(generator.integers(len(places)))] for _ in range(ALTERED)]
    return Stretches(
        heard=[_stretch(samples, start) for start in _heard(found)],
        placed=[_stretch(samples, start) for start in chosen],
        altered=[_altered(samples, start, generator) for start in more],
        quiet=[_stretch(samples, start) for start in _quiet(len(samples), found)])


def _altered(samples: Samples, start: int, generator: np.random.Generator) -> Samples:
    """The stretch at `start`, a little elsewhere, altered: cut longer, so that another speed leaves enough."""
    room = PATCH_SAMPLES // 10
    jitter = int(generator.integers(-room, room + 1)) // 2
    sound = altered(_stretch(samples, start + jitter - room, PATCH_SAMPLES + 2 * room), generator)
    first = (len(sound) - PATCH_SAMPLES) // 2
    return sound[first: first + PATCH_SAMPLES]


def _placed(found: Found) -> list[int]:
    """Starts of stretches that hold a sound well: a short one whole, early, in the middle and late; a long one's parts."""
    starts = []
    for start, stop in found.sounds:
        spare = PATCH_SAMPLES - (stop - start)
        if spare > 1_600:
            starts += [start - round(share * spare) for share in (0.1, 0.35, 0.6, 0.85)]
        else:
            starts += list(range(start, max(stop - PATCH_SAMPLES // 2, start + 1), HEARD_HOP * 2))
    return starts


def _heard(found: Found) -> list[int]:
    """Starts, a hop apart, of stretches that hold at least half of a short sound, or half a patch of a long one."""
    starts: list[int] = []
    for start, stop in found.sounds:
        needed = min(stop - start, PATCH_SAMPLES) // 2
        starts += range(start + needed - PATCH_SAMPLES + 1_600, stop - needed + 1, HEARD_HOP)
    step = -(-len(starts) // MOST_HEARD)
    return starts[::step]


def _quiet(length: int, found: Found) -> list[int]:
    """Starts of stretches within the recording that no sound reaches into."""
    edges = [0, *(edge for sound in found.sounds for edge in sound), length]
    starts = [start for begin, end in zip(edges[::2], edges[1::2], strict=True)
              for start in range(begin + 800, end - PATCH_SAMPLES, PATCH_SAMPLES)]
    return starts[:: max(-(-len(starts) // MOST_QUIET), 1)]


def _stretch(samples: Samples, start: int, length: int = PATCH_SAMPLES) -> Samples:
    out = np.zeros(length, np.int16)
    first, last = max(start, 0), min(start + length, len(samples))
    if last > first:
        out[first - start: last - start] = samples[first:last]
    return out


def _runs(active: NDArray[np.bool_], bridge: int) -> list[tuple[int, int]]:
    """(first, after the last) of every run of frames, those less than `bridge` frames apart as one."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], active, [False])).astype(np.int8)))
    runs: list[tuple[int, int]] = []
    for start, stop in edges.reshape(-1, 2).tolist():
        if runs and start - runs[-1][1] <= bridge:
            runs[-1] = (runs[-1][0], stop)
        else:
            runs.append((start, stop))
    return runs
