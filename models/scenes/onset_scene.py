"""Scenes of single sounds over a background at a known ratio, of hard sounds, and of backgrounds alone. One half's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from cut import RATE, Floats
from halves import ALONE, BEDS, HARD, TARGETS
from impulses import Impulses, Tape, in_room, is_dry, loudest_rms
from scene import LOUDEST, Placed, Scene
from stock import Piece, samples_of

RATIOS_DB = (30.0, 20.0, 10.0)
QUIET_RMS = 10 ** (-70.0 / 20)
QUIET_DBFS = (-40.0, -18.0)
"""Level of the loudest 20 ms of a sound in the quiet."""
BED_DBFS = (-50.0, -30.0)
PAUSE_SECONDS = (1.5, 3.0)
ENDS_SECONDS = (1.5, 1.5)
ALONE_SECONDS = 60.0
START = RATE // 2
"""Samples over which a scene's background comes up, so that its start is no onset."""
SOUNDS = 14
"""Sounds of a target in a scene, about: as many of each source."""
HARD_SOUNDS = 2
"""Sounds of each hard class in a scene of hard sounds."""
QUIET = "quiet"


@dataclass(frozen=True)
class OnsetPlaced(Placed):
    """A placed sound with the columns of these scenes. ratio_db: over the background's RMS; None in the quiet."""

    source: str
    ratio_db: float | None
    background: str
    room: str


@dataclass(frozen=True)
class OnsetScene:
    """One scene: its name, what is in it (a target's name, "hard" or "alone"), background, ratio and sound.

    background_dbfs: the background's RMS over the scene.
    """

    name: str
    sounds: str
    background: str
    ratio_db: float | None
    background_dbfs: float
    scene: Scene


