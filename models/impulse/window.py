"""One window: a single sound in a room over something else, and the looks that its onsets would get. Pure, by seed.

A look is kept as its rows (LEADING before the onset's, AFTER from it on) and the floor of each band, so that a network may
be shown more or less of it. The teacher's embedding is of the same sound without what sounds behind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from alter import at_speed, background, through_microphone
from bands import band_rows
from scipy.signal import fftconvolve

from edge.decision.onset import CENTRE, OnsetDetector
from edge.features.look import AFTER, HISTORY, floor_before
from edge.stream import FRAME_STEP
from models.impulse.critic import Critic
from models.impulse.rooms import room
from models.impulse.stock import BEDS, LABELS, LEAD, SAMPLE_RATE, Stock

Floats = npt.NDArray[np.float32]
LEADING = 24
BEFORE_SECONDS, AFTER_SECONDS = 0.85, 0.5
ONSET, WHOLE = round(BEFORE_SECONDS * SAMPLE_RATE), round((BEFORE_SECONDS + AFTER_SECONDS) * SAMPLE_RATE)
NEAR = 1_280
"""Samples (80 ms) between a placed sound and the onset that is taken for its own."""
LOUDEST = 320
"""Samples (20 ms): a sound's level is that of its loudest so many."""
SHARES = {"hand_clap": 0.36, "finger_snap": 0.12, "door_knock": 0.08, "key_press": 0.08, "glass_break": 0.06, "tap": 0.07,
          "other": 0.23}
"""How often each label is drawn."""
MADE_SHARES = {"hand_clap": 0.6, "finger_snap": 0.5, "door_knock": 0.4, "glass_break": 0.4}
"""How many of a label's sounds nobody recorded."""
CROWD_SHARE = 0.15
"""How many of the recorded claps come out of applause."""
BED_ALONE = 0.25
"""Share of windows that hold an onset of a bed, and nothing else."""


@dataclass
class Look:
    """What is kept of one onset. rows float16 `(64, 64)`, floor float16 `(64,)`, target float16 `(1024,)`."""

    rows: npt.NDArray[np.float16]
    floor: npt.NDArray[np.float16]
    target: npt.NDArray[np.float16]
    label: int
    source: str
    ratio: float


