"""YAMNet as the critic: does a clean single sound sound like hands? And as the teacher of what a sound is.

YAMNet's file is read, never written: what it says of our own sounds chooses and teaches, nothing of it ships.
"""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from bands import PATCH_SAMPLES, patch_of
from clips import shared_folder
from teacher import Teacher

Floats = npt.NDArray[np.float32]
PUBLISHED = "models/yamnet_classification.tflite"
ONSET_AT = 4_800
"""Samples of a patch before the onset that the critic hears."""


def published() -> Path:
    """The file as published."""
    return shared_folder() / PUBLISHED


class Critic:
    """Embeddings and scores of clean sounds."""

    def __init__(self) -> None:
        self.teacher = Teacher(published())
        with zipfile.ZipFile(published()) as file:
            self.labels = file.read("yamnet_label_list.txt").decode().splitlines()

    def embedding(self, sound: Floats, onset: int) -> Floats:
        """float32 `(1024,)` of the patch in which the sound's onset lies ONSET_AT samples in."""
        patch = np.zeros(PATCH_SAMPLES, np.float32)
        start = ONSET_AT - onset
        source = sound[max(-start, 0): PATCH_SAMPLES - start]
        patch[max(start, 0): max(start, 0) + len(source)] = source
        return self.teacher.embeddings(patch_of(patch)[None])[0]

    def scores(self, embeddings: Floats, names: Sequence[str]) -> Floats:
        """Scores float32 `(n, k)` of k of YAMNet's labels, for embeddings `(n, 1024)`."""
        rows = [self.labels.index(name) for name in names]
        logits = embeddings @ self.teacher.class_weights[rows].T + self.teacher.class_bias[rows]
        return np.asarray(1.0 / (1.0 + np.exp(-logits)), np.float32)
