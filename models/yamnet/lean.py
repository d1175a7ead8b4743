"""The rows that are fitted for YAMNet, and which of its own rows each may lean on.

YAMNet's rows learnt from thousands of recordings of each sound, ours from a few dozen. So ours are fitted as shares of
YAMNet's own rows (cheap for those of the sound itself, dearer for those of sounds that it is mistaken for) and a row of
our own over the embedding (dearest). Only shares, our row and a bias are written down: what the owner installs brings
the rest.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import published  # noqa: F401  makes the starter's scripts importable
from labels import LABELS, Label

from edge.workshop.models.known import KNOWN, YAMNET_SHA256

Floats = npt.NDArray[np.float32]

# Ridges, chosen out of fold on training sources (compare.py prints what each choice gave).
NEAR, BESIDE, OWN = 1e-3, 1e-2, 1.0

TARGETS = {target.name: target for target in KNOWN[YAMNET_SHA256].targets}
TRIED: tuple[Label, ...] = tuple(label for label in LABELS if label.name in TARGETS)

# Short sounds of hands: each may lean on the rows of all three, which tell them apart.
HANDS = ("hand_clap", "finger_snap", "typing")
LIKE_THEM = (
    "Knock",
    "Tap",
    "Slap, smack",
    "Whack, thwack",
    "Smash, crash",
    "Door",
    "Slam",
    "Thump, thud",
    "Thunk",
    "Clatter",
    "Tick",
    "Clicking",
    "Speech",
    "Music",
    "Silence",
    "Drum",
    "Snare drum",
    "Wood",
    "Walk, footsteps",
    "Mouse",
    "Cough",
    "Sneeze",
    "Crack",
    "Burst, pop",
    "Gunshot, gunfire",
    "Firecracker",
    "Breaking",
    "Glass",
    "Basketball bounce",
    "Inside, small room",
    "Inside, large room or hall",
    "Noise",
    "Cheering",
    "Crowd",
    "Children playing",
)


def near(name: str) -> tuple[str, ...]:
    """YAMNet's labels of the sound itself."""
    names = HANDS if name in HANDS else (name,)
    return tuple(dict.fromkeys(label for each in names for label in TARGETS[each].labels))


def leaning(labels: tuple[Label, ...]) -> tuple[str, ...]:
    """YAMNet's labels that any of these rows may lean on, in one order for all."""
    return tuple(dict.fromkeys([*(own for label in labels for own in near(label.name)), *LIKE_THEM]))


def ridges(labels: tuple[Label, ...], embedding: int) -> Floats:
    """What each feature of each label costs: float32 (labels, leaning + embedding)."""
    names = leaning(labels)
    found = np.full((len(labels), len(names) + embedding), OWN, np.float32)
    found[:, : len(names)] = BESIDE
    for number, label in enumerate(labels):
        found[number, [names.index(own) for own in near(label.name)]] = NEAR
    return found