class Maker:
    """Draws windows from the stock."""

    def __init__(self, stock: Stock, made: Mapping[str, Sequence[Floats]], critic: Critic) -> None:
        """made: by label, sounds that nobody recorded."""
        self._stock, self._made, self._critic = stock, made, critic

    def looks(self, seed: int) -> list[Look]:
        """The looks of one window; none where the detector finds nothing."""
        rng = np.random.default_rng(seed)
        if rng.random() < BED_ALONE:
            return self._bed_alone(rng)
        label = str(rng.choice(list(SHARES), p=list(SHARES.values())))
        source, sound = self._single(rng, label)
        clean = self._room(rng, sound, ONSET)
        ratio = float(rng.uniform(3.0, 48.0))
        behind, kind = self._behind(rng)
        loudest = float(np.sqrt(np.convolve(clean**2, np.full(LOUDEST, 1.0 / LOUDEST), "valid").max()))
        mixed = clean / np.float32(max(loudest, 1e-6)) + behind * np.float32(10 ** (-ratio / 20))
        found = self.onsets(self.level(rng, mixed))
        if not found:
            return []
        own = min(found, key=lambda each: abs(each[0] - ONSET))
        if abs(own[0] - ONSET) > NEAR:
            return []
        looks = [self._look(own, clean, LABELS.index(label), source, ratio)]
        others = [each for each in found if abs(each[0] - ONSET) > 4_000 and each[1] >= HISTORY]
        if others and rng.random() < 0.15 and own[0] - others[0][0] > 0 and kind:
            looks.append(self._look(others[0], behind, LABELS.index("other"), f"bed/{kind}", np.nan))
        return looks

    def _single(self, rng: np.random.Generator, label: str) -> tuple[str, Floats]:
        """A single sound of a label, sources alike, or one that was made."""
        made = self._made.get(label)
        if made and rng.random() < MADE_SHARES[label]:
            return "made", made[int(rng.integers(len(made)))]
        if label == "hand_clap" and rng.random() < CROWD_SHARE:
            return "crowd", self._stock.crowd[int(rng.integers(len(self._stock.crowd)))]
        groups = self._stock.singles[label]
        names = list(groups)
        weights = np.sqrt([len(groups[name]) for name in names])
        name = names[int(rng.choice(len(names), p=weights / weights.sum()))]
        return name, groups[name][int(rng.integers(len(groups[name])))]

    def _room(self, rng: np.random.Generator, sound: Floats, onset: int) -> Floats:
        """The sound with its onset at a sample of a window, from one of the rooms, through one of the microphones."""
        if rng.random() < 0.7:
            speed = float(np.exp(rng.uniform(-0.22, 0.22)))
            sound, lead = at_speed(sound, speed), round(LEAD / speed)
        else:
            lead = LEAD
        window = np.zeros(WHOLE, np.float32)
        self._lay(window, sound, onset - lead)
        if rng.random() < 0.25:  # a second one of the same, as hands and doors have it
            self._lay(window, sound * np.float32(10 ** (rng.uniform(-6.0, 3.0) / 20)),
                      onset - lead + round(rng.uniform(0.12, 0.45) * SAMPLE_RATE) * int(rng.choice([-1, 1])))
        if rng.random() < 0.75:
            window = through_microphone(rng, window)
        turn = rng.random()
        if turn < 0.3:
            response = self._stock.rooms[int(rng.integers(len(self._stock.rooms)))]
            if rng.random() < 0.5:  # nearer, or a shorter tail
                response = response.copy()
                response[: 64] *= np.float32(10 ** (rng.uniform(0.0, 12.0) / 20))
                response *= np.exp(-np.arange(len(response)) / SAMPLE_RATE / rng.uniform(0.05, 1.0)).astype(np.float32)
            window = fftconvolve(window, response)[:WHOLE].astype(np.float32)
        elif turn < 0.72:
            window = fftconvolve(window, room(rng))[:WHOLE].astype(np.float32)
        return window

    @staticmethod
    def _lay(window: Floats, sound: Floats, start: int) -> None:
        sound = sound[max(-start, 0): WHOLE - start]
        window[max(start, 0): max(start, 0) + len(sound)] += sound

    def _behind(self, rng: np.random.Generator) -> tuple[Floats, str]:
        """What sounds behind, RMS 1, and its kind ("": steady noise, or silence)."""
        turn = rng.random()
        if turn < 0.08:
            return np.zeros(WHOLE, np.float32), ""
        if turn < 0.25:
            return background(rng, WHOLE), ""
        bed, kind = self._bed(rng)
        if rng.random() < 0.25:
            bed = bed + self._bed(rng)[0] * np.float32(10 ** (rng.uniform(-15.0, 0.0) / 20))
        if rng.random() < 0.4:
            bed = through_microphone(rng, bed)
        if rng.random() < 0.5:
            bed = bed + background(rng, WHOLE) * np.float32(10 ** (rng.uniform(-40.0, -6.0) / 20))
        return bed, kind

    def _bed(self, rng: np.random.Generator, longer: int = 0) -> tuple[Floats, str]:
        """A stretch of a clip, the clip's RMS 1: kinds by weight, classes alike within a kind."""
        kind = str(rng.choice(list(BEDS), p=[0.36, 0.22, 0.2, 0.14, 0.08]))
        classes = self._stock.beds[kind]
        names = list(classes)
        weights = np.sqrt([sum(map(len, classes[name])) for name in names])
        clips = classes[names[int(rng.choice(len(names), p=weights / weights.sum()))]]
        sizes = np.minimum([len(clip) for clip in clips], 30 * SAMPLE_RATE)
        clip = clips[int(rng.choice(len(clips), p=sizes / sizes.sum()))]
        wanted = WHOLE + longer
        start = int(rng.integers(max(len(clip) - wanted, 0) + 1))
        piece = clip[start: start + wanted]
        return (piece if len(piece) == wanted else np.resize(piece, wanted)).astype(np.float32), kind

    def _bed_alone(self, rng: np.random.Generator) -> list[Look]:
        """A strong onset of a bed. The bed is shifted so that the onset lies where a sound's would."""
        wide, kind = self._bed(rng, longer=3 * SAMPLE_RATE)
        if rng.random() < 0.5:
            wide = through_microphone(rng, wide)
        if rng.random() < 0.3:
            response = self._stock.rooms[int(rng.integers(len(self._stock.rooms)))]
            wide = fftconvolve(wide, response)[: len(wide)].astype(np.float32)
        if rng.random() < 0.5:
            wide = wide + background(rng, len(wide)) * np.float32(10 ** (rng.uniform(-45.0, -10.0) / 20))
        wide = self.level(rng, wide)
        places = [(onset, frame, rows) for onset, frame, rows in self.onsets(wide)
                  if ONSET <= onset < len(wide) - (WHOLE - ONSET)]
        if not places:
            return []
        chosen = places[int(rng.integers(len(places)))]
        start = chosen[0] - ONSET
        return [self._look(chosen, wide[start: start + WHOLE], LABELS.index("other"), f"bed/{kind}", np.nan)]

    @staticmethod
    def level(rng: np.random.Generator, mixed: Floats) -> Floats:
        """As a microphone gives it: peak at -45 to 0 dBFS."""
        level = 10 ** (-45.0 * rng.beta(1.2, 1.8) / 20)
        return np.asarray(mixed * np.float32(level / max(float(np.abs(mixed).max()), 1e-6)), np.float32)

    @staticmethod
    def onsets(samples: Floats) -> list[tuple[int, int, Floats]]:
        """Position and row of each onset that is no echo, and all rows."""
        rows = band_rows(samples)
        found = [onset for onset in OnsetDetector().push(rows, 0) if not onset.echo]
        return [(onset.position, (onset.position - CENTRE) // FRAME_STEP, rows) for onset in found
                if HISTORY <= (onset.position - CENTRE) // FRAME_STEP <= len(rows) - AFTER]

    def _look(self, place: tuple[int, int, Floats], clean: Floats, label: int, source: str, ratio: float) -> Look:
        return look_at(place, clean, label, source, ratio, self._critic)


def look_at(place: tuple[int, int, Floats], clean: Floats, label: int, source: str, ratio: float, critic: Critic) -> Look:
    """What is kept of one onset of `Maker.onsets`. clean: float32 `(WHOLE,)`, its onset ONSET samples in."""
    _, row, rows = place
    floor = floor_before(rows[row - HISTORY: row])
    target = critic.embedding(clean * np.float32(0.6 / max(float(np.abs(clean).max()), 1e-6)), ONSET)
    return Look(rows[row - LEADING: row + AFTER].astype(np.float16), floor.astype(np.float16),
                target.astype(np.float16), label, source, ratio)


def save_looks(path: Path, looks: Sequence[Look]) -> None:
    """Write looks as one part of a training set."""
    np.savez(path, rows=np.stack([look.rows for look in looks]), floor=np.stack([look.floor for look in looks]),
             target=np.stack([look.target for look in looks]), label=np.array([look.label for look in looks], np.int8),
             source=np.array([look.source for look in looks]), ratio=np.array([look.ratio for look in looks], np.float32))
