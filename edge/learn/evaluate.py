"""A model measured on labelled clips: the score of a clip is its highest patch. Pure: scores in, figures out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.errors import SourceError
from edge.learn.alarms import Alarms
from edge.learn.classes import SoundClass
from edge.learn.confusion import Confusion, count_confusion
from edge.learn.figures import area_under_curve, wilson_interval
from edge.learn.labelled_clips import Clip


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """What was measured for one class. A clip is taken for the class that scored highest of all.

    precision: share of the clips taken for it that are of it, clips of no class counted too; recall: share of its clips that
    are taken for it; each with its 95 % interval, NaN with (0, 1) for no clips. f1: their harmonic mean. alarms: at the
    threshold of its target; None for a class without one.
    """

    name: str
    clips: int
    negatives: int
    area_under_curve: float
    precision: float
    precision_interval: tuple[float, float]
    recall: float
    recall_interval: tuple[float, float]
    f1: float
    alarms: Alarms | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured: accuracy over the clips of all classes that the model has labels for, with its 95 % interval."""

    clips: int
    classified: int
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    classes: tuple[ClassFigures, ...]
    confusion: Confusion


def measurable(clips: Sequence[Clip], labels: Sequence[str], classes: Iterable[SoundClass]) -> list[SoundClass]:
    """The classes that a model of these labels can be measured on. Raises SourceError where no clip is of any."""
    used = [entry for entry in classes if set(entry.labels) & set(labels)]
    wanted = sorted({name for entry in used for name in entry.clips})
    if not {clip.name for clip in clips} & set(wanted):
        raise SourceError("clips", found="none of a class that the model has labels for",
                          wanted=f"a clip of {', '.join(wanted) or 'such a class (--classes names the labels)'}")
    return used


def _heard_by(entry: SoundClass, labels: Sequence[str]) -> list[str]:
    own = [label for label in entry.labels if label in labels]
    return [entry.name] if entry.name in own else own


def measure(clips: Sequence[Clip], scores: NDArray[np.float32], labels: Sequence[str],
            classes: Iterable[SoundClass], *, alarms: Mapping[str, Alarms] | None = None) -> Figures:
    """Accuracy, confusion matrix, and for each class area under the ROC curve, precision, recall and F1.

    scores: float32 `(clips, labels)`, each clip's highest patch. A class's score is the label's of its own name where the
    model has one (rows of our own for a published file), else the highest of its labels'. alarms: by class.
    Raises SourceError where there is nothing to measure.
    """
    used = measurable(clips, labels, classes)
    column = {label: number for number, label in enumerate(labels)}
    names = np.array([clip.name for clip in clips])
    by_class = np.stack([scores[:, [column[label] for label in _heard_by(entry, labels)]].max(axis=1) for entry in used],
                        axis=1)
    truth = np.stack([np.isin(names, entry.clips) for entry in used], axis=1)
    top = by_class.argmax(axis=1)
    inside = int(truth.any(axis=1).sum())
    right = int(truth[np.arange(len(clips)), top].sum())
    rows = []
    for number, entry in enumerate(used):
        own, taken = truth[:, number], top == number
        counted = own | ~np.isin(names, entry.beside)
        both = int((own & taken).sum())
        rows.append(ClassFigures(
            entry.name, int(own.sum()), int((counted & ~own).sum()),
            area_under_curve(by_class[counted, number], own[counted]),
            *_share(both, int((taken & counted).sum())), *_share(both, int(own.sum())),
            2.0 * both / max(int((taken & counted).sum() + own.sum()), 1), (alarms or {}).get(entry.name)))
    return Figures(len(clips), inside, right / inside, *wilson_interval(right, inside),
                   tuple(row for row in rows if row.clips), count_confusion([entry.name for entry in used], truth, top))


def _share(part: int, whole: int) -> tuple[float, tuple[float, float]]:
    return (part / whole if whole else float("nan")), wilson_interval(part, whole)
