"""Linear probes: what a plain logistic regression makes of the embeddings, beside YAMNet's.

ESC-10: folds 1 to 4 train the probe. Fold 5, which the student never heard, tests it. DCASE 2016 task 2
(Stevens05/SASED in eval/, never heard either): of the 20 clips of each class 15 train the probe and 5 test
it. The 15 are once the first by name, and then, as 55 clips are few, SPLITS draws by a seed. A clip is named
by the mean of its patches' embeddings; or each patch is named, and the mean of their log probabilities
decides. The strength of the ridge is chosen each time among the clips that train the probe.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from bands import patches_of
from clips import ESC10_SOURCE, Clip, all_clips, esc10_fold, read_clip
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from tqdm import tqdm

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]
Embed = Callable[[npt.NDArray[np.int8]], Floats]
DCASE_SOURCE = "Stevens05/SASED"
DCASE_TRAINING = 15
SPLITS = 10
HOP_SECONDS = 0.48
STRENGTHS = (0.001, 0.01, 0.1, 1.0)  # scikit-learn's C, the strongest regularisation first
INNER_FOLDS = 4
WAYS = ("", ", patch by patch")


@dataclass(frozen=True)
class Probe:
    """One result: of so many clips, how many were named right in each split."""

    name: str
    right: tuple[int, ...]
    clips: int

    @property
    def share(self) -> float:
        """The share of clips named right, the mean over the splits."""
        return sum(self.right) / (len(self.right) * self.clips)


@dataclass(frozen=True)
class Heard:
    """Clips as the probe sees them: each clip's values, float32 (k, e), and its label."""

    values: Sequence[Floats]
    labels: npt.NDArray[np.str_]

    @classmethod
    def of(cls, name: str, embed: Embed, clips: Sequence[Clip]) -> tuple[Heard, Heard]:
        """Embed the clips' patches that are not silence: as one mean each (k is 1), and patch by patch."""
        found = [sounding(embed, clip) for clip in tqdm(clips, desc=name, unit="clip")]
        labels = np.array([clip.label for clip in clips])
        return cls([values.mean(0, keepdims=True) for values in found], labels), cls(found, labels)

    def right(self, learning: Numbers, testing: Numbers, inner: Numbers) -> int:
        """Of the testing clips, how many are named right by a probe fitted on the learning clips, all by their numbers.

        ``inner`` gives a fold for each learning clip; they choose the regularisation, the strongest of equals.
        """
        named = [
            sum(self._named(learning[inner != fold], learning[inner == fold], strength) for fold in np.unique(inner))
            for strength in STRENGTHS
        ]
        return self._named(learning, testing, STRENGTHS[int(np.argmax(named))])

    def _named(self, learning: Numbers, testing: Numbers, strength: float) -> int:
        """Fit on every patch; a clip is named by the mean of its patches' log probabilities."""
        inputs = np.concatenate([self.values[number] for number in learning])
        answers = np.concatenate([np.repeat(self.labels[number], len(self.values[number])) for number in learning])
        scaler = StandardScaler().fit(inputs)
        fitted = LogisticRegression(C=strength, max_iter=300).fit(scaler.transform(inputs), answers)
        told = [fitted.predict_log_proba(scaler.transform(self.values[number])).mean(0) for number in testing]
        return int((fitted.classes_[np.argmax(told, axis=1)] == self.labels[testing]).sum())


def sounding(embed: Embed, clip: Clip) -> Floats:
    """Embeddings of the clip's patches that are not silence (all, where none is louder): float32 (k, e)."""
    patches = patches_of(read_clip(clip), HOP_SECONDS)
    loud = patches.reshape(len(patches), -1).max(1)
    return embed(patches[loud >= loud.max() - 40])


def esc10(embed: Embed) -> list[Probe]:
    """ESC-10 fold 5, clip by clip and patch by patch; folds 1 to 4 choose the regularisation."""
    clips = [clip for clip in all_clips() if clip.source == ESC10_SOURCE]
    folds = np.array([esc10_fold(clip) for clip in clips])
    learning, testing = np.flatnonzero(folds != 5), np.flatnonzero(folds == 5)
    return [
        Probe(f"ESC-10 fold 5{way}", (heard.right(learning, testing, folds[learning]),), len(testing))
        for way, heard in zip(WAYS, Heard.of("ESC-10", embed, clips), strict=True)
    ]


def dcase(embed: Embed) -> list[Probe]:
    """DCASE 2016 task 2's isolated sounds, clip by clip and patch by patch: the last 5 of each class; SPLITS draws of 5."""
    clips = sorted((clip for clip in all_clips() if clip.source == DCASE_SOURCE), key=lambda clip: clip.path)
    names = np.array([clip.label for clip in clips])
    classes = [np.flatnonzero(names == name) for name in np.unique(names)]
    draws = [
        [np.random.default_rng((seed, number)).permutation(order) for number, order in enumerate(classes)]
        for seed in range(SPLITS)
    ]
    tested = len(clips) - DCASE_TRAINING * len(classes)
    probes = []
    for way, heard in zip(WAYS, Heard.of("DCASE 2016 task 2", embed, clips), strict=True):
        right = [_right_of(heard, orders) for orders in (classes, *draws)]
        probes.append(Probe(f"DCASE 2016 task 2, the last 5 of each class{way}", tuple(right[:1]), tested))
        probes.append(Probe(f"DCASE 2016 task 2, {SPLITS} draws of 5 of each class{way}", tuple(right[1:]), tested))
    return probes


def _right_of(heard: Heard, orders: Sequence[Numbers]) -> int:
    """The first DCASE_TRAINING clips of each class train the probe, the others test it."""
    learning = np.concatenate([order[:DCASE_TRAINING] for order in orders])
    testing = np.concatenate([order[DCASE_TRAINING:] for order in orders])
    return heard.right(learning, testing, np.arange(len(learning)) % INNER_FOLDS)
