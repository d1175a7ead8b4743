"""Linear probes: what a plain logistic regression makes of the embeddings, beside YAMNet's. Clips, not patches, are counted.

ESC-10: folds 1 to 4 train the probe, fold 5, which the student never heard, tests it. DCASE 2016 task 2 (Stevens05/SASED,
in eval/, never heard either): of each class's 20 clips 15 train the probe and 5 test it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from bands import patches_of
from clips import ESC10_SOURCE, Clip, all_clips, esc10_fold, read_clip
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from tqdm import tqdm

Floats = npt.NDArray[np.float32]
Embed = Callable[[npt.NDArray[np.int8]], Floats]
DCASE_SOURCE = "Stevens05/SASED"
DCASE_TRAINING = 15
HOP_SECONDS = 0.48


@dataclass(frozen=True)
class Probe:
    """One result: clips named right, of how many."""

    name: str
    right: int
    clips: int


def probe(name: str, embed: Embed, learning: list[Clip], testing: list[Clip]) -> Probe:
    """Fit on every patch of the learning clips; a testing clip is named by the mean of its patches' log probabilities."""
    inputs, answers = [], []
    for clip in tqdm(learning, desc=name, unit="clip"):
        found = sounding(embed, clip)
        inputs.append(found)
        answers += [clip.label] * len(found)
    scaler = StandardScaler().fit(np.concatenate(inputs))
    fitted = LogisticRegression(C=0.01, max_iter=300).fit(scaler.transform(np.concatenate(inputs)), answers)
    named = [
        fitted.classes_[fitted.predict_log_proba(scaler.transform(sounding(embed, clip))).mean(0).argmax()]
        for clip in testing
    ]
    return Probe(name, sum(guess == clip.label for guess, clip in zip(named, testing, strict=True)), len(testing))


def sounding(embed: Embed, clip: Clip) -> Floats:
    """Embeddings of the clip's patches that are not silence (all, where none is louder): float32 (k, e)."""
    patches = patches_of(read_clip(clip), HOP_SECONDS)
    loud = patches.reshape(len(patches), -1).max(1)
    return embed(patches[loud >= loud.max() - 40])


def esc10(embed: Embed) -> Probe:
    """ESC-10 fold 5."""
    clips = [clip for clip in all_clips() if clip.source == ESC10_SOURCE]
    learning = [clip for clip in clips if esc10_fold(clip) != 5]
    return probe("ESC-10 fold 5", embed, learning, [clip for clip in clips if esc10_fold(clip) == 5])


def dcase(embed: Embed) -> Probe:
    """DCASE 2016 task 2's isolated sounds."""
    seen: Counter[str] = Counter()
    learning, testing = [], []
    for clip in sorted((clip for clip in all_clips() if clip.source == DCASE_SOURCE), key=lambda clip: clip.path):
        (learning if seen[clip.label] < DCASE_TRAINING else testing).append(clip)
        seen[clip.label] += 1
    return probe("DCASE 2016 task 2", embed, learning, testing)
