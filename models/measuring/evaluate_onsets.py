"""Scenes of single sounds through the appliance's own path: its events are counted against what was placed."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from edge.control.plan import plan_for
from edge.decision.resolve import resolve_targets
from edge.decision.targets import Calibrated, Correction
from edge.errors import SettingsError, SourceError
from edge.model.classifier import Model
from edge.settings import TargetSettings
from edge.workshop.progress import bar
from models.measuring.lasting import CLASSES, LastingFigures, measure_lasting
from models.measuring.listening import listen
from models.measuring.onsets import QUIET, Listened, OnsetFigures, Placed, measure_onsets

SCENES = {"scene", "sounds", "background", "seconds"}
PLACED = {"scene", "onset", "offset", "label", "source", "ratio_db"}


def evaluate_onsets(model: Model, folder: Path, targets: Sequence[TargetSettings], *, hop_seconds: float,
                    calibrations: Mapping[str, Calibrated], corrections: Mapping[str, Correction],
                    by: str = "") -> tuple[OnsetFigures, ...]:
    """Hear every scene that the folder's scenes.csv lists, and count.

    targets: as `targets_for` gives them, at least one. All are heard; figures are of those that have the name of a class
    that scenes are for. Raises SourceError for a folder without such scenes, SettingsError for targets that the model
    cannot serve, and where no scene is for any of them.
    """
    names = _names(model, folder, targets, calibrations)
    return measure_onsets(_heard(model, folder, targets, hop_seconds, calibrations, corrections), names, by)


def evaluate_lasting(model: Model, folder: Path, targets: Sequence[TargetSettings], *, hop_seconds: float,
                     calibrations: Mapping[str, Calibrated],
                     corrections: Mapping[str, Correction]) -> tuple[LastingFigures, ...]:
    """The same for scenes of lasting sounds."""
    names = _names(model, folder, targets, calibrations)
    return measure_lasting(_heard(model, folder, targets, hop_seconds, calibrations, corrections), names)


def _names(model: Model, folder: Path, targets: Sequence[TargetSettings],
           calibrations: Mapping[str, Calibrated]) -> list[str]:
    """Targets that send events. Raises SettingsError where no scene is for any of them."""
    names = [one.name for one in resolve_targets(targets, model.labels, model.targets, calibrations=calibrations,
                                             offers=model.offers).sounds
             if one.sent]
    made_for = {sounds for _, sounds, *_ in read_scenes(folder)}
    if not made_for & {CLASSES.get(name, name) for name in names}:
        raise SettingsError("targets", found=", ".join(names), wanted=f"one of {', '.join(sorted(made_for))}")
    return names


def _heard(model: Model, folder: Path, targets: Sequence[TargetSettings], hop_seconds: float,
           calibrations: Mapping[str, Calibrated], corrections: Mapping[str, Correction]) -> list[Listened]:
    scenes, heard = read_scenes(folder), []
    with bar("evaluate", "scenes") as progress:
        for number, (name, sounds, background, placed) in enumerate(scenes):
            plan = plan_for(model, targets, hop_seconds=hop_seconds, calibrations=calibrations, corrections=corrections)
            events, seconds = listen(plan, folder / f"{name}.wav")
            heard.append(Listened(sounds, background, seconds, placed, events))
            progress(number + 1, len(scenes))
    return heard


def targets_for(model: Model, folder: Path, wanted: Sequence[TargetSettings]) -> tuple[TargetSettings, ...]:
    """What is wanted; for nothing, the model's standard targets and those others that the folder's scenes are for."""
    if wanted:
        return tuple(wanted)
    made_for = {sounds for _, sounds, *_ in read_scenes(folder)}
    return tuple(TargetSettings(name=one.name) for one in model.targets
                 if one.standard or CLASSES.get(one.name, one.name) in made_for)


def read_scenes(folder: Path) -> list[tuple[str, str, str, tuple[Placed, ...]]]:
    """Name, class, background and placed sounds of each scene. Raises SourceError where a list is missing or not whole."""
    placed: dict[str, list[Placed]] = {}
    for row in _rows(folder / "placed.csv", PLACED):
        ratio = f"{float(row['ratio_db']):g} dB" if row["ratio_db"] else QUIET
        sound = Placed(float(row["onset"]), float(row["offset"]), row["label"], row["source"], ratio)
        placed.setdefault(row["scene"], []).append(sound)
    found = [(row["scene"], row["sounds"], row["background"], tuple(placed.get(row["scene"], ())))
             for row in _rows(folder / "scenes.csv", SCENES)]
    if not found:
        raise SourceError(str(folder / "scenes.csv"), found="no scene", wanted="scenes")
    return found


def _rows(path: Path, wanted: set[str]) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise SourceError(str(path), found=error.strerror or str(error),
                          wanted="the list that models/scenes/build.py writes in onsets/choose and onsets/report") from error
    if rows and (missing := wanted - rows[0].keys()):
        raise SourceError(str(path), found=f"no column {', '.join(sorted(missing))}", wanted=", ".join(sorted(wanted)))
    return rows
