"""What is taken for what: the confusion matrix. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

OTHER = "other"
"""The row of clips of no class: each is taken for one all the same."""


@dataclass(frozen=True, slots=True)
class Confusion:
    """counts int `(rows, columns)`: clips of a row's class that a column's class scored highest for.

    rows: the classes with clips, then OTHER where there are such clips. columns: the classes with clips in the same order,
    then those that a clip was taken for without there being any of them.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: NDArray[np.intp]


def count_confusion(names: Sequence[str], truth: NDArray[np.bool_], top: NDArray[np.intp]) -> Confusion:
    """names: the k classes; truth: bool `(clips, k)`, which a clip is of (the first counts); top: int `(clips,)`, which it
    was taken for."""
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
