"""Recordings of one sound that sound alike, as those of one recording session do. Pure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge.learn.regression import Floats

ALIKE = 0.8
"""Cosine from which two recordings are of one group. Each is the mean of its embeddings, less the mean of the bank's:
of two recordings of one session it is 0.92 at the median, of two sources 0.69 (starter; models/README.md)."""


def groups(embeddings: Floats, clip: NDArray[np.intp], others: Floats, alike: float = ALIKE) -> NDArray[np.intp]:
    """int `(clips,)`: a group for each recording, numbered from 0 in the order of the recordings.

    embeddings: float32 `(m, E)` of the sound as it was recorded, at least one of each recording; clip: int
    `(m,)`, which recording; others: float32 `(n, E)` of other sounds. Recordings are of one group where a
    chain of recordings, each alike to the next, joins them: their cosine is `alike` or more.
    """
    near = cosines(embeddings, clip, others) >= alike
    found = np.full(len(near), -1, np.intp)
    for number in range(len(near)):
        reached = [number] if found[number] < 0 else []
        group = int(found.max()) + 1
        while reached:
            found[reached] = group
            reached = [int(place) for place in np.flatnonzero(near[reached].any(axis=0) & (found < 0))]
    return found


def cosines(embeddings: Floats, clip: NDArray[np.intp], others: Floats) -> Floats:
    """float32 `(clips, clips)`: how alike each two recordings are, -1 to 1. Arguments as those of `groups`."""
    middle = others.mean(axis=0)
    own = np.stack([embeddings[clip == number].mean(axis=0) - middle for number in range(int(clip.max()) + 1)])
    own /= np.maximum(np.linalg.norm(own, axis=1, keepdims=True), 1e-9)
    return np.asarray(own @ own.T, np.float32)
