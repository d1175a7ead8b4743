"""Windows for distilling: one or two clips, altered and mixed at random, some with sounds made from formulas.

``Mixer.window(seed)`` is a pure function of the clips and the seed, so a data set can be made in parts and resumed.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import numpy.typing as npt
from alter import at_speed, background, in_room, peak_level, through_microphone
from bands import PATCH_SAMPLES
from clips import Clip, read_clip
from procedural import procedural_sound

Floats = npt.NDArray[np.float32]

MARGIN = 4_000  # samples before the window, so that a room's tail can reach into it
FAVOURED = {
    "hand_clap": 3.0,
    "finger_snap": 2.0,
    "keyboard_typing": 4.0,
    "keyboard_key": 3.0,
    "neg_speech": 1.5,
    "neg_music": 1.5,
    "neg_ambience": 1.3,
}
PROCEDURAL_SHARE = 0.12


class Mixer:
    """Draws windows from clips: classes by the square root of their size, then sources alike, then a clip."""

    def __init__(self, clips: list[Clip]) -> None:
        self._samples = {clip.path: read_clip(clip) for clip in clips}
        self._shelves: dict[str, dict[str, list[Clip]]] = defaultdict(lambda: defaultdict(list))
        for clip in clips:
            self._shelves[clip.label][clip.source].append(clip)
        self.labels = sorted(self._shelves)
        sizes = [sum(map(len, self._shelves[label].values())) for label in self.labels]
        weights = np.sqrt(np.minimum(sizes, 150)) * np.array([FAVOURED.get(label, 1.0) for label in self.labels])
        self._chances = weights / weights.sum()

    def window(self, seed: int) -> tuple[Floats, list[int]]:
        """One window, float32 (15600,), and the label numbers of the clips that are well heard in it."""
        rng = np.random.default_rng(seed)
        heard: list[int] = []
        if rng.random() < PROCEDURAL_SHARE:
            mix = self._altered(rng, procedural_sound(rng, PATCH_SAMPLES + MARGIN))
        else:
            sound, number = self._draw(rng)
            mix = self._altered(rng, sound)
            heard.append(number)
        if rng.random() < 0.35:
            sound, number = self._draw(rng)
            decibels = rng.uniform(-25, 8)
            mix = mix + self._altered(rng, sound) * np.float32(10 ** (decibels / 20))
            if decibels > -6:
                heard.append(number)
            if decibels > 4:
                heard = heard[-1:]
        if rng.random() < 0.6:
            decibels = -rng.uniform(3, 60)
            mix = mix + background(rng, len(mix)) * np.float32(10 ** (decibels / 20))
        mix = peak_level(rng, mix)
        if rng.random() < 0.04:
            mix = np.clip(mix * np.float32(rng.uniform(1, 8)), -1, 1)
        return mix, heard

    def _draw(self, rng: np.random.Generator) -> tuple[Floats, int]:
        """A stretch of a random clip, float32 (19600,), peak 1, and its label's number."""
        number = int(rng.choice(len(self.labels), p=self._chances))
        shelf = list(self._shelves[self.labels[number]].values())
        sizes = np.sqrt([len(clips) for clips in shelf])
        clips = shelf[int(rng.choice(len(shelf), p=sizes / sizes.sum()))]
        samples = self._samples[clips[int(rng.integers(len(clips)))].path]
        if self.labels[number] == "keyboard_key" and rng.random() < 0.7:
            others = [self._samples[clips[int(i)].path] for i in rng.integers(len(clips), size=12)]
            return typed(rng, [key for key in others if len(key) < 24_000] or [samples]), number
        return stretch(rng, samples), number

    def _altered(self, rng: np.random.Generator, sound: Floats) -> Floats:
        """A stretch (19600,) to a window (15600,), peak about 1."""
        if rng.random() < 0.6:
            sound = through_microphone(rng, sound)
        if rng.random() < 0.4:
            sound = in_room(rng, sound)
        window = sound[MARGIN : MARGIN + PATCH_SAMPLES]
        return window / np.float32(max(float(np.abs(window).max()), 1e-4))


def stretch(rng: np.random.Generator, samples: Floats) -> Floats:
    """19,600 samples of a clip at a random speed: where it is loud as often as anywhere; short clips anywhere in silence."""
    speed = float(np.exp(rng.uniform(-0.2, 0.2))) if rng.random() < 0.6 and len(samples) > 8 else 1.0
    wanted = PATCH_SAMPLES + MARGIN
    taken = int(np.ceil(wanted * speed)) + 1  # of the clip as it is: only what will be heard is played at that speed
    room = np.zeros(len(samples) + 2 * taken, np.float32)
    room[taken : taken + len(samples)] = samples
    if rng.random() < 0.5 or len(samples) < taken:
        centre = (
            taken + int(np.argmax(np.abs(samples))) if rng.random() < 0.7 else taken + int(rng.integers(len(samples)))
        )
        start = centre - int(speed * (MARGIN + rng.integers(PATCH_SAMPLES)))
    else:
        start = taken + int(rng.integers(len(samples) - taken + 1))
    start = int(np.clip(start, 0, len(room) - taken))
    found = at_speed(room[start : start + taken], speed)[:wanted] if speed != 1.0 else room[start : start + wanted]
    peak = float(np.abs(found[MARGIN:]).max())
    return found / np.float32(max(peak, 1e-4))


def typed(rng: np.random.Generator, keys: list[Floats]) -> Floats:
    """Recorded key presses one after another at a random pace: float32 (19600,)."""
    wanted = PATCH_SAMPLES + MARGIN
    sound = np.zeros(wanted, np.float32)
    pace = rng.uniform(0.08, 0.35)
    place = int(rng.integers(0, int(pace * 16_000)))
    while place < wanted:
        key = keys[int(rng.integers(len(keys)))]
        part = key[: wanted - place] * np.float32(10 ** (rng.normal(0, 3) / 20) / max(float(np.abs(key).max()), 1e-4))
        sound[place : place + len(part)] += part
        place += max(400, int(pace * 16_000 * rng.gamma(4.0, 0.25)))
    return sound / np.float32(max(float(np.abs(sound).max()), 1e-4))
