"""What scenes are made of: sounds cut from recordings that train nothing (split eval, and ESC-10's fold 5).

A library that has clips in both splits gives no sound, for its other clips do train.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "starter"))

from clips import Clip, measuring_clips, read_clip, training_clips
from cut import RATE, Cut, Floats, single_sounds, stretches, taken

SINGLE = {"hand_clap": 0.3, "finger_snap": 0.3, "door_knock": 0.4}
"""Classes of single sounds, with the seconds within which one must be over."""
LASTING = {
    "keyboard_typing": (2.0, 7.0), "alarm_beep": (1.2, 6.0), "rain": (3.0, 5.0), "neg_speech": (1.2, 5.0),
    "siren": (3.0, 5.0), "snoring": (2.0, 5.0),
}
"""Classes of lasting sounds, with the shortest and longest seconds of one piece."""
OTHERS = (
    "door_slam", "drawer", "keys_drop", "page_turn", "mouse_click", "clearthroat", "neg_drum", "neg_notclap", "neg_misc",
    "cough", "glass_break", "phone_ring", "laughter",
)
"""Classes of whatever else happens in a room, between the sounds that are looked for."""
BACKGROUNDS = {"ambience": "neg_ambience", "appliance": "neg_appliance", "music": "neg_music", "speech": "neg_speech"}
LONGEST_OTHER_SECONDS = 3.0
SLOW = RATE // 4  # samples over which a recording's offset from zero is averaged before it is taken away


@dataclass(frozen=True)
class Piece:
    """One sound to place: where it comes from and which samples of it."""

    label: str
    source: str
    path: str
    cut: Cut

    @property
    def sound_samples(self) -> int:
        """Samples from its onset to its offset."""
        return self.cut.offset - self.cut.onset


@lru_cache(maxsize=256)
def recording(path: str) -> Floats:
    """Samples of a clip that measures, without its offset from zero (some cards have one): float32 (n,) at 16 kHz."""
    samples = read_clip(next(clip for clip in measuring_clips() if clip.path == path))
    width = min(SLOW, len(samples))
    sums = np.concatenate([[0.0], np.cumsum(samples, dtype=np.float64)])
    places = np.clip(np.arange(len(samples)) - width // 2, 0, len(samples) - width)
    return (samples - (sums[places + width] - sums[places]) / width).astype(np.float32)


def samples_of(piece: Piece) -> Floats:
    """The piece's samples, faded at both ends."""
    return taken(recording(piece.path), piece.cut)


class Stock:
    """Pieces by class. A source is drawn first, then one of its pieces: one big library does not fill every scene."""

    def __init__(self) -> None:
        """Cuts every recording that may be needed: half a minute."""
        self._clips: dict[str, list[Clip]] = {}
        trained = {clip.group for clip in training_clips()}
        for clip in (clip for clip in measuring_clips() if clip.group not in trained):
            self._clips.setdefault(clip.label, []).append(clip)
        self._pieces = {label: self._cut(label) for label in (*SINGLE, *LASTING, *OTHERS)}

    def _cut(self, label: str) -> list[Piece]:
        return [Piece(label, clip.source, clip.path, cut) for clip in self._clips.get(label, [])
                for cut in self._cuts(label, recording(clip.path))]

    @staticmethod
    def _cuts(label: str, samples: Floats) -> Iterator[Cut]:
        if label in SINGLE:
            yield from single_sounds(samples, longest_seconds=SINGLE[label])
        elif label in LASTING:
            shortest, longest = LASTING[label]
            for cut in stretches(samples):
                if cut.offset - cut.onset >= shortest * RATE:
                    yield _shortened(cut, round(longest * RATE))
        else:
            found = stretches(samples)
            if found:  # the loudest, as what it is called is most surely in it
                yield _shortened(max(found, key=lambda cut: float((samples[cut.onset : cut.offset] ** 2).sum())),
                                 round(LONGEST_OTHER_SECONDS * RATE))

    def count(self, label: str) -> tuple[int, int]:
        """Pieces of a class, and sources that they come from."""
        return len(self._pieces[label]), len({piece.source for piece in self._pieces[label]})

    def draw(self, rng: np.random.Generator, label: str, beside: frozenset[str]) -> Piece:
        """A piece of a class, from a clip that the scene does not hold yet (`beside`) where there is one."""
        pieces = [piece for piece in self._pieces[label] if piece.path not in beside] or self._pieces[label]
        sources = sorted({piece.source for piece in pieces})
        source = sources[int(rng.integers(len(sources)))]
        chosen = [piece for piece in pieces if piece.source == source]
        return chosen[int(rng.integers(len(chosen)))]

    def another(self, rng: np.random.Generator, piece: Piece) -> Piece:
        """Another sound of the same recording, or the same where it has one only."""
        own = [each for each in self._pieces[piece.label] if each.path == piece.path and each is not piece] or [piece]
        return own[int(rng.integers(len(own)))]

    def background(self, rng: np.random.Generator, kind: str, count: int,
                   beside: frozenset[str]) -> tuple[Floats, list[str]]:
        """So many samples of one kind of background, RMS 1, clip faded into clip over 0.5 s; and the clips' paths."""
        clips = [clip for clip in self._clips[BACKGROUNDS[kind]] if clip.path not in beside]
        fade = RATE // 2
        out, at, paths = np.zeros(count + fade, np.float32), 0, []
        while at < count:
            clip = clips[int(rng.integers(len(clips)))]
            samples = recording(clip.path)[: 20 * RATE]
            level = float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))
            if len(samples) < 2 * fade or level < 1e-4:
                clips.remove(clip)
                continue
            samples = (samples / level)[: len(out) - at]
            ramp = np.sqrt(np.linspace(0.0, 1.0, fade, dtype=np.float32))
            head, tail = min(fade, len(samples)), min(fade, len(samples))
            samples[:head] *= ramp[:head]
            samples[len(samples) - tail :] *= ramp[::-1][fade - tail :]
            out[at : at + len(samples)] += samples
            at += max(len(samples) - fade, 1)
            paths.append(clip.path)
        return out[:count], paths


def _shortened(cut: Cut, most: int) -> Cut:
    if cut.offset - cut.onset <= most:
        return cut
    return Cut(cut.start, cut.onset, cut.onset + most, cut.onset + most)
