"""Models and calibrations by name, as run, check and the workshop take them: the model's own, with what it was taught."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from edge.control.calibrations import Calibrations, calibrations_for
from edge.decision.resolve import Asked, ask
from edge.errors import ModelError
from edge.features.logmel import FRONT_END_VERSION
from edge.features.look import LOOK_ROWS, LOOK_VERSION
from edge.model.classifier import Model, open_model
from edge.model.embedded import embedded_folder, is_path
from edge.model.impulse import IMPULSE, ImpulseManifest, LookNetwork, load_impulse_manifest, open_impulse
from edge.model.look_offer import LookOffer, LookRows
from edge.model.manifest import Manifest
from edge.model.manifest_file import load_manifest
from edge.model.store import ModelStore
from edge.model.taught import Taught
from edge.model.taught_file import load_taught, newest_taught
from edge.model.taught_look import offered, rows_of
from edge.settings import ModelSettings, Settings, TargetSettings
from edge.state import default_state_dir
from edge.stream import BANDS

log = logging.getLogger("edge")


def model_folder(name: str | Path, state_dir: Path) -> Path:
    """The directory of an embedded or installed model, or the path itself where one is given (a Path, or with a slash).

    Raises ModelError for a name that is not known.
    """
    if is_path(name):
        return Path(name)
    return ModelStore(state_dir).find(str(name))


def impulse_folder() -> Path:
    """Where the look network lies. Raises ModelError where the installation is not complete."""
    return embedded_folder() / IMPULSE


@dataclass(frozen=True, slots=True)
class NamedModel:
    """A model that was found by its name and is not open yet.

    name: as the settings have it. folder: the model's directory. manifest: the model's own.
    taught: what the owner taught this model and it can serve. None where nothing was taught, where the model is named
    by its path, and where the model has changed since.
    problems: a line for all that was taught and is not served, each with the command that mends it.
    unheard: names of the taught sounds that are not served.
    """

    name: str | Path
    folder: Path
    manifest: Manifest
    taught: Taught | None
    problems: tuple[str, ...] = ()
    unheard: tuple[str, ...] = ()
    looks: ImpulseManifest | None = None
    """Of the look network that serves beside the model."""
    offers: tuple[LookOffer, ...] = field(init=False)
    """Targets that looks may decide: those that the owner taught looks, and all of the look network's but those whose name
    was taught to patches."""

    def __post_init__(self) -> None:
        """Make the offers, once: each has a digest."""
        object.__setattr__(self, "offers", self._offers())

    def _offers(self) -> tuple[LookOffer, ...]:
        if self.looks is None:
            return ()
        by_patches = {sound.name for sound in self.taught.sounds} if self.taught is not None else set()
        own = [offer for offer in self.looks.offers(self.backbone) if offer.name not in by_patches]
        return offered(own, self.taught.looks if self.taught is not None else (), len(self.looks.labels))

    @property
    def backbone(self) -> str:
        """SHA-256 of the backbone's file; "" for a whole model."""
        return self.manifest.backbone.sha256 if self.manifest.backbone is not None else ""

    @property
    def extended(self) -> Manifest:
        """The manifest, with the labels and targets that were taught."""
        return self.manifest if self.taught is None else self.taught.extend(self.manifest)

    def ask(self, wanted: Sequence[TargetSettings]) -> Asked:
        """What the settings' targets ask of this model, without `unheard` sounds and without patterns over them.

        Raises SettingsError as `edge.decision.resolve.ask` does.
        """
        heard = [target for target in wanted if target.name not in self.unheard and target.pattern_of not in self.unheard]
        if wanted and not heard:
            return Asked((), (), ())
        return ask(heard, self.extended.labels, self.extended.targets, self.offers)

    def calibrations(self, model: Model, asked: Asked, state_dir: Path) -> Calibrations:
        """The calibrations that fit, of what is asked, and what does not fit. model: this one, opened."""
        found = calibrations_for(model, asked, directory=self.folder, state_dir=state_dir, taught=self.taught)
        return replace(found, problems=(*self.problems, *found.problems), unheard=self.unheard)

    def open(self, *, runtime: str = "auto", threads: int = 1, delegate: str = "",
             rows: Sequence[str] | None = None, before: Model | None = None) -> Model:
        """Open it. rows: labels to score; None: all. before: see `open_model`. Raises ModelError where it is not what its
        manifest says."""
        front_end = self.manifest.front_end
        if front_end is not None and front_end.version != FRONT_END_VERSION:
            raise ModelError(f"model {self.name} front_end version", found=str(front_end.version),
                             wanted=str(FRONT_END_VERSION))
        model = open_model(self.folder, runtime=runtime, threads=threads, delegate=delegate, rows=rows, taught=self.taught,
                           manifest=self.manifest, before=before)
        if self.looks is not None:
            more = rows_of(self.taught.looks, self.looks.head.columns) if self.taught is not None else None
            model.looks = open_looks(impulse_folder(), self.looks, runtime=runtime, threads=threads, more=more,
                                     before=before.looks if before is not None else None)
            model.offers, model.series = self.offers, self.looks.series_for(self.backbone)
        return model