class _Turns:
    """Pieces of a class in turn: each source as often as another, and of a source each piece."""

    def __init__(self, pieces: dict[str, list[Piece]], rng: np.random.Generator) -> None:
        self._by_source = {source: [own[number] for number in rng.permutation(len(own))] for source, own in pieces.items()}
        self._sources = [list(self._by_source)[number] for number in rng.permutation(len(self._by_source))]
        self._next = dict.fromkeys(self._sources, 0)
        self._turn = 0
        self._dry = 0

    def __len__(self) -> int:
        return len(self._sources)

    def next(self) -> tuple[Piece, bool]:
        """The next piece, and whether it goes into a room: every second dry one of a source."""
        source = self._sources[self._turn % len(self._sources)]
        self._turn += 1
        own, number = self._by_source[source], self._next[source]
        self._next[source] += 1
        piece = own[number // 2 % len(own)]  # each piece twice running: once as it is, once in a room
        return piece, number % 2 == 1 and is_dry(piece)


class Scenes:
    """Makes the scenes of one half, in an order that the seed fixes."""

    def __init__(self, half: str, seed: int) -> None:
        """Cuts the half's recordings."""
        self.impulses = Impulses(half)
        self._rng = np.random.default_rng([seed, 2, ("choose", "report").index(half)])
        self._beds = {kind: Tape(half, labels, self._rng) for kind, labels in BEDS.items()}
        self._alone = {kind: Tape(half, labels, self._rng) for kind, labels in ALONE.items()}
        self._rooms = [list(self.impulses.rooms)[number] for number in self._rng.permutation(len(self.impulses.rooms))]
        self._room = 0

    def all(self) -> Iterator[OnsetScene]:
        """Every scene: targets, hard sounds, backgrounds alone."""
        for target in TARGETS:
            if turns := self._turns(target):
                yield from self._over_all(target, [turns], [max(2, round(SOUNDS / len(turns))) * len(turns)])
        hard = [turns for label in dict.fromkeys((*TARGETS, *HARD)) if (turns := self._turns(label))]
        yield from self._over_all("hard", hard, [HARD_SOUNDS] * len(hard))
        yield from self.alone()

    def alone(self) -> Iterator[OnsetScene]:
        """Every background by itself, about a minute a scene, no stretch twice."""
        for kind, tape in self._alone.items():
            whole = len(tape) // round(ALONE_SECONDS * RATE)
            for number in range(max(whole, 1)):
                count = len(tape) // max(whole, 1)
                bed, behind = tape.take(count)
                yield finish(f"alone-{kind}-{number:02d}", "alone", kind, None, bed, behind,
                             np.zeros(count, np.float64), [], 10 ** (self._rng.uniform(*BED_DBFS) / 20))

    def _turns(self, label: str) -> _Turns | None:
        pieces = self.impulses.pieces[label]
        return _Turns(pieces, self._rng) if pieces else None

    def _over_all(self, sounds: str, turns: list[_Turns], counts: list[int]) -> Iterator[OnsetScene]:
        """As many sounds in the quiet as at each ratio over all backgrounds together."""
        for ratio in (None, *RATIOS_DB):
            for number, kind in enumerate(BEDS):
                drawn = [one.next() for one, count in zip(turns, counts, strict=True) for _ in range(count)]
                drawn = [drawn[place] for place in self._rng.permutation(len(drawn))]
                background = kind if ratio is not None else QUIET
                name = f"{sounds}-{f'{ratio:.0f}dB-{kind}' if ratio is not None else f'{QUIET}-{number}'}"
                yield self._lay(name, sounds, background, ratio, drawn)

    def _lay(self, name: str, sounds: str, background: str, ratio: float | None,
             drawn: list[tuple[Piece, bool]]) -> OnsetScene:
        gaps = self._rng.uniform(*PAUSE_SECONDS, len(drawn))
        onsets = np.rint((ENDS_SECONDS[0] + np.cumsum(gaps) - gaps[0]) * RATE).astype(int)
        count = int(onsets[-1]) + round((ENDS_SECONDS[1] + 1.0) * RATE)
        bed_rms = QUIET_RMS if ratio is None else 10 ** (self._rng.uniform(*BED_DBFS) / 20)
        bed, behind = (hiss(self._rng, count), []) if ratio is None else self._beds[background].take(count)
        mixed, placed = np.zeros(count, np.float64), []
        for (piece, wet), onset in zip(drawn, onsets.tolist(), strict=True):
            samples, room = samples_of(piece), ""
            if wet:
                room = self._rooms[self._room % len(self._rooms)]
                self._room += 1
                samples = in_room(samples, self.impulses.rooms[room])
            wanted = 10 ** (self._rng.uniform(*QUIET_DBFS) / 20) if ratio is None else bed_rms * 10 ** (ratio / 20)
            gain = wanted / loudest_rms(samples)
            start = onset - (piece.cut.onset - piece.cut.start)
            heard = samples[: count - start].astype(np.float64) * gain
            mixed[start : start + len(heard)] += heard
            placed.append(OnsetPlaced(onset, onset + piece.sound_samples, piece.label, piece.path, piece.cut.onset,
                                      round(float(20 * np.log10(gain)), 2), piece.source, ratio, background, room))
        return finish(name, sounds, background, ratio, bed, behind, mixed, placed, bed_rms)


def hiss(rng: np.random.Generator, count: int) -> Floats:
    """Noise of RMS 1 whose power falls by 3 dB an octave, as of a quiet room and its microphone."""
    spectrum = np.fft.rfft(rng.standard_normal(count))
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), count * 50 // RATE))
    noise = np.fft.irfft(spectrum, count)
    return np.asarray(noise / np.sqrt(np.mean(noise**2)), np.float32)


def finish(name: str, sounds: str, background: str, ratio: float | None, bed: Floats, behind: list[str],
           mixed: np.ndarray, placed: list[OnsetPlaced], bed_rms: float) -> OnsetScene:
    """Sounds and background together, made quieter as a whole where they would come over LOUDEST."""
    ramp = np.linspace(0.0, 1.0, START, dtype=np.float32)
    mixed = mixed + bed_rms * np.concatenate([bed[:START] * ramp, bed[START:]])
    louder = min(1.0, LOUDEST / float(np.abs(mixed).max()))
    samples = np.clip(np.rint(mixed * (louder * 32768.0)), -32768, 32767).astype(np.int16)
    scene = Scene(samples, tuple(placed), tuple(dict.fromkeys(behind)))
    return OnsetScene(name, sounds, background, ratio, float(20 * np.log10(louder * bed_rms)), scene)
