"""Annotated scenes through the appliance's own path: its events are scored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from edge.decision.resolve import resolve_targets
from edge.decision.targets import Calibrated, Correction
from edge.errors import SettingsError, SourceError
from edge.learn.classes import SoundClass
from edge.model.classifier import Model
from edge.settings import TargetSettings
from edge.stream import SAMPLE_RATE
from edge.workshop.classify import classify
from edge.workshop.progress import bar
from models.measuring.annotations import find_scenes, in_order, kinds_of
from models.measuring.matching import Span
from models.measuring.scenes import Heard, SceneFigures, Sought, measure_scenes
from models.measuring.sed import check_installed


def evaluate_scenes(model: Model, folder: Path, targets: Sequence[TargetSettings], classes: Sequence[SoundClass], *,
                    hop_seconds: float, calibrations: Mapping[str, Calibrated], corrections: Mapping[str, Correction],
                    by: str = "") -> dict[str, SceneFigures]:
    """Hear every scene of a folder and score the events.

    targets: none means the model's standard ones. The figures under "" are of all scenes. by: a column of the
    folder's scenes.csv; figures of the scenes of each value in it follow, under "COLUMN VALUE". Raises
    SourceError for scenes that cannot be read, SettingsError for targets that the model cannot serve, for
    targets of which none is a sound, and where sed_eval is missing.
    """
    check_installed()
    scenes = find_scenes(folder)
    kinds = kinds_of(folder, scenes, by) if by else []
    resolved = resolve_targets(targets, model.labels, model.targets, calibrations=calibrations,
                               offers=model.offers)
    sought = [Sought(sound.name, sound.impulsive, sound.labels)
              for sound in resolved.sounds if sound.sent]
    if not sought:
        raise SettingsError("targets", found="patterns and loudness only", wanted="a sound to score")
    heard = []
    with bar("evaluate", "scenes") as progress:
        for number, scene in enumerate(scenes):
            result = classify(model, scene.path, hop_seconds=hop_seconds, targets=targets, calibrations=calibrations,
                              corrections=corrections, embeddings=False, bands=False)
            if not result.duration_seconds:
                raise SourceError(str(scene.path), found="no sound", wanted="a recording")
            events: dict[str, list[Span]] = {target.name: [] for target in sought}
            for event in result.events:
                if event.target in events and event.end is not None:
                    events[event.target].append(Span(event.start / SAMPLE_RATE, event.end / SAMPLE_RATE))
            heard.append(Heard(scene, result.duration_seconds, events))
            progress(number + 1, len(scenes))
    some = {kind: [one for one, own in zip(heard, kinds, strict=True) if own == kind] for kind in in_order(kinds)}
    return {"": measure_scenes(heard, sought, classes),
            **{f"{by} {kind}": measure_scenes(of_kind, sought, classes) for kind, of_kind in some.items()}}