def open_looks(folder: Path, manifest: ImpulseManifest, *, runtime: str = "auto", threads: int = 1,
               more: LookRows | None = None, before: LookNetwork | None = None) -> LookNetwork:
    """Open the look network in `folder`. more: rows that were taught. before: see `open_impulse`. Raises ModelError where
    the network was made for other rows or looks than ours."""
    return open_impulse(folder, front_end=FRONT_END_VERSION, look_version=LOOK_VERSION, shape=(LOOK_ROWS, BANDS, 2),
                        runtime=runtime, threads=threads, manifest=manifest, more=more, before=before)


def find_model(name: str | Path, state_dir: Path) -> NamedModel:
    """Find a model; read its manifest, the look network's, and what it was taught. Raises ModelError for a file that cannot
    be read.

    Lessons of an earlier model of this name are left out and told in `problems`; they raise no error.
    """
    folder = model_folder(name, state_dir)
    manifest = load_manifest(folder)
    looks = load_impulse_manifest(impulse_folder())
    old = None if is_path(name) else newest_taught(state_dir, manifest.name)
    if old is None:
        return NamedModel(name, folder, manifest, None, looks=looks)
    taught, problems = old.fitting(manifest)
    if taught is not None:
        taught, more = taught.fitting_looks(looks.network.sha256, looks.look_version, [one.name for one in looks.targets])
        problems += more
    kept = () if taught is None else taught.names
    own = {*manifest.labels, *(look.name for look in old.looks if look.adds)}
    return NamedModel(name, folder, manifest, taught, problems,
                      tuple(one for one in old.names if one not in kept and one not in own), looks)


def load_model(name: str | Path = "starter", *, state_dir: Path | None = None, runtime: str = "auto", threads: int = 1,
               delegate: str = "", rows: Sequence[str] | None = None) -> Model:
    """Open an embedded or installed model by name, with the sounds that it was taught, or one by the path of its directory.

    rows: labels to score; None: all. Lessons of an earlier model of this name are left out, and the log says so.
    Raises ModelError where the model is not there or is not what its manifest says.
    """
    named = find_model(name, state_dir or default_state_dir())
    for problem in named.problems:
        log.warning("%s", problem)
    return named.open(runtime=runtime, threads=threads, delegate=delegate, rows=rows)


def load_model_for(settings: ModelSettings, state_dir: Path) -> Model:
    """The model that the settings name, with all its rows. Raises ModelError.

    Nothing is logged here: `load_calibrations` logs what does not fit.
    """
    return find_model(settings.name, state_dir).open(runtime=settings.runtime, threads=settings.threads,
                                                     delegate=settings.delegate)


def taught_to(name: str | Path, state_dir: Path) -> Taught | None:
    """What a model was taught, for a command that changes it. None: nothing, or the model is named by its path.

    Raises ModelError where any of it does not fit the model.
    """
    named = find_model(name, state_dir)
    if named.problems:
        load_taught(state_dir, named.manifest)
    return named.taught


def load_calibrations(model: Model, settings: Settings, state_dir: Path) -> Calibrations:
    """The calibrations that fit, of the settings' targets; the log tells what does not. model: the settings' own.

    Raises ModelError, SettingsError.
    """
    named = find_model(settings.model.name, state_dir)
    return logged(named.calibrations(model, named.ask(settings.target), state_dir))


def logged(calibrations: Calibrations) -> Calibrations:
    """The same, when the log has been told what does not fit."""
    for problem in calibrations.problems:
        log.warning("%s", problem)
    return calibrations
