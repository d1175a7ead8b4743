"""The distilling set on disk: patches, the teacher's embeddings and labels, in parts that a broken run picks up again.

Each part is one ``part-NNNN.npz`` of 2,000 windows: ``patches`` int8 (2000, 96, 64), ``targets`` int8 (2000, 1024; the
teacher's own cells), ``labels`` int16 (2000, 2; -1 for none).
"""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import numpy as np
from bands import patch_of
from clips import shared_folder, training_clips
from mixing import Mixer
from teacher import Teacher
from tqdm import tqdm

PART = 2_000
PUBLISHED = "models/yamnet_classification.tflite"
_worker: dict[str, object] = {}


def make_windows(folder: Path, count: int, seed: int, workers: int, wanted: slice = slice(None)) -> list[Path]:
    """Make what is missing of ``count`` windows; the paths of all parts, or of those wanted, in order."""
    folder.mkdir(parents=True, exist_ok=True)
    numbers = range(-(-count // PART))[wanted]
    parts = [folder / f"part-{number:04d}.npz" for number in numbers]
    tasks = zip(parts, (seed + PART * number for number in numbers), strict=True)
    missing = [(part, first_seed) for part, first_seed in tasks if not part.is_file()]
    if missing:
        with multiprocessing.Pool(workers, initializer=_start) as pool:
            for _ in tqdm(pool.imap_unordered(_make_part, missing), total=len(missing), desc="windows", unit="part"):
                pass
    return parts


def _start() -> None:
    """What each process loads once: the clips and the teacher."""
    _worker["mixer"] = Mixer(training_clips())
    _worker["teacher"] = Teacher(shared_folder() / PUBLISHED)


def _make_part(task: tuple[Path, int]) -> None:
    """Make one part and put it in place whole."""
    part, first_seed = task
    mixer, teacher = _worker["mixer"], _worker["teacher"]
    assert isinstance(mixer, Mixer) and isinstance(teacher, Teacher)
    patches, targets, labels = [], [], np.full((PART, 2), -1, np.int16)
    for index in range(PART):
        window, heard = mixer.window(first_seed + index)
        patches.append(patch_of(window))
        targets.append(teacher.cells(patches[-1]))
        labels[index, : len(heard)] = heard
    unfinished = part.with_suffix(".tmp")
    with unfinished.open("wb") as file:
        np.savez(file, patches=np.stack(patches), targets=np.stack(targets), labels=labels)
    unfinished.replace(part)
