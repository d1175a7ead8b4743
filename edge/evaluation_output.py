"""What `evaluate` prints: tables for people, CSV and JSON for programs."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping
from typing import TextIO

from edge.learn.matching import PAIR_SECONDS
from edge.learn.scenes import SceneFigures, TargetFigures, scenes_dict

SCENE_COLUMNS = ("target", "kind", "sounds", "found", "precision", "recall", "f1", "error_rate", "segment_f1",
                 "segment_error_rate", "onset_median", "onset_95th", "onset_on_time", "extra", "alarms", "alarms_per_hour",
                 "alarms_per_hour_upper", "passed_over")


def print_scenes(figures: SceneFigures, about: Mapping[str, object], form: str, out: TextIO) -> None:
    """Figures of annotated scenes as table, json or csv."""
    if form == "json":
        print(json.dumps(scenes_dict(figures, about)), file=out)
    elif form == "csv":
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(SCENE_COLUMNS)
        writer.writerows(_row(target) for target in figures.targets)
    else:
        _scene_table(figures, about, out)


def _row(target: TargetFigures) -> list[object]:
    values = (target.events.precision, target.events.recall, target.events.f1, target.events.error_rate,
              target.segments.f1, target.segments.error_rate, target.onset_median, target.onset_95th, target.onset_on_time)
    return [target.name, "impulsive" if target.impulsive else "lasting", target.sounds, target.found,
            *("" if math.isnan(value) else f"{value:.4f}" for value in values), target.extra, target.alarms,
            f"{target.alarms_per_hour:.2f}", f"{target.alarms_per_hour_upper:.2f}", target.passed_over]


def _scene_table(figures: SceneFigures, about: Mapping[str, object], out: TextIO) -> None:
    print(f"{about['model']} on {about['runtime']}, hop {about['hop_seconds']} s: {figures.scenes} scenes, "
          f"{figures.hours:.2f} hours", file=out)
    print(f"{'target':<16}{'kind':<10}{'sounds':>7}{'events':>7}{'precis.':>8}{'recall':>7}{'F1':>6}{'error':>7}{'F1 1s':>7}"
          f"{'error':>7}{'onset ms':>10}{'95 %':>6}{'<=50 ms':>8}{'extra':>6}{'false/h':>8}{'at most':>8}", file=out)
    for target in figures.targets:
        events, segments = target.events, target.segments
        print(f"{target.name:<16}{'impulsive' if target.impulsive else 'lasting':<10}{target.sounds:>7}{target.found:>7}"
              f"{_share(events.precision):>8}{_share(events.recall):>7}{_share(events.f1):>6}{_share(events.error_rate):>7}"
              f"{_share(segments.f1):>7}{_share(segments.error_rate):>7}{_milliseconds(target.onset_median):>10}"
              f"{_milliseconds(target.onset_95th):>6}{_share(target.onset_on_time):>8}{target.extra:>6}"
              f"{target.alarms_per_hour:>8.1f}{target.alarms_per_hour_upper:>8.1f}", file=out)
    for kind, counted in figures.together.items():
        print(f"{kind} together: precision {_share(counted.precision)}, recall {_share(counted.recall)}, "
              f"F1 {_share(counted.f1)}, error rate {_share(counted.error_rate)}", file=out)
    print(f"segments of 1 s together: F1 {_share(figures.segments.f1)}, error rate {_share(figures.segments.error_rate)}; "
          f"impulsive onsets within 50 ms: {_share(figures.onset_on_time)} of events within {PAIR_SECONDS:g} s of a sound",
          file=out)


def _share(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.2f}"


def _milliseconds(seconds: float) -> str:
    return "" if math.isnan(seconds) else f"{1000 * seconds:.0f}"
