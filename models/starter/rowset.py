"""Windows for the rows: several of each training clip, altered as rooms and microphones would.

Present: the window holds some of the clip's loudest moments, not at its very edge. Absent: it holds nothing within
30 dB of them, so it is a negative even for the clip's own label. Anything between counts neither way. Kept on disk as
patches: the rows can be fitted on another backbone without making them again.
"""

from __future__ import annotations

import multiprocessing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from alter import at_speed, background, in_room, peak_level, through_microphone
from bands import PATCH_SAMPLES, patch_of
from clips import Clip, read_clip, training_clips
from mixing import typed
from tqdm import tqdm

Floats = npt.NDArray[np.float32]
RATE = 16_000
MARGIN = 4_000
NOISE_WINDOWS = 1_200
OFTEN = {"hand_clap": 40, "finger_snap": 40, "keyboard_typing": 40, "typewriter": 30, "keyboard_key": 12}
RARE = {
    "glass_break": 30,
    "siren": 40,
    "whistle": 25,
    "door_knock": 40,
    "church_bells": 30,
    "phone_ring": 30,
    "laughter": 40,
    "alarm_beep": 25,
    "doorbell": 30,
    "scream": 20,
    "snoring": 50,
    "toilet_flush": 40,
    "cough": 40,
    "water_running": 25,
}
BACKGROUNDS = ("neg_ambience", "neg_music", "neg_speech", "neg_appliance", "neg_babble")


@dataclass(frozen=True)
class RowSet:
    """``patches`` int8 (n, 96, 64); ``clip`` int32 (n,), number in training_clips(), -1 for plain noise; ``presence``
    int8 (n,): 1, 0 (unsure) or -1; ``behind`` int32 (n,): the clip mixed in behind it, -1 for none."""

    patches: npt.NDArray[np.int8]
    clip: npt.NDArray[np.int32]
    presence: npt.NDArray[np.int8]
    behind: npt.NDArray[np.int32]


def row_set(folder: Path, seed: int, workers: int = 2) -> RowSet:
    """The set from the folder, made first where it is missing."""
    path = folder / f"rows-{seed}.npz"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        tasks = [(number, seed) for number in range(-1, len(training_clips()))]
        with multiprocessing.Pool(workers) as pool:
            found = list(tqdm(pool.imap(_windows_of, tasks, chunksize=8), total=len(tasks), desc="rows", unit="clip"))
        arrays = [np.concatenate(column) for column in zip(*found, strict=True)]
        with path.open("wb") as file:
            np.savez(file, patches=arrays[0], clip=arrays[1], presence=arrays[2], behind=arrays[3])
    with np.load(path) as held:
        return RowSet(held["patches"], held["clip"], held["presence"], held["behind"])


def _windows_of(task: tuple[int, int]) -> tuple[npt.NDArray[np.generic], ...]:
    """All windows of one clip: patches, clip numbers, presence, backgrounds."""
    number, seed = task
    rng = np.random.default_rng((seed, number + 1))
    clips = training_clips()
    patches, presences, behinds = [], [], []
    if number < 0:
        for _ in range(NOISE_WINDOWS):
            patches.append(patch_of(np.clip(peak_level(rng, background(rng, PATCH_SAMPLES), -75, -10), -1, 1)))
            presences.append(-1)
            behinds.append(-1)
    else:
        samples = read_clip(clips[number])
        others = [
            i for i, clip in enumerate(clips) if clip.label in BACKGROUNDS and clip.source != clips[number].source
        ]
        for _ in range(_count(clips[number])):
            behind = int(others[rng.integers(len(others))]) if rng.random() < 0.25 else -1
            window, presence = _window(rng, clips[number], samples, read_clip(clips[behind]) if behind >= 0 else None)
            patches.append(patch_of(window))
            presences.append(presence)
            behinds.append(behind)
    return (
        np.stack(patches),
        np.full(len(patches), number, np.int32),
        np.array(presences, np.int8),
        np.array(behinds, np.int32),
    )


def _count(clip: Clip) -> int:
    """How many windows of a clip: more of the rare, more of the long."""
    return OFTEN.get(clip.label) or RARE.get(clip.label) or int(min(30, 8 + 2 * clip.seconds))


def _window(rng: np.random.Generator, clip: Clip, samples: Floats, behind: Floats | None) -> tuple[Floats, int]:
    """One window (15600,) and whether the clip's sound is in it."""
    if clip.label == "keyboard_key" and clip.seconds < 1.5:
        samples = typed(rng, [samples])
    plain = rng.random() < 0.2
    if not plain and rng.random() < 0.5:
        samples = at_speed(samples, float(np.exp(rng.uniform(-0.12, 0.12))))
    wanted = PATCH_SAMPLES + MARGIN
    room = np.zeros(len(samples) + 2 * wanted, np.float32)
    room[wanted : wanted + len(samples)] = samples
    if rng.random() < 0.5:
        centre = wanted + int(np.argmax(np.abs(samples)))
        start = centre - MARGIN - int(rng.integers(800, PATCH_SAMPLES - 1_600))
    else:
        start = wanted - MARGIN - PATCH_SAMPLES // 2 + int(rng.integers(len(samples)))
    start = int(np.clip(start, 0, len(room) - wanted))
    sound = room[start : start + wanted]
    loudest = _loudness(samples).max()
    inside = _loudness(sound[MARGIN + 480 : -960]).max()
    anywhere = _loudness(sound[MARGIN:]).max()
    presence = 1 if inside >= 0.25 * loudest else -1 if anywhere < 0.03 * loudest else 0
    if not plain:
        sound = through_microphone(rng, sound) if rng.random() < 0.5 else sound
        sound = in_room(rng, sound) if rng.random() < 0.35 else sound
    window = sound[MARGIN:] / np.float32(
        max(float(np.abs(sound[MARGIN:]).max()), 1e-4, 0.02 * float(np.abs(samples).max()))
    )
    if behind is not None and len(behind) > PATCH_SAMPLES:
        place = int(rng.integers(len(behind) - PATCH_SAMPLES))
        added = behind[place : place + PATCH_SAMPLES]
        window = window + added * np.float32(10 ** (-rng.uniform(8, 30) / 20) / max(float(np.abs(added).max()), 1e-3))
    if rng.random() < 0.5:
        window = window + background(rng, PATCH_SAMPLES) * np.float32(10 ** (-rng.uniform(20, 65) / 20))
    return np.clip(peak_level(rng, window, -45.0, 1.0), -1, 1), presence


def _loudness(samples: Floats) -> Floats:
    """Root mean square of each 10 ms: float32 (n // 160,), at least one."""
    whole = np.zeros(max(160, len(samples) // 160 * 160), np.float32)
    whole[: min(len(samples), len(whole))] = samples[: len(whole)]
    return np.sqrt(np.mean(whole.reshape(-1, 160) ** 2, axis=1))
