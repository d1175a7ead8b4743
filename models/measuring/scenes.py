"""What a listener's events are worth on annotated scenes: figures for each target. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edge.learn.classes import SoundClass
from edge.learn.figures import poisson_upper
from models.measuring.annotations import Scene, names_for
from models.measuring.matching import Paired, Span, pair
from models.measuring.sed import Counted, score

ON_TIME_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Sought:
    """A target to score: its name, whether it is impulsive, and the model's labels that make it."""

    name: str
    impulsive: bool
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Heard:
    """A scene and what was heard in it: seconds of sound, events by target."""

    scene: Scene
    seconds: float
    events: Mapping[str, Sequence[Span]]


@dataclass(frozen=True, slots=True)
class TargetFigures:
    """One target over all scenes; `events` and `segments` are sed_eval's.

    sounds, found: numbers of annotations and of events. onset_*: of the events with an onset within 0.5 s,
    the median and the 95th percentile of the distance in seconds, and the share within 50 ms; NaN for no such
    event. extra: further events that meet a sound of the target. alarms: events that meet none; in an hour,
    and at most (95 %). passed_over: events that meet only a sound which may hold the target.
    """

    name: str
    impulsive: bool
    sounds: int
    found: int
    events: Counted
    segments: Counted
    onset_paired: int
    onset_median: float
    onset_95th: float
    onset_on_time: float
    extra: int
    alarms: int
    alarms_per_hour: float
    alarms_per_hour_upper: float
    passed_over: int


@dataclass(frozen=True, slots=True)
class SceneFigures:
    """All targets, and all targets of a kind together ("impulsive", "lasting"; segments of "all")."""

    scenes: int
    hours: float
    targets: tuple[TargetFigures, ...]
    together: Mapping[str, Counted]
    segments: Counted
    onset_on_time: float
    """Share of impulsive events with an onset within 0.5 s that lie within 50 ms of it; NaN for none."""


def measure_scenes(heard: Sequence[Heard], sought: Sequence[Sought], classes: Sequence[SoundClass]) -> SceneFigures:
    """Figures over all scenes, of each target that a scene annotates or that raised an event.

    Raises SettingsError where sed_eval is missing.
    """
    pairs: dict[str, list[Paired]] = {target.name: [] for target in sought}
    lists: list[tuple[dict[str, list[Span]], dict[str, list[Span]], float]] = []
    for one in heard:
        truth: dict[str, list[Span]] = {}
        kept: dict[str, list[Span]] = {}
        for target in sought:
            own, beside = names_for(target.name, target.labels, classes)
            truth[target.name] = _spans(one.scene, own)
            paired = pair(one.events.get(target.name, ()), truth[target.name], _spans(one.scene, beside))
            pairs[target.name].append(paired)
            kept[target.name] = list(paired.kept)
        lists.append((truth, kept, one.seconds))
    used = [target for target in sought if any(truth[target.name] or kept[target.name] for truth, kept, _ in lists)]
    impulsive, lasting = ([target.name for target in used if target.impulsive is kind] for kind in (True, False))
    scored = score(lists, impulsive, lasting)
    hours = sum(one.seconds for one in heard) / 3600.0
    figures = tuple(_figures(target, pairs[target.name], sum(len(truth[target.name]) for truth, _, _ in lists), hours,
                             scored.events[target.name], scored.segments[target.name]) for target in used)
    errors = [abs(error) for name in impulsive for paired in pairs[name] for error in paired.onset_errors]
    return SceneFigures(len(heard), hours, figures, {kind: scored.events[kind] for kind in ("impulsive", "lasting")
                                                      if kind in scored.events}, scored.segments["all"], _on_time(errors))


def _figures(target: Sought, pairs: Sequence[Paired], sounds: int, hours: float, events: Counted,
             segments: Counted) -> TargetFigures:
    errors = [abs(error) for paired in pairs for error in paired.onset_errors]
    alarms = sum(paired.alarms for paired in pairs)
    median, high = (float(np.quantile(errors, share)) if errors else math.nan for share in (0.5, 0.95))
    return TargetFigures(target.name, target.impulsive, sounds, sum(len(paired.kept) for paired in pairs), events, segments,
                         len(errors), median, high, _on_time(errors), sum(paired.extra for paired in pairs), alarms,
                         alarms / hours, poisson_upper(alarms) / hours, sum(paired.passed_over for paired in pairs))


def _on_time(errors: Sequence[float]) -> float:
    return float(np.mean([error <= ON_TIME_SECONDS + 1e-9 for error in errors])) if errors else math.nan


def _spans(scene: Scene, names: frozenset[str]) -> list[Span]:
    return [Span(one.onset_seconds, one.offset_seconds) for one in scene.annotations if one.label in names]
