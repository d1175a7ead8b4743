"""Scenes of lasting sounds over a background: typing, sirens, running water, beeps, coughing. One half's."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from clips import read_clip
from cut import RATE, Cut, Floats, stretches
from halves import BEDS, HALVES, clips_of
from impulses import Tape, from_direct_sound, in_room, loudest_rms
from onset_scene import BED_DBFS, QUIET, QUIET_DBFS, QUIET_RMS, OnsetPlaced, OnsetScene, finish, hiss
from stock import Piece, recording, samples_of

SECONDS = {"keyboard_typing": (4.0, 15.0), "siren": (3.0, 8.0), "water_running": (4.0, 10.0), "alarm_beep": (3.0, 8.0),
           "cough": (1.0, 6.0)}
"""Classes, with the shortest and longest seconds of one sound."""
OVER = {kind: tuple(label for label in labels if label not in SECONDS) for kind, labels in BEDS.items()}
"""Backgrounds without the classes that are to be found: no water behind water."""
RATIOS_DB = (None, 20.0, 10.0)
PAUSE_SECONDS = (6.0, 9.0)
BRIDGED_SECONDS = 1.0
"""Pauses of up to so long are part of the sound."""
FADE_OUT = 320  # samples
SOUNDS = 4
"""Sounds in a scene, at least: as many of each source."""


class LastingScenes:
    """Makes the scenes of one half, in an order that the seed fixes."""

    def __init__(self, half: str, seed: int) -> None:
        """Cuts the half's recordings. A long stretch gives several sounds, one after another."""
        self._rng = np.random.default_rng([seed, 3, HALVES.index(half)])
        self._beds = {kind: Tape(half, labels, self._rng) for kind, labels in OVER.items()}
        self._rooms = {clip.path: from_direct_sound(read_clip(clip)) for clip in clips_of(half, ("rir",))}
        self.pieces = {label: self._cut(half, label) for label in SECONDS}
        self._turn = 0

    @staticmethod
    def _cut(half: str, label: str) -> dict[str, list[Piece]]:
        shortest, longest = (round(seconds * RATE) for seconds in SECONDS[label])
        found: dict[str, list[Piece]] = {}
        for clip in clips_of(half, (label,)):
            for cut in stretches(recording(clip.path), pause_seconds=BRIDGED_SECONDS):
                for onset in range(cut.onset, cut.offset - shortest + 1, longest):
                    offset = min(cut.offset, onset + longest)
                    start = max(onset - (cut.onset - cut.start), 0)
                    piece = Piece(label, clip.group, clip.path, Cut(start, onset, offset, min(cut.stop, offset + FADE_OUT)))
                    found.setdefault(clip.group, []).append(piece)
        return found

    def all(self) -> Iterator[OnsetScene]:
        """Every scene: each class in the quiet and at each ratio, over each background."""
        for label, by_source in self.pieces.items():
            if not by_source:
                continue
            sources = sorted(by_source)
            each = -(-SOUNDS // len(sources))
            taken = dict.fromkeys(sources, 0)
            for ratio in RATIOS_DB:
                for number, kind in enumerate(BEDS):
                    drawn = []
                    for source in [source for source in sources for _ in range(each)]:
                        drawn.append(by_source[source][taken[source] % len(by_source[source])])
                        taken[source] += 1
                    drawn = [drawn[place] for place in self._rng.permutation(len(drawn))]
                    name = f"{label}-{QUIET}-{number}" if ratio is None else f"{label}-{ratio:.0f}dB-{kind}"
                    yield self._lay(name, label, QUIET if ratio is None else kind, ratio, drawn)

    def _lay(self, name: str, label: str, background: str, ratio: float | None, drawn: list[Piece]) -> OnsetScene:
        sounds: list[tuple[Piece, Floats, str]] = []
        for number, piece in enumerate(drawn):
            samples, room = samples_of(piece), ""
            if number % 2:
                room = list(self._rooms)[self._turn % len(self._rooms)]
                self._turn += 1
                samples = in_room(samples, self._rooms[room])
            sounds.append((piece, samples, room))
        onsets, at = [], round(3.0 * RATE)
        for piece, _, _ in sounds:
            onsets.append(at)
            at += piece.sound_samples + round(self._rng.uniform(*PAUSE_SECONDS) * RATE)
        bed_rms = QUIET_RMS if ratio is None else 10 ** (self._rng.uniform(*BED_DBFS) / 20)
        bed, behind = (hiss(self._rng, at), []) if ratio is None else self._beds[background].take(at)
        mixed, placed = np.zeros(at, np.float64), []
        for (piece, samples, room), onset in zip(sounds, onsets, strict=True):
            wanted = 10 ** (self._rng.uniform(*QUIET_DBFS) / 20) if ratio is None else bed_rms * 10 ** (ratio / 20)
            gain = wanted / loudest_rms(samples)
            start = onset - (piece.cut.onset - piece.cut.start)
            mixed[start : start + len(samples)] += samples[: at - start].astype(np.float64) * gain
            placed.append(OnsetPlaced(onset, onset + piece.sound_samples, label, piece.path, piece.cut.onset,
                                      round(float(20 * np.log10(gain)), 2), piece.source, ratio, background, room))
        return finish(name, label, background, ratio, bed, behind, mixed, placed, bed_rms)
