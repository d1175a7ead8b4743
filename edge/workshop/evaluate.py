"""The appliance's own path over labelled clips, for what `edge.learn.evaluate` measures."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.control.calibrations import Calibrations
from edge.control.loading import load_calibrations, taught_to
from edge.decision.calibration import heard, logits_of
from edge.decision.resolve import resolve_targets
from edge.decision.rhythm import RHYTHMS
from edge.decision.targets import Target
from edge.decision.wishes import has_rhythm, looks_may_decide
from edge.errors import SourceError
from edge.learn.alarms import count_alarms
from edge.learn.classes import SoundClass, with_classes_of
from edge.learn.evaluate import Figures, measurable, measure
from edge.learn.labelled_clips import Clip
from edge.model.classifier import Model
from edge.settings import Settings, TargetSettings
from edge.stream import Scores
from edge.workshop.classify import Classification, classify
from edge.workshop.progress import bar


def evaluate_clips(model: Model, clips: Sequence[Clip], classes: Sequence[SoundClass], settings: Settings, state_dir: Path,
                   *, hop_seconds: float) -> tuple[Figures, float]:
    """Hear every clip and measure; and the hours of all clips.

    classes: of the table. Clips that are named as a label or a target are of that class too, and a sound that
    the model was taught is always a class. Names whose clips are of no class are said on standard error
    beforehand. An alarm that is heard by its rhythm is judged by its events, a target that looks decide by its
    surest look. Raises SourceError for a clip
    that cannot be heard (without it the figures would be of other clips), and where no clip is of a class that
    the model has labels for, or a rhythm.
    """
    taught = taught_to(settings.model.name, state_dir)
    names = [*(clip.name for clip in clips), *(taught.names if taught is not None else ())]
    named = {target.name: target.labels for target in model.targets}
    named |= {target.name: target.labels for target in settings.target if target.labels}
    rhythms = _rhythms(model, settings)
    looked = _looked(model, settings)
    more = [*(name for name in looked if name not in model.labels), *(target.name for target in rhythms)]
    labels = (*model.labels, *more)
    classes = with_classes_of(names, classes, labels, named)
    used = measurable(clips, labels, classes)
    _say_others(clips, used, model.manifest.name)
    targets, served = _targets(model, used, settings, state_dir)
    by_patches = {name: target for name, target in targets.items() if not target.looked}
    # Rhythms and looks are judged as the appliance's events; by class the target whose events count.
    told = {name: target.name for name, target in targets.items() if target.looked} | {one.name: one.name for one in rhythms}
    scores = np.zeros((len(clips), len(labels)), np.float32)
    probabilities: dict[str, list[NDArray[np.float64]]] = {name: [] for name in (*by_patches, *told)}
    seconds: list[float] = []
    with bar("evaluate", "clips") as progress:
        for number, clip in enumerate(clips):
            result = classify(model, clip.path, hop_seconds=hop_seconds, bands=False, targets=(*rhythms, *looked.values()),
                              calibrations=served.serving, corrections=served.corrections,
                              embeddings=any(target.correction is not None for target in targets.values()))
            if not len(result.scores):
                raise SourceError(str(clip.path), found="no sound", wanted="a recording")
            found = dict(zip(model.labels, result.scores.max(axis=0).tolist(), strict=True)) | dict.fromkeys(looked, 0.0)
            by_events = _by_events(told, result)
            found |= {one.name: float(by_events[one.name].max()) for one in rhythms}
            for name, _, probability in result.judged:
                found[name] = max(found[name], probability)
            scores[number] = [found[label] for label in labels]
            seconds.append(result.duration_seconds)
            for name, values in {**_probabilities(by_patches, result), **by_events}.items():
                probabilities[name].append(values)
            progress(number + 1, len(clips))
    names = [clip.name for clip in clips]
    thresholds = {name: (target.name, target.threshold) for name, target in targets.items()}
    thresholds |= {target.name: (target.name, target.threshold)
                   for target in resolve_targets(rhythms, model.labels, model.targets).rhythms if rhythms}
    alarms = {entry.name: count_alarms(*thresholds[entry.name], probabilities[entry.name],
                                       [entry.holds(name) for name in names], names, seconds, hop_seconds=hop_seconds)
              for entry in used if entry.name in thresholds}
    return measure(clips, scores, labels, classes, alarms=alarms), sum(seconds) / 3600.0


def _say_others(clips: Sequence[Clip], used: Sequence[SoundClass], model: str) -> None:
    """Say on standard error which clips are of no class, and what would name them."""
    named = {name for entry in used for name in entry.clips}
    others = Counter(clip.name for clip in clips if clip.name not in named)
    if others:
        print("edge-audio: taken for no class, and so counted as other sound: "
              + ", ".join(f"{name} ({count} clip{'s' if count > 1 else ''})" for name, count in others.items())
              + f"; a class is named by a label or target of the model (edge-audio model show {model}), by a taught sound, "
              "or by a table (--classes FILE)", file=sys.stderr)


def _targets(model: Model, classes: Sequence[SoundClass], settings: Settings,
             state_dir: Path) -> tuple[dict[str, Target], Calibrations]:
    """By class the target that hears it, as the appliance would resolve that target; and the calibrations.

    The target is the settings' or the model's that has the class's name; else the model's first that shares a
    label with the class; else the label that has the class's name. A class may have none.
    """
    own = {target.name: target for target in settings.target if not target.pattern_of and not target.louder_db}
    wanted: dict[str, TargetSettings] = {}
    for entry in classes:
        known = {*own, *(target.name for target in model.targets), *(offer.name for offer in model.offers)}
        names = [entry.name] if entry.name in known else []
        names += [target.name for target in model.targets if set(target.labels) & set(entry.labels)]
        names += [entry.name] if entry.name in model.labels else []
        if names:
            wanted[entry.name] = own.get(names[0], TargetSettings(name=names[0]))
    asked = tuple({target.name: target for target in wanted.values()}.values())
    if not asked:  # an empty list of targets would mean all of the model's
        return {}, Calibrations()
    served = load_calibrations(model, replace(settings, target=asked), state_dir)
    resolved = resolve_targets(asked, model.labels, model.targets, calibrations=served.serving,
                               corrections=served.corrections, offers=model.offers)
    sounds = {sound.name: sound for sound in resolved.sounds}
    return {name: sounds[target.name] for name, target in wanted.items() if target.name in sounds}, served


def _rhythms(model: Model, settings: Settings) -> tuple[TargetSettings, ...]:
    """The alarms that are heard by their rhythm, as the settings have them."""
    own = {target.name: target for target in settings.target}
    named = [own.get(name, TargetSettings(name=name)) for name in RHYTHMS]
    return tuple(target for target in named if has_rhythm(target, model.labels))


def _by_events(told: Mapping[str, str], result: Classification) -> dict[str, NDArray[np.float64]]:
    """By class the probability of its target's events, each in the patch in which it starts, else 0: float64 `(patches,)`.

    told: by class the target.
    """
    found = {name: np.zeros(len(result.scores)) for name in told}
    for event, start, _ in result.timed_events():
        patch = max(int(np.searchsorted(result.starts, start, side="right")) - 1, 0)
        for name in (name for name, target in told.items() if target == event.target):
            found[name][patch] = max(found[name][patch], event.probability)
    return found


def _looked(model: Model, settings: Settings) -> dict[str, TargetSettings]:
    """The targets that looks decide, as the settings have them, by name."""
    own = {target.name: target for target in settings.target}
    named = [own.get(offer.name, TargetSettings(name=offer.name)) for offer in model.offers]
    return {target.name: target for target in named if looks_may_decide(target)}


def _probabilities(targets: Mapping[str, Target], result: Classification) -> dict[str, NDArray[np.float64]]:
    """By class what the appliance makes of each patch: its target's probability, float64 `(patches,)`."""
    found = {name: np.zeros(len(result.scores)) for name in targets}
    for patch, values in enumerate(result.scores):
        embedding = result.embeddings[patch] if result.embeddings is not None else None
        scores = Scores(0, values, embedding=embedding)
        logits = logits_of(scores).tolist()
        for name, target in targets.items():
            found[name][patch] = heard(target, result.labels, scores, logits).probability
    return found
