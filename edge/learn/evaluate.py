"""A model measured on labelled clips: figures for each class, and what is taken for what. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.errors import SourceError
from edge.learn.alarms import Alarms
from edge.learn.classes import SoundClass
from edge.learn.figures import area_under_curve, wilson_interval
from edge.learn.labelled_clips import Clip

OTHER = "other"
"""In the confusion matrix the row of clips of no class: each is taken for a class all the same."""


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """What was measured for one class. A clip is taken for the class that scores highest in it.

    precision: of the clips taken for the class the share that is of it; clips of no class count as mistakes.
    recall: of the clips of the class the share that is taken for it. Both with their 95 % intervals; NaN with
    (0, 1) where there is no such clip. f1: the harmonic mean of the two. alarms: at the threshold of the
    class's target; None for a class without target.
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
class Confusion:
    """What is taken for what: counts int `(rows, columns)`, clips of a row's class taken for a column's.

    rows: the classes with clips, then OTHER if there are clips of no class. columns: the classes with clips
    in the same order, then those without any that a clip was taken for.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Figures:
    """All that was measured. accuracy: over the `classified` clips, those of a class; with 95 % interval."""

    clips: int
    classified: int
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    classes: tuple[ClassFigures, ...]
    confusion: Confusion


def measurable(clips: Sequence[Clip], labels: Sequence[str], classes: Iterable[SoundClass]) -> list[SoundClass]:
    """The classes that a model of these labels has. Raises SourceError where no clip is of any of them."""
    used = [entry for entry in classes if set(entry.labels) & set(labels)]
    wanted = sorted({name for entry in used for name in entry.clips})
    if not {clip.name for clip in clips} & set(wanted):
        raise SourceError("clips", found="none of a class that the model has labels for",
                          wanted=f"a clip of {', '.join(wanted) or 'such a class (--classes names the labels)'}")
    return used


def measure(clips: Sequence[Clip], scores: NDArray[np.float32], labels: Sequence[str],
            classes: Iterable[SoundClass], *, alarms: Mapping[str, Alarms] | None = None) -> Figures:
    """Accuracy, confusion matrix, and for each class area under the ROC curve, precision, recall and F1.

    scores: float32 `(clips, labels)`, the highest that any patch of a clip has. A class's score is that of
    the label with the class's own name, where the model has such a label, and else the highest of the class's
    labels. alarms: by class. Raises SourceError where there is nothing to measure.
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


def _heard_by(entry: SoundClass, labels: Sequence[str]) -> list[str]:
    """The labels of a model whose highest score is the class's."""
    return [entry.name] if entry.name in labels and entry.name in entry.labels else [
        label for label in entry.labels if label in labels]


def _share(part: int, whole: int) -> tuple[float, tuple[float, float]]:
    return (part / whole if whole else float("nan")), wilson_interval(part, whole)


def count_confusion(names: Sequence[str], truth: NDArray[np.bool_], top: NDArray[np.intp]) -> Confusion:
    """Count what was taken for what.

    names: of the k classes. truth: bool `(clips, k)`, the classes that a clip is of; the first of them
    counts. top: int `(clips,)`, the class that the clip was taken for.
    """
    classes = len(names)
    row = np.where(truth.any(axis=1), truth.argmax(axis=1), classes)
    counts = np.zeros((classes + 1, classes), np.intp)
    np.add.at(counts, (row, top), 1)
    own = counts.sum(axis=1) > 0
    present = np.flatnonzero(own[:classes])
    more = np.flatnonzero(~own[:classes] & (counts.sum(axis=0) > 0))
    rows = np.append(present, classes) if own[classes] else present
    columns = np.concatenate((present, more))
    titles = [*names, OTHER]
    return Confusion(tuple(titles[each] for each in rows), tuple(titles[each] for each in columns),
                     counts[np.ix_(rows, columns)])
