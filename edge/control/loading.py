"""Models and calibrations by name, as run, check and the workshop take them: the model's own, with what it was taught."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.control.calibrations import Calibrations, calibrations_for
from edge.decision.resolve import ask
from edge.errors import ModelError, SettingsError
from edge.features.logmel import FRONT_END_VERSION
from edge.model.classifier import Model, open_model
from edge.model.manifest import Manifest
from edge.model.manifest_file import load_manifest
from edge.model.store import ModelStore
from edge.model.taught import Taught
from edge.model.taught_file import load_taught
from edge.settings import ModelSettings, Settings

log = logging.getLogger("edge")


def default_state_dir() -> Path:
    """Where models live: EDGE_AUDIO_STATE, else /var/lib/edge-audio for root, else the user's own state folder."""
    if named := os.environ.get("EDGE_AUDIO_STATE"):
        return Path(named)
    if os.geteuid() == 0:
        return Path("/var/lib/edge-audio")
    if xdg := os.environ.get("XDG_STATE_HOME"):
        return Path(xdg) / "edge-audio"
    try:
        return Path.home() / ".local" / "state" / "edge-audio"
    except RuntimeError as error:
        raise SettingsError("state directory", found="no home folder", wanted="--state-dir or EDGE_AUDIO_STATE") from error


def model_folder(name: str | Path, state_dir: Path) -> Path:
    """The directory of an embedded or installed model, or the path itself where one is given (a Path, or with a slash).

    Raises ModelError for a name that is not known.
    """
    if isinstance(name, Path) or os.sep in name:
        return Path(name)
    return ModelStore(state_dir).find(name)


@dataclass(frozen=True, slots=True)
class NamedModel:
    """A model that was found by its name and is not open yet.

    name: as the settings have it. folder: where it lies. manifest: as it came. taught: what its owner taught it; None for
    one that cannot be taught, or that is named by its path.
    """

    name: str | Path
    folder: Path
    manifest: Manifest
    taught: Taught | None

    @property
    def extended(self) -> Manifest:
        """The manifest, with the labels and targets that were taught."""
        return self.manifest if self.taught is None else self.taught.extend(self.manifest)

    def open(self, *, runtime: str = "auto", threads: int = 1, delegate: str = "",
             rows: Sequence[str] | None = None) -> Model:
        """Open it. rows: labels to score; None: all. Raises ModelError where it is not what its manifest says."""
        front_end = self.manifest.front_end
        if front_end is not None and front_end.version != FRONT_END_VERSION:
            raise ModelError(f"model {self.name} front_end version", found=str(front_end.version),
                             wanted=str(FRONT_END_VERSION))
        return open_model(self.folder, runtime=runtime, threads=threads, delegate=delegate, rows=rows, taught=self.taught,
                          manifest=self.manifest)


def find_model(name: str | Path, state_dir: Path) -> NamedModel:
    """Find a model, and read its manifest and what it was taught. Raises ModelError."""
    folder = model_folder(name, state_dir)
    manifest = load_manifest(folder)
    by_path = isinstance(name, Path) or os.sep in name
    taught = None if by_path or manifest.kind != "split" else load_taught(state_dir, manifest)
    return NamedModel(name, folder, manifest, taught)


def load_model(name: str | Path = "starter", *, state_dir: Path | None = None, runtime: str = "auto", threads: int = 1,
               delegate: str = "", rows: Sequence[str] | None = None) -> Model:
    """Open an embedded or installed model by name, with the sounds that it was taught, or one by the path of its directory.

    rows: labels to score; None: all. Raises ModelError where it is not there or is not what its manifest says.
    """
    return find_model(name, state_dir or default_state_dir()).open(runtime=runtime, threads=threads, delegate=delegate,
                                                                   rows=rows)


def load_model_for(settings: ModelSettings, state_dir: Path) -> Model:
    """The model that the settings name, with all its rows. Raises ModelError."""
    return load_model(settings.name, state_dir=state_dir, runtime=settings.runtime, threads=settings.threads,
                      delegate=settings.delegate)


def taught_to(name: str | Path, state_dir: Path) -> Taught | None:
    """What a model was taught; None for one that cannot be taught, or that is named by its path. Raises ModelError."""
    return find_model(name, state_dir).taught


def find_calibrations(model: Model, settings: Settings, state_dir: Path) -> Calibrations:
    """The calibrations of the settings' targets that fit `model`, which the settings name, and what does not."""
    named = find_model(settings.model.name, state_dir)
    return calibrations_for(model, ask(settings.target, model.labels, model.targets), directory=named.folder,
                            state_dir=state_dir, taught=named.taught)


def load_calibrations(model: Model, settings: Settings, state_dir: Path) -> Calibrations:
    """What `find_calibrations` finds; what does not fit is logged."""
    return logged(find_calibrations(model, settings, state_dir))


def logged(calibrations: Calibrations) -> Calibrations:
    """The same, when the log has been told what does not fit."""
    for problem in calibrations.problems:
        log.warning("%s", problem)
    return calibrations
