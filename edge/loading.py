"""Models and calibrations by name, as run, check and the workshop take them: the model's own, with what it was taught."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path

from edge.calibrated import Calibrations, calibrations_for
from edge.decision.resolve import resolve_targets
from edge.errors import ModelError, SettingsError
from edge.features.logmel import FRONT_END_VERSION
from edge.model.classifier import Model, open_model
from edge.model.manifest_file import load_manifest
from edge.model.store import ModelStore
from edge.model.taught import Taught
from edge.model.taught_file import load_taught
from edge.settings import ModelSettings, Settings, TargetSettings

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


def load_model(name: str | Path = "starter", *, state_dir: Path | None = None, runtime: str = "auto", threads: int = 1,
               delegate: str = "", rows: Sequence[str] | None = None) -> Model:
    """Open an embedded or installed model by name, with the sounds that it was taught, or one by the path of its directory.

    rows: labels to score; None: all. Raises ModelError where it is not there or is not what its manifest says.
    """
    state = state_dir or default_state_dir()
    return _open(model_folder(name, state), name, taught_to(name, state), runtime, threads, delegate, rows)


def _open(folder: Path, name: str | Path, taught: Taught | None, runtime: str, threads: int, delegate: str,
          rows: Sequence[str] | None) -> Model:
    model = open_model(folder, runtime=runtime, threads=threads, delegate=delegate, rows=rows, taught=taught)
    front_end = model.manifest.front_end
    if model.wants == "bands" and front_end is not None and front_end.version != FRONT_END_VERSION:
        raise ModelError(f"model {name} front_end version", found=str(front_end.version), wanted=str(FRONT_END_VERSION))
    return model


def taught_to(name: str | Path, state_dir: Path) -> Taught | None:
    """What a model was taught; None for one that cannot be taught, or that is named by its path. Raises ModelError."""
    if isinstance(name, Path) or os.sep in name:
        return None
    manifest = load_manifest(ModelStore(state_dir).find(name))
    return load_taught(state_dir, manifest) if manifest.kind == "split" else None


def load_model_for(settings: ModelSettings, state_dir: Path, *,
                   targets: Sequence[TargetSettings] | None = None) -> Model:
    """The model that the settings name, with only the rows that `targets` need (None: all rows)."""
    folder, taught = model_folder(settings.name, state_dir), taught_to(settings.name, state_dir)
    rows = None
    if targets is not None:
        manifest = load_manifest(folder)
        manifest = manifest if taught is None else taught.extend(manifest)
        resolved = resolve_targets(targets, manifest.labels, manifest.targets)
        rows = [manifest.labels[row] for row in resolved.rows()]
    return _open(folder, settings.name, taught, settings.runtime, settings.threads, settings.delegate, rows)


def find_calibrations(model: Model, settings: Settings, state_dir: Path) -> Calibrations:
    """The calibrations of the settings' targets that fit `model`, which the settings name, and what does not."""
    return calibrations_for(model, settings.target, directory=model_folder(settings.model.name, state_dir),
                            state_dir=state_dir, taught=taught_to(settings.model.name, state_dir))


def load_calibrations(model: Model, settings: Settings, state_dir: Path) -> Calibrations:
    """What `find_calibrations` finds; what does not fit is logged."""
    found = find_calibrations(model, settings, state_dir)
    for problem in found.problems:
        log.warning("%s", problem)
    return found
