"""Find where sounds really begin and end in recordings, and cut them out. Pure: samples in, places out.

A single sound (a clap, a snap, a knock) is searched from its peak backwards. It begins at the first sample
whose short-time energy, after pre-emphasis, lies within 20 dB of the peak's. Only clear sounds are cut: see
`single_sounds`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Energies = npt.NDArray[np.float64]

RATE = 16_000
STEP = 8  # samples (0.5 ms) from one short-time energy to the next
WIDTH = 32  # samples (2 ms) in each
PRE_EMPHASIS = 0.97
WITHIN = 1e-2  # 20 dB: from the peak's energy down to where a sound begins and ends
FADE = 80  # samples (5 ms) that every cut fades in


@dataclass(frozen=True)
class Cut:
    """A sound in a recording, in samples: [start, stop) is what to take, [onset, offset) is where the sound is."""

    start: int
    onset: int
    offset: int
    stop: int


@dataclass(frozen=True)
class Clear:
    """What a single sound must be like to be cut.

    before_db, throughout_db: how much weaker than its peak the 100 ms before it are, on the mean and throughout.
    before_seconds: how much before it must have been recorded. rise_seconds: from the onset to the peak, at most.
    again_db: nothing after the peak comes nearer to it than this. after_seconds: how long it is heard out, at least.
    """

    before_db: float
    throughout_db: float
    before_seconds: float
    rise_seconds: float
    again_db: float
    after_seconds: float


STRICT = Clear(25.0, 20.0, 0.005, 0.03, 6.0206, 0.02)
RELAXED = Clear(15.0, 8.0, 0.0, 0.06, 0.0, 0.0)
"""For recordings in halls, where reflections are as strong as the sound, and for those that begin with the sound."""


def energies(samples: Floats) -> Energies:
    """Mean square of the pre-emphasised samples, float64 (n,): one each 0.5 ms, over 2 ms."""
    wide = samples.astype(np.float64)
    sharp = np.diff(wide, prepend=wide[:1]) + (1.0 - PRE_EMPHASIS) * np.concatenate([wide[:1], wide[:-1]])
    sums = np.concatenate([[0.0], np.cumsum(sharp * sharp)])
    starts = np.arange(0, max(len(samples) - WIDTH + 1, 0), STEP)
    return np.maximum((sums[starts + WIDTH] - sums[starts]) / WIDTH, 1e-14)


def single_sounds(samples: Floats, *, longest_seconds: float = 0.3, clear: Clear = STRICT) -> list[Cut]:
    """The clear single sounds of a recording, loudest first.

    Clear (STRICT): its peak is within 12 dB of the recording's highest; the 100 ms before it are 25 dB weaker than its peak
    on the mean and 20 dB throughout (at least 5 ms of them were recorded); the peak comes within 30 ms of the onset; from
    30 ms after the peak nothing rises to within 6 dB of it while the cut lasts; and it has fallen by 20 dB, for good, within
    `longest_seconds` of its onset. The cut goes on until the sound has fallen by 45 dB, or until it rises again.
    """
    energy = energies(samples)
    found: list[Cut] = []
    if not len(energy):
        return found
    left = energy.copy()
    highest = float(energy.max())
    while left.max() > highest * 10**-1.2:
        peak = int(left.argmax())
        cut = _around(energy, peak, longest_seconds, clear)
        low, high = max(0, peak - _steps(0.12)), peak + _steps(0.25)
        left[low:high] = 0.0
        if cut is not None and all(cut.stop <= other.start or cut.start >= other.stop for other in found):
            found.append(cut)
    return found


def _around(energy: Energies, peak: int, longest_seconds: float, clear: Clear) -> Cut | None:
    top = float(energy[peak])
    first = _first_within(energy, peak)
    before = energy[max(0, first - _steps(0.1)) : max(0, first - _steps(0.003))]
    if len(before) < _steps(clear.before_seconds) or first == peak == 0:
        return None  # what was not recorded may have been part of it
    if len(before) and (before.mean() > top * _power(clear.before_db) or before.max() > top * _power(clear.throughout_db)):
        return None
    if peak - first > _steps(clear.rise_seconds):
        return None
    last = _last_within(energy, peak)
    if last - first > _steps(longest_seconds):
        return None
    stop = _dead_by(energy, last, top)
    again = energy[peak + _steps(0.03) : stop].max(initial=0.0)
    if stop - last < _steps(clear.after_seconds) or again > top * _power(clear.again_db):
        return None
    onset = first * STEP + WIDTH - STEP  # what is new in the window that rose over the threshold: its last samples
    return Cut(max(0, onset - WIDTH - FADE), onset, last * STEP + WIDTH, stop * STEP + WIDTH)


def _first_within(energy: Energies, peak: int) -> int:
    """Back from the peak while the energy is within 20 dB of it; dips of up to 3 ms belong to the sound."""
    threshold, first, place = float(energy[peak]) * WITHIN, peak, peak
    while place > 0 and first - place <= _steps(0.003):
        place -= 1
        if energy[place] >= threshold:
            first = place
    return first


def _last_within(energy: Energies, peak: int) -> int:
    """On from the peak while the energy is within 20 dB of it; dips of up to 30 ms belong to the sound."""
    threshold, last, place = float(energy[peak]) * WITHIN, peak, peak
    while place + 1 < len(energy) and place - last <= _steps(0.03):
        place += 1
        if energy[place] >= threshold:
            last = place
    return last


def _dead_by(energy: Energies, last: int, top: float) -> int:
    """Where the sound has fallen by 45 dB, or where something else rises, or 0.6 s later: not after the last energy."""
    end = min(last + _steps(0.6), len(energy))
    lowest = top * WITHIN
    for place in range(last + _steps(0.005), end):
        lowest = min(lowest, float(energy[place]))
        if lowest < top * 10**-4.5 or energy[place] > max(lowest * 10.0, top * 10**-4.0):
            return place
    return end - 1


def stretches(samples: Floats, *, pause_seconds: float = 0.25, under_db: float = 25.0) -> list[Cut]:
    """Where a recording sounds, in order: 50 ms energies within `under_db` of a loud one (the 95th percentile), pauses of
    up to `pause_seconds` bridged; each begins where its own first sound does (within 20 dB of its first 0.3 s' highest).
    """
    energy = energies(samples)
    if len(energy) < _steps(0.1):
        return []
    smooth = np.convolve(energy, np.full(_steps(0.05), 1.0 / _steps(0.05)), mode="same")
    loud = np.flatnonzero(smooth >= np.percentile(smooth, 95) * 10 ** (-under_db / 10))
    breaks = np.flatnonzero(np.diff(loud) > _steps(pause_seconds))
    cuts = []
    for one, other in zip([0, *(breaks + 1)], [*breaks, len(loud) - 1], strict=True):
        low, high = int(loud[one]), int(loud[other])
        begin = energy[low : low + _steps(0.3)]
        first = low + int(np.flatnonzero(begin >= begin.max() * WITHIN)[0])
        ending = energy[max(first, high - _steps(0.3)) : high + 1]
        last = high - int(np.flatnonzero(ending[::-1] >= ending.max() * WITHIN)[0])
        onset, offset = first * STEP + WIDTH - STEP, last * STEP + WIDTH
        if offset > onset:
            cuts.append(Cut(max(0, onset - WIDTH - FADE), onset, offset, min(offset + 4 * FADE, len(samples))))
    return cuts


def taken(samples: Floats, cut: Cut) -> Floats:
    """The cut's samples, float32 (stop - start,), faded in over 5 ms and out over 20 ms (never inside the sound's rise)."""
    piece = samples[cut.start : cut.stop].astype(np.float32)
    rise = min(FADE, cut.onset - cut.start)
    fall = min(4 * FADE, len(piece))
    piece[:rise] *= np.linspace(0.0, 1.0, rise, endpoint=False, dtype=np.float32)
    piece[len(piece) - fall :] *= np.linspace(1.0, 0.0, fall, dtype=np.float32)
    return piece


def _power(weaker_db: float) -> float:
    return float(10 ** (-weaker_db / 10))


def _steps(seconds: float) -> int:
    return round(seconds * RATE / STEP)
