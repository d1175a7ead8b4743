"""Event-based and segment-based figures by sed_eval (extra `evaluate`), the field's own scoring library.

Mesaros, Heittola and Virtanen, Appl. Sci. 6, 2016. Event-based: the most pairs whose onsets lie within a
collar and, for lasting sounds, whose offsets lie within the collar or half the sound's length.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edge.errors import SettingsError
from models.measuring.matching import Span

IMPULSIVE_COLLAR_SECONDS = 0.05
LASTING_COLLAR_SECONDS = 0.2
LASTING_SHARE = 0.5
"""Share of a lasting sound's length by which its offset may be off."""
SEGMENT_SECONDS = 1.0
Spans = Mapping[str, Sequence[Span]]
"""By target."""


@dataclass(frozen=True, slots=True)
class Counted:
    """Precision, recall and F1 (0 to 1) and error rate (from 0); NaN where there is nothing to count."""

    precision: float
    recall: float
    f1: float
    error_rate: float


@dataclass(frozen=True, slots=True)
class Scored:
    """What sed_eval says of each target, and of targets together, by the names that `score` states."""

    events: Mapping[str, Counted]
    segments: Mapping[str, Counted]


def check_installed() -> None:
    """Raise SettingsError where sed_eval is missing, so that it is said before an hour of listening."""
    _sed_eval()


def score(scenes: Sequence[tuple[Spans, Spans, float]], impulsive: Sequence[str], lasting: Sequence[str]) -> Scored:
    """Score scenes. For each: annotations by target, events by target, its length in seconds.

    impulsive, lasting: the targets of each kind. An event of an impulsive target is right with its onset
    within 50 ms; of a lasting one with its onset within 200 ms and its offset within 200 ms or half the
    length. Segments last 1 s. In `events`, "impulsive" and "lasting" stand for all targets of the kind; in
    `segments`, "all" stands for all targets.
    """
    module = _sed_eval().sound_event
    events: dict[str, Counted] = {}
    for kind, targets in (("impulsive", impulsive), ("lasting", lasting)):
        if targets:
            collar = IMPULSIVE_COLLAR_SECONDS if kind == "impulsive" else LASTING_COLLAR_SECONDS
            metric = module.EventBasedMetrics(event_label_list=list(targets), t_collar=collar,
                                              percentage_of_length=LASTING_SHARE, evaluate_onset=True,
                                              evaluate_offset=kind == "lasting", event_matching_type="optimal")
            for truth, found, _ in scenes:
                metric.evaluate(reference_event_list=_listed(truth, targets), estimated_event_list=_listed(found, targets))
            events |= _results(metric, targets, kind)
    every = [*impulsive, *lasting]
    metric = module.SegmentBasedMetrics(event_label_list=every, time_resolution=SEGMENT_SECONDS)
    for truth, found, seconds in scenes:
        metric.evaluate(reference_event_list=_listed(truth, every), estimated_event_list=_listed(found, every),
                        evaluated_length_seconds=seconds)
    return Scored(events, _results(metric, every, "all"))


def _listed(spans: Spans, targets: Sequence[str]) -> list[dict[str, object]]:
    return [{"event_label": target, "event_onset": span.onset, "event_offset": span.offset, "filename": "scene"}
            for target in targets for span in spans.get(target, ())]


def _results(metric: Any, targets: Sequence[str], together: str) -> dict[str, Counted]:
    by_target = metric.results_class_wise_metrics()
    return {**{target: _counted(by_target[target]) for target in targets},
            together: _counted(metric.results_overall_metrics())}


def _counted(result: Mapping[str, Any]) -> Counted:
    f_measure, rate = result["f_measure"], float(result["error_rate"]["error_rate"])
    # Without any annotation sed_eval divides by the smallest float there is.
    return Counted(float(f_measure["precision"]), float(f_measure["recall"]), float(f_measure["f_measure"]),
                   rate if rate < 1e9 else math.nan)


def _sed_eval() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its own libraries' deprecations are nobody's business here
            import sed_eval
    except ImportError as error:
        raise SettingsError("scenes", found=f"no {error.name}", wanted="pip install 'edge-audio[evaluate]'") from error
    return sed_eval
