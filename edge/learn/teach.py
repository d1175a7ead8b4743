"""Recordings of a sound in, a taught sound out: what `edge-audio teach` and `edge-audio feedback` fit with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.errors import SettingsError
from edge.learn.alike import groups
from edge.learn.augment import Samples
from edge.learn.bank import Bank, load_bank, load_room
from edge.learn.embedding import Cells, Embedder
from edge.learn.examples import cut, find_sounds
from edge.learn.lesson import HEARD, PLACED, QUIET, Examples, Lesson, Negatives, concatenated, learn_sound
from edge.learn.look_lesson import LookLesson
from edge.model.foreseen import Foreseen
from edge.model.manifest import Manifest
from edge.model.taught import Judgement, Taught, TaughtSound
from edge.stream import PATCH_SAMPLES, SAMPLE_RATE

FEWEST, MOST = 5, 200
"""Recordings that a sound is taught from."""
LONGEST_SECONDS = 30.0
SEED = 20_261_122
"""Seed of the generator that alters recordings: the same recordings give the same row."""
MISTAKEN = "an event judged wrong"
SILENCE = "silence"
MISTAKEN_WEIGHTS = (30.0, 100.0, 300.0, 1000.0)
"""Weights of an event that was judged wrong, tried in this order until it is silent. The bank's negatives weigh 1."""

