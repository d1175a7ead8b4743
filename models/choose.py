"""Which of many embeddings to keep: those that differ, and what each kept one stands for."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.intp]


def alike(embeddings: Floats) -> Floats:
    """Float32 (n, e) to (n, e): each value over its deviation, each row of length 1, so that distances compare."""
    spread = embeddings.std(0) + 0.1 * embeddings.std()
    scaled = (embeddings - embeddings.mean(0)) / spread
    return (scaled / np.maximum(np.linalg.norm(scaled, axis=1, keepdims=True), 1e-6)).astype(np.float32)


def farthest_first(points: Floats, kept: Numbers, count: int) -> Numbers:
    """Numbers of `count` rows: those of `kept`, then again and again the row farthest from all so far.

    ``points`` float32 (n, e) of length 1 (Gonzalez 1985, on cosine distance). Stops early where all that is left is the
    same as something kept.
    """
    chosen = list(dict.fromkeys(int(number) for number in kept))[:count]
    nearness = np.full(len(points), -np.inf, np.float32)
    for number in chosen:
        np.maximum(nearness, points @ points[number], out=nearness)
    while len(chosen) < min(count, len(points)):
        number = int(nearness.argmin())
        if nearness[number] > 1.0 - 1e-5:
            break
        chosen.append(number)
        np.maximum(nearness, points @ points[number], out=nearness)
    return np.array(chosen, np.intp)


def stands_for(points: Floats, shelf: Numbers, seconds: Floats, chosen: Numbers) -> Floats:
    """What each chosen row stands for: its own seconds, and those of the rows of its shelf that are nearest to it.

    ``shelf`` (n,) numbers rows that may stand for each other; each shelf with seconds must have a chosen row.
    Gives float32 (len(chosen),), which sums to all of `seconds`.
    """
    found = np.zeros(len(chosen), np.float64)
    for one in np.unique(shelf[seconds > 0]):
        members = np.flatnonzero((shelf == one) & (seconds > 0))
        places = np.flatnonzero((shelf[chosen] == one) & (seconds[chosen] > 0))
        nearest = places[(points[members] @ points[chosen[places]].T).argmax(1)]
        np.add.at(found, nearest, seconds[members])
    return found.astype(np.float32)
