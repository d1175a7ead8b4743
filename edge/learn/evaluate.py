"""A model measured on labelled clips, first cut: the score of a clip is its highest patch. Pure: scores in, figures out."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.errors import SourceError
from edge.learn.figures import area_under_curve, wilson_interval

SUFFIXES = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".au", ".caf", ".w64")


@dataclass(frozen=True, slots=True)
class Clip:
    """One labelled recording."""

    path: Path
    name: str
    """Its class, as the folder or the manifest says."""


@dataclass(frozen=True, slots=True)
class SoundClass:
    """Which clips hold a sound and which labels stand for it (models/classes.toml)."""

    name: str
    clips: tuple[str, ...]
    labels: tuple[str, ...]
    beside: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """What was measured for one class: `recall` counts clips for which it scored highest of all classes."""

    name: str
    clips: int
    negatives: int
    area_under_curve: float
    recall: float


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured: accuracy over the clips of all classes that the model has labels for, with its 95 % interval."""

    clips: int
    classified: int
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    classes: tuple[ClassFigures, ...]


def load_classes(path: Path) -> tuple[SoundClass, ...]:
    """Read the table of sound classes."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    return tuple(SoundClass(name, tuple(entry["clips"]), tuple(entry["labels"]), tuple(entry.get("beside", ())))
                 for name, entry in table.items())


def find_clips(source: Path, *, split: str = "", only: Sequence[str] = ()) -> list[Clip]:
    """Clips of a folder (one sub-folder for each class) or of a manifest (CSV with the columns path and class).

    split: rows of the manifest whose column `split` says this; only: these classes. Raises SourceError for neither.
    """
    if source.is_dir():
        found = [Clip(path, path.parent.name) for path in sorted(source.glob("*/*")) if path.suffix.lower() in SUFFIXES]
    elif source.is_file():
        with source.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            if not {"path", "class"} <= set(reader.fieldnames or ()):
                raise SourceError(str(source), found=f"columns {', '.join(reader.fieldnames or ['none'])}",
                                  wanted="a CSV manifest with the columns path and class")
            found = [Clip(source.parent / row["path"], row["class"]) for row in reader
                     if not split or row.get("split") == split]
    else:
        raise SourceError(str(source), found="no such file or folder", wanted="a folder of classes or a CSV manifest")
    chosen = [clip for clip in found if not only or clip.name in only]
    if not chosen:
        raise SourceError(str(source), found="no clip", wanted="recordings in sub-folders, or rows in a manifest")
    return chosen


def measure(clips: Sequence[Clip], scores: NDArray[np.float32], labels: Sequence[str],
            classes: Iterable[SoundClass]) -> Figures:
    """Accuracy, and for each class the area under the ROC curve and the recall.

    scores: float32 `(clips, labels)`, each clip's highest patch. A class's score is the highest of its labels'.
    """
    used = [entry for entry in classes if set(entry.labels) & set(labels)]
    column = {label: number for number, label in enumerate(labels)}
    names = np.array([clip.name for clip in clips])
    by_class = np.stack([scores[:, [column[label] for label in entry.labels if label in column]].max(axis=1)
                         for entry in used], axis=1) if used else np.zeros((len(clips), 0), np.float32)
    truth = {entry.name: np.isin(names, entry.clips) for entry in used}
    top = by_class.argmax(axis=1) if used else np.zeros(len(clips), int)
    inside = np.any([*truth.values()], axis=0) if used else np.zeros(len(clips), bool)
    right = sum(int((truth[entry.name] & (top == number)).sum()) for number, entry in enumerate(used))
    low, high = wilson_interval(right, int(inside.sum()))
    rows = []
    for number, entry in enumerate(used):
        own = truth[entry.name]
        counted = own | ~np.isin(names, entry.beside)
        rows.append(ClassFigures(
            entry.name, int(own.sum()), int((counted & ~own).sum()),
            area_under_curve(by_class[counted, number], own[counted]),
            float((top[own] == number).mean()) if own.any() else float("nan")))
    return Figures(len(clips), int(inside.sum()), right / max(int(inside.sum()), 1), low, high,
                   tuple(row for row in rows if row.clips))


def as_dict(figures: Figures, about: Mapping[str, object]) -> dict[str, object]:
    """For `--format json`: `about` (model, runtime, hop) first."""
    return {**about, "clips": figures.clips, "classified": figures.classified, "accuracy": round(figures.accuracy, 4),
            "accuracy_interval": [round(figures.accuracy_low, 4), round(figures.accuracy_high, 4)],
            "classes": {row.name: {"clips": row.clips, "negatives": row.negatives,
                                   "area_under_curve": _rounded(row.area_under_curve), "recall": _rounded(row.recall)}
                        for row in figures.classes}}


def _rounded(value: float) -> float | None:
    return None if np.isnan(value) else round(value, 4)
