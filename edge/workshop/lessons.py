"""A model's lessons: what it was taught, and each step that changes it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from edge.errors import SettingsError
from edge.learn.embedding import Embedder
from edge.learn.lesson import HEARD
from edge.learn.teach import Gathered
from edge.model.classifier import Model, Split
from edge.model.head import logistic
from edge.model.manifest import Manifest
from edge.model.manifest_file import load_manifest
from edge.model.taught import Taught, TaughtSound
from edge.model.taught_file import load_taught, save_taught

SOUND_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Lessons:
    """What the model in `folder` was taught; `manifest` is its own, without that."""

    def __init__(self, name: str, folder: Path, state_dir: Path) -> None:
        """Raises ModelError for a model that cannot be taught, and where what was taught does not fit it."""
        self.name, self.folder, self.state_dir = name, folder, state_dir
        self.manifest = load_manifest(folder)
        Taught.nothing(self.manifest)
        self.taught = load_taught(state_dir, self.manifest)

    def keep(self, sound: TaughtSound) -> None:
        """Put a sound in, or in the place of the one that had its name. Raises ModelError where the disk fails."""
        verb = "taught" if self.taught.sound(sound.name) is None else "taught again"
        self.save(self.taught.with_sound(sound, f"{verb} {sound.name}"))

    def remove(self, name: str) -> None:
        """Forget a sound. Raises SettingsError for one that was not taught."""
        if self.taught.sound(name) is None:
            names = ", ".join(sound.name for sound in self.taught.sounds)
            raise SettingsError("--remove", found=repr(name), wanted=f"one of {names}" if names else "a taught sound")
        self.save(self.taught.without(name, f"removed {name}"))

    def save(self, taught: Taught) -> None:
        """Write the next step. Raises ModelError where the disk fails."""
        save_taught(self.state_dir, taught)
        self.taught = taught


def check_name(name: str, manifest: Manifest) -> None:
    """Raise SettingsError for a name that cannot be in a topic, or that is a label or target of the model's own."""
    if not SOUND_NAME.fullmatch(name):
        raise SettingsError("NAME", found=repr(name), wanted="letters, digits, '-' and '_', 64 at most")
    if name in manifest.labels or name in (target.name for target in manifest.targets):
        raise SettingsError("NAME", found=f"{name}, a label or target of {manifest.name}", wanted="another name")


def hears(model: Model, embedder: Embedder, gathered: Gathered, *, without: str) -> list[str]:
    """Targets of the model that hear at least half of the recordings already, all but the one called `without`."""
    if not isinstance(model, Split):
        return []
    heard = gathered.kind == HEARD
    embeddings = embedder.embeddings(gathered.cells[heard])
    scores = logistic(embeddings @ model.head.weights.T + model.head.bias)
    clips = gathered.clip[heard]
    found = []
    for target in model.targets:
        rows = [model.labels.index(label) for label in target.labels if label in model.labels]
        over = np.unique(clips[scores[:, rows].max(axis=1) >= target.threshold])
        if target.name != without and rows and 2 * len(over) >= len(np.unique(clips)):
            found.append(target.name)
    return found
