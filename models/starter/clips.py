"""The recordings the starter learns from: which clips may be used, and their samples.

A clip is one row of ``data/manifest.csv`` under EDGE_AUDIO_SHARED. Training takes split ``train`` only, and never a clip of
ESC-10 fold 5; measuring takes split ``eval`` and fold 5. ``group`` says which clips are not independent of one another.
"""

from __future__ import annotations

import csv
import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

REPOSITORY = Path(__file__).resolve().parents[2]
SAMPLE_RATE = 16_000
HELD_OUT_FOLD = "karolpiczak-ESC-10__5-"
ESC10_SOURCE = "karolpiczak/ESC-10"


@dataclass(frozen=True)
class Clip:
    """One recording: where it lies, what it is a recording of, and where it comes from."""

    path: str  # relative to data/
    label: str  # the manifest's class
    split: str  # train or eval
    source: str  # the repository it was taken from
    source_path: str
    licence: str
    licence_evidence: str
    sha256: str
    seconds: float

    @property
    def held_out(self) -> bool:
        """True for ESC-10 fold 5, which measures and never trains."""
        return HELD_OUT_FOLD in self.path

    @property
    def group(self) -> str:
        """Clips with the same group are cut from one recording or belong to one library: never split them.

        ESC-10's repository is itself a collection: there the source is the Freesound number in the file's name.
        """
        if self.source == ESC10_SOURCE:
            return "ESC-10/" + Path(self.source_path).stem.split("-")[1]
        return self.source


def shared_folder() -> Path:
    """The folder of recordings and published models, from EDGE_AUDIO_SHARED (default ../shared)."""
    folder = Path(os.environ.get("EDGE_AUDIO_SHARED", REPOSITORY.parent / "shared"))
    if not (folder / "data" / "manifest.csv").is_file():
        raise FileNotFoundError(f"no data/manifest.csv in {folder}: set EDGE_AUDIO_SHARED to the folder that holds it")
    return folder


@lru_cache(maxsize=1)
def all_clips() -> tuple[Clip, ...]:
    """Every clip of the manifest, in its order."""
    with (shared_folder() / "data" / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return tuple(
            Clip(
                path=row["path"],
                label=row["class"],
                split=row["split"],
                source=row["source_repo"],
                source_path=row["source_path"],
                licence=row["licence"],
                licence_evidence=row["licence_evidence"],
                sha256=row["sha256"],
                seconds=float(row["duration_s"]),
            )
            for row in csv.DictReader(file)
        )


def training_clips() -> list[Clip]:
    """The clips that may train: split ``train`` without ESC-10 fold 5."""
    return [clip for clip in all_clips() if clip.split == "train" and not clip.held_out]


def measuring_clips() -> list[Clip]:
    """The clips that only measure: split ``eval`` and ESC-10 fold 5."""
    return [clip for clip in all_clips() if clip.split == "eval" or clip.held_out]


def read_clip(clip: Clip) -> npt.NDArray[np.float32]:
    """The clip's samples: float32 (n,) in -1..1 at 16 kHz, mono."""
    samples, rate = soundfile.read(shared_folder() / "data" / clip.path, dtype="float32", always_2d=True)
    if rate != SAMPLE_RATE:
        raise ValueError(f"{clip.path}: {rate} samples per second, wanted {SAMPLE_RATE}")
    return np.ascontiguousarray(samples.mean(axis=1))


def source_list(chosen: Iterable[int], clips: list[Clip]) -> list[dict[str, Any]]:
    """One entry for each source and licence of what a bank keeps; made noise (-1), which is nobody's, has none."""
    counts = Counter(int(number) for number in chosen if number >= 0)
    entries: dict[tuple[str, str], dict[str, Any]] = {}
    for number, count in sorted(counts.items()):
        clip = clips[number]
        entry = entries.setdefault(
            (clip.source, clip.licence),
            {"source": clip.source, "licence": clip.licence, "as_stated_in": [], "clips": 0, "embeddings": 0},
        )
        entry["clips"] += 1
        entry["embeddings"] += count
        if clip.licence_evidence not in entry["as_stated_in"]:
            entry["as_stated_in"].append(clip.licence_evidence)
    return [entry for _, entry in sorted(entries.items())]


def write_sources(path: Path, clips: list[Clip]) -> None:
    """Record which clips trained the model: path and digest, one line each."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["path", "sha256"])
        writer.writerows(sorted((clip.path, clip.sha256) for clip in clips))


def digest(path: Path) -> str:
    """The file's sha256 in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def esc10_fold(clip: Clip) -> int:
    """The ESC-10 fold (1 to 5) of a clip of that set."""
    found = re.search(r"karolpiczak-ESC-10__(\d)-", clip.path)
    if not found:
        raise ValueError(f"{clip.path}: not a clip of ESC-10")
    return int(found.group(1))