Progress = Callable[[float, float], None]


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording of the sound: int16 `(n,)` at 16 kHz."""

    name: str
    samples: Samples


@dataclass(frozen=True, slots=True)
class Gathered:
    """What was made of all recordings: cells int8 `(m, E)`; clip, kind uint8 `(m,)`. No sound is kept."""

    cells: Cells
    clip: NDArray[np.uint8]
    kind: NDArray[np.uint8]
    impulsive: bool


def problem_of(samples: Samples) -> tuple[str, str] | None:
    """What is wrong with a recording (found, wanted); None where it can be learnt from."""
    seconds = len(samples) / SAMPLE_RATE
    if seconds > LONGEST_SECONDS:
        return f"{seconds:.0f} s", f"at most {LONGEST_SECONDS:.0f} s around the sound"
    if find_sounds(samples) is None:
        return "silence", "a recording that holds the sound"
    return None


def gather(embedder: Embedder, recordings: Sequence[Recording], progress: Progress | None = None) -> Gathered:
    """Find the sound in each recording, alter it, embed it. Raises SettingsError for too few or too many of them."""
    if not FEWEST <= len(recordings) <= MOST:
        raise SettingsError("recordings", found=f"{len(recordings)}",
                            wanted=f"{FEWEST} to {MOST} of the sound; 20 are plenty")
    parts = []
    for number, recording in enumerate(recordings):
        parts.append(made_of(embedder, recording, number))
        if progress is not None:
            progress(number + 1, len(recordings))
    return together(parts)


def made_of(embedder: Embedder, recording: Recording, number: int) -> Gathered:
    """What one recording gives. number: of the recording; with SEED it determines how the recording is
    altered. Raises SettingsError for silence."""
    found = find_sounds(recording.samples)
    if found is None:
        raise SettingsError(recording.name, found="silence", wanted="a recording that holds the sound")
    stretches = cut(recording.samples, found, np.random.default_rng([SEED, number]))
    some = (stretches.heard, stretches.placed, stretches.altered, stretches.quiet)
    cells = np.concatenate([embedder.cells(each) for each in some])
    kind = np.repeat(np.arange(len(some), dtype=np.uint8), [len(each) for each in some])
    return Gathered(cells, np.zeros(len(kind), np.uint8), kind, found.impulsive)


def together(parts: Sequence[Gathered]) -> Gathered:
    """What several recordings give, numbered in their order: at most MOST of them, one each."""
    clip = np.repeat(np.arange(len(parts), dtype=np.uint8), [len(part.kind) for part in parts])
    return Gathered(np.concatenate([part.cells for part in parts]), clip, np.concatenate([part.kind for part in parts]),
                    sum(part.impulsive for part in parts) * 2 > len(parts))


def check_like(bank: Bank, like: Iterable[str]) -> None:
    """Raise SettingsError for a class that the bank lacks."""
    for each in like:
        if each not in bank.names:
            raise SettingsError(f"--like {each}", found="no such class in the bank",
                                wanted=f"one of {', '.join(np.unique(bank.names))}")


def negatives_for(embedder: Embedder, folder: Path, manifest: Manifest, state_dir: Path, taught: Taught, *, name: str,
                  like: Iterable[str] = ()) -> Negatives:
    """What a sound called `name` is taught against: the bank without the classes in `like`, the room, other taught sounds.

    folder, manifest: of the model. Raises ModelError where it has no bank, SettingsError for a class the bank lacks.
    """
    bank = load_bank(folder, manifest)
    check_like(bank, like)
    parts = [_negatives(each.embeddings, each.names, each.sources, each.seconds)
             for each in (bank, load_room(state_dir, manifest)) if each is not None]
    silence = embedder.embeddings(embedder.cells([np.zeros(PATCH_SAMPLES, np.int16)]))
    parts.append(_negatives(silence, np.array([SILENCE]), np.array([SILENCE]), np.zeros(1, np.float32)))
    for sound in taught.sounds:
        if sound.name != name:
            own = sound.cells[sound.kind != QUIET]
            title = np.full(len(own), f"{sound.name} (taught)")
            # All recordings of it together stand for one second of sound: they were made, not met in a day.
            parts.append(_negatives(embedder.embeddings(own), title, title, np.full(len(own), 1.0 / len(own), np.float32)))
    whole = concatenated(parts)
    return whole.only(~np.isin(whole.names, list(like)))


def learn(embedder: Embedder, name: str, gathered: Gathered, negatives: Negatives, *, alarms_per_hour: float,
          impulsive: bool, taught_at: str, like: Sequence[str] = (), forced: bool = False,
          judgements: Sequence[Judgement] = ()) -> tuple[TaughtSound, Lesson]:
    """The sound as it will be kept, and how it came out. judgements: of its events: right ones are further
    examples, wrong ones further negatives."""
    right = [one.cells for one in judgements if one.right]
    wrong = [one.cells for one in judgements if not one.right]
    cells = np.concatenate([gathered.cells, *(one[None] for one in right)])
    clip = np.concatenate((gathered.clip.astype(np.intp), int(gathered.clip.max()) + 1 + np.arange(len(right))))
    kind = np.concatenate((gathered.kind.astype(np.intp), np.full(len(right), HEARD)))
    embeddings, recorded = embedder.embeddings(cells), (kind == HEARD) | (kind == PLACED)
    alike = groups(embeddings[recorded], clip[recorded], negatives.embeddings)
    examples = Examples(embeddings, clip, kind, alike)
    lesson = learn_sound(examples, negatives, alarms_per_hour=alarms_per_hour)
    for weight in MISTAKEN_WEIGHTS if wrong else ():
        hard = embedder.embeddings(np.stack(wrong))
        names, none = np.full(len(hard), MISTAKEN), np.zeros(len(hard), np.float32)
        mistaken = Negatives(hard, names, names, none, none + np.float32(weight))
        lesson = learn_sound(examples, concatenated((negatives, mistaken)), alarms_per_hour=alarms_per_hour)
        if lesson.probabilities(hard).max() < lesson.release_threshold:
            break
    sound = TaughtSound(
        name=name, row=lesson.row, bias=lesson.bias, scale=lesson.scale, offset=lesson.offset, threshold=lesson.threshold,
        release_threshold=lesson.release_threshold, impulsive=impulsive, cells=gathered.cells, clip=gathered.clip,
        kind=gathered.kind, budget_per_hour=alarms_per_hour, foreseen=foreseen_by(lesson), taught_at=taught_at,
        like=tuple(like), forced=forced)
    return sound, lesson


def foreseen_by(lesson: Lesson | LookLesson) -> Foreseen:
    """What is kept of how a lesson came out."""
    return Foreseen(lesson.heard, lesson.clips, lesson.alarms_per_hour, lesson.alarms_upper,
                    tuple(name for name, _ in lesson.collisions), lesson.groups, lesson.tally)


def refusal(lesson: Lesson | LookLesson, hears: Sequence[str] = ()) -> str:
    """Why this sound cannot be told apart, in words; empty where it can. hears: targets that hear it, taught ones too."""
    if lesson.recall >= lesson.lowest_recall:
        return ""
    taken = [f"{name} of the bank" if "taught" not in name else name for name, _ in lesson.collisions[:2]]
    taken += [f"the target {name}" for name in hears[:1]]
    what = " and ".join(taken) if taken else "much of the bank, a little of each"
    return (f"{lesson.alone} of {lesson.clips} recordings heard at {lesson.alarms_per_hour:.1f} false alarms an hour; "
            f"it sounds like {what}")


def _negatives(embeddings: NDArray[np.float32], names: NDArray[np.str_], sources: NDArray[np.str_],
               seconds: NDArray[np.float32]) -> Negatives:
    return Negatives(embeddings, names, sources, seconds, np.ones(len(names), np.float32))
