"""A model's lessons: what it was taught, and each step that changes it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.control.commanded import load_commanded
from edge.control.current import serving_of
from edge.decision.resolve import resolve
from edge.decision.targets import Target
from edge.errors import SettingsError
from edge.model.classifier import Split
from edge.model.manifest import Manifest
from edge.model.manifest_file import load_manifest
from edge.model.taught import Taught
from edge.model.taught_file import changing_taught, load_taught, save_taught
from edge.settings import Settings

SOUND_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Lessons:
    """What the model in `folder` was taught; `manifest` is its own, without that."""

    def __init__(self, name: str, folder: Path, state_dir: Path) -> None:
        """Raises ModelError for a model that cannot be taught, and where what was taught does not fit it."""
        self.name = name
        self.folder = folder
        self.state_dir = state_dir
        self.manifest = load_manifest(folder)
        Taught.nothing(self.manifest)
        self.taught = load_taught(state_dir, self.manifest)

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Read again what was taught, and let nobody else change it until the block ends: fit and save
        inside.

        Raises ModelError where another writer is at work for minutes, and where what was taught does not fit
        the model.
        """
        with changing_taught(self.state_dir):
            self.taught = load_taught(self.state_dir, self.manifest)
            yield

    def remove(self, name: str) -> None:
        """Forget a sound, or all feedback on a target. Raises SettingsError where there is neither."""
        with self.changing():
            known = [*self.taught.names, *(one.target for one in self.taught.judgements)]
            known = list(dict.fromkeys((*known, *self.taught.corrections, *self.taught.look_corrections)))
            if name not in known:
                raise SettingsError("--remove", found=repr(name),
                                    wanted=f"one of {', '.join(known)}" if known else "a taught sound")
            self.save(self.taught.without(name, f"removed {name}"))

    def save(self, taught: Taught) -> None:
        """Write the next step, inside `changing`. Raises ModelError where the disk fails."""
        save_taught(self.state_dir, taught)
        self.taught = taught


def check_name(name: str, manifest: Manifest, looked: Collection[str] = ()) -> None:
    """Raise SettingsError for a name that cannot be in a topic, or that is a label or target of the model's own.

    looked: targets of the look network, to which a sound may be added.
    """
    if not SOUND_NAME.fullmatch(name):
        raise SettingsError("NAME", found=repr(name), wanted="letters, digits, '-' and '_', 64 at most")
    if name not in looked and (name in manifest.labels or name in (target.name for target in manifest.targets)):
        raise SettingsError("NAME", found=f"{name}, a label or target of {manifest.name}", wanted="another name")


def as_served(settings: Settings, state_dir: Path) -> tuple[Split, tuple[Target, ...]]:
    """The model with all its rows, and the settings' sounds as the appliance has them: calibrated, corrected
    by feedback, at thresholds that were commanded.

    The model must be one that can be taught. Raises ModelError and SettingsError as a start does.
    """
    serving = serving_of(settings, state_dir, every_label=True)
    model, calibrations = serving.model, serving.calibrations
    assert isinstance(model, Split)
    commanded = load_commanded(state_dir, settings.commandable).of(model.manifest.name)
    return model, resolve(serving.asked, model.labels, calibrations=calibrations.serving,
                          corrections=calibrations.corrections, thresholds=commanded).sounds
