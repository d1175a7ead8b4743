"""Single sounds, rooms and backgrounds of one half of what measures (halves.py), for scenes of single sounds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from clips import Clip, read_clip
from cut import RATE, RELAXED, STEP, WITHIN, Cut, Floats, energies, single_sounds, stretches
from halves import HARD, TARGETS, clips_of
from stock import Piece, recording

LONGEST = {"hand_clap": 0.3, "finger_snap": 0.3, "door_knock": 0.4}
"""Seconds within which a clear single sound must be over. Others, and those in halls, may take LONGEST_SECONDS."""
LONGEST_SECONDS = 1.0
SLOW_RISE = {"glass_break": 0.3}
"""Seconds to the peak of a sound that begins with a knock and goes on with splinters."""
APPLAUSE = ("arnuuv/ESC-50-Audio-CNN",)
"""Sources whose claps are those of several people at once."""
DRY_SECONDS = 0.12
"""A sound that has fallen by 20 dB so soon is dry: the recording holds little of a room."""
ROOM_SECONDS = 1.5
LOUDEST_SAMPLES = 320  # 20 ms
JOIN = RATE // 4
"""Samples over which a clip of a background fades in, and out: no onset of its own."""
LEAST_RMS = 1e-4
"""Clips of less are silence, and no background."""


class Impulses:
    """What one half gives: pieces by class and source, rooms by name."""

    def __init__(self, half: str) -> None:
        """Cuts the half's recordings: some seconds."""
        self.half = half
        self.pieces = {label: self._cut(label) for label in dict.fromkeys((*TARGETS, *HARD))}
        self.rooms = {clip.path: from_direct_sound(read_clip(clip)) for clip in clips_of(half, ("rir",))}

    def _cut(self, label: str) -> dict[str, list[Piece]]:
        """By source: its clear sounds; where it has none, those in halls; and where that gives none, what is no target's
        loudest stretch."""
        clips: dict[str, list[Clip]] = defaultdict(list)
        for clip in clips_of(self.half, (label,)):
            if clip.source not in APPLAUSE:
                clips[clip.group].append(clip)
        found: dict[str, list[Piece]] = {}
        for source, own in sorted(clips.items()):
            for cuts in _ways(label):
                pieces = [Piece(label, source, clip.path, cut) for clip in own for cut in cuts(recording(clip.path))]
                if pieces:
                    found[source] = pieces
                    break
        return found


def is_dry(piece: Piece) -> bool:
    """Whether the piece may be put into a room."""
    return piece.sound_samples <= DRY_SECONDS * RATE


def _ways(label: str) -> Iterator[Callable[[Floats], Sequence[Cut]]]:
    if label in SLOW_RISE:
        yield partial(single_sounds, longest_seconds=LONGEST_SECONDS, clear=replace(RELAXED, rise_seconds=SLOW_RISE[label]))
        return
    yield partial(single_sounds, longest_seconds=LONGEST.get(label, LONGEST_SECONDS))
    yield partial(single_sounds, longest_seconds=LONGEST_SECONDS, clear=RELAXED)
    if label not in TARGETS:
        yield _loudest_stretch


def _loudest_stretch(samples: Floats) -> list[Cut]:
    """The stretch with the most energy, at most LONGEST_SECONDS of it."""
    found = stretches(samples)
    if not found:
        return []
    cut = max(found, key=lambda cut: float((samples[cut.onset : cut.offset] ** 2).sum()))
    most = cut.onset + round(LONGEST_SECONDS * RATE)
    return [cut if cut.offset <= most else Cut(cut.start, cut.onset, most, most)]


def from_direct_sound(response: Floats) -> Floats:
    """A room's response from its direct sound on, at most ROOM_SECONDS: float32 (n,), faded out over a quarter."""
    energy = energies(response)
    first = int(np.flatnonzero(energy >= energy.max() * WITHIN)[0])
    start = first * STEP  # the first window that holds the direct sound: the sound is at its end, 2 ms on
    kept = response[start : start + round(ROOM_SECONDS * RATE)].copy()
    fall = len(kept) // 4
    kept[len(kept) - fall :] *= np.linspace(1.0, 0.0, fall, dtype=np.float32)
    return kept


def in_room(samples: Floats, response: Floats) -> Floats:
    """The sound as a room of this response gives it, float32 (n + m - 1,)."""
    count = len(samples) + len(response) - 1
    size = 1 << (count - 1).bit_length()
    return np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(response, size), size)[:count].astype(np.float32)


def loudest_rms(samples: Floats) -> float:
    """RMS of the loudest 20 ms."""
    squares = np.concatenate([[0.0], np.cumsum(samples.astype(np.float64) ** 2)])
    width = min(LOUDEST_SAMPLES, len(samples))
    return float(np.sqrt(max((squares[width:] - squares[:-width]).max(), 0.0) / LOUDEST_SAMPLES))


class Tape:
    """All recordings of one kind of background, each at RMS 1, one after another in drawn order; taken piece by piece."""

    def __init__(self, half: str, labels: Sequence[str], rng: np.random.Generator) -> None:
        """Reads the half's recordings of these classes."""
        parts, self._marks, at = [], [], 0
        clips = clips_of(half, labels)
        for number in rng.permutation(len(clips)):
            samples = recording(clips[number].path)
            rms = float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))
            if rms < LEAST_RMS:
                continue
            fade = min(JOIN, len(samples) // 4)
            samples = samples / np.float32(rms)
            samples[:fade] *= np.linspace(0.0, 1.0, fade, dtype=np.float32)
            samples[len(samples) - fade :] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)
            parts.append(samples)
            self._marks.append((at, clips[number].path))
            at += len(samples)
        self._samples = np.concatenate(parts)
        self._at = 0

    def __len__(self) -> int:
        return len(self._samples)

    def take(self, count: int) -> tuple[Floats, list[str]]:
        """The next samples, float32 (count,) at RMS 1, and the clips they are from. After its end the tape begins again."""
        places = (self._at + np.arange(count)) % len(self._samples)
        starts = np.array([start for start, _ in self._marks])
        used = np.unique(np.searchsorted(starts, places[:: RATE // 10], side="right") - 1)
        self._at = (self._at + count) % len(self._samples)
        samples = self._samples[places]
        rms = float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))
        return (samples / np.float32(rms)).astype(np.float32), [self._marks[number][1] for number in used]
