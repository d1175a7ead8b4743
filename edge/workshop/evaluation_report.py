"""What `evaluate` prints: tables for people, CSV and JSON for programs."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping
from typing import TextIO

from edge.learn.cross_fit import CrossFit
from edge.learn.evaluate import ClassFigures, Figures
from edge.learn.matching import PAIR_SECONDS
from edge.learn.scenes import SceneFigures, TargetFigures, scenes_dict

SCENE_COLUMNS = ("target", "kind", "sounds", "found", "precision", "recall", "f1", "error_rate", "segment_f1",
                 "segment_error_rate", "onset_median", "onset_95th", "onset_on_time", "extra", "alarms", "alarms_per_hour",
                 "alarms_per_hour_upper", "passed_over")

CLIP_COLUMNS = ("class", "clips", "negatives", "area_under_curve", "recall", "recall_low", "recall_high", "precision",
                "precision_low", "precision_high", "f1", "target", "threshold", "heard", "heard_low", "heard_high",
                "false_alarms", "hours", "false_alarms_per_hour", "false_alarms_per_hour_upper")


def print_clips(figures: Figures, about: Mapping[str, object], form: str, out: TextIO) -> None:
    """Figures of labelled clips as table, json or csv. about: source, split, model, runtime, hop_seconds, hours."""
    if form == "json":
        confusion = figures.confusion
        whole = {**about, "clips": figures.clips, "classified": figures.classified, "accuracy": round(figures.accuracy, 4),
                 "accuracy_interval": [round(figures.accuracy_low, 4), round(figures.accuracy_high, 4)],
                 "classes": {row.name: {**{key: value for key, value in _clip_row(row).items() if key != "class"},
                                        "mistaken": dict(row.alarms.mistaken) if row.alarms else None}
                             for row in figures.classes},
                 "confusion": {"rows": confusion.rows, "columns": confusion.columns, "counts": confusion.counts.tolist()}}
        print(json.dumps(whole), file=out)
    elif form == "csv":
        writer = csv.DictWriter(out, CLIP_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(_clip_row(row) for row in figures.classes)
    else:
        _clip_table(figures, about, out)


def _clip_row(row: ClassFigures) -> dict[str, object]:
    """By CLIP_COLUMNS; None where there is nothing to count."""
    values: list[object] = [row.name, row.clips, row.negatives, row.area_under_curve, row.recall, *row.recall_interval,
                            row.precision, *row.precision_interval, row.f1]
    alarms = row.alarms
    values += [None] * 9 if alarms is None else [
        alarms.target, alarms.threshold, alarms.heard / alarms.of, *alarms.heard_interval, alarms.alarms, alarms.hours,
        alarms.per_hour, alarms.per_hour_upper]
    return {name: _rounded(value) for name, value in zip(CLIP_COLUMNS, values, strict=True)}


def _rounded(value: object) -> object:
    if isinstance(value, float):
        return round(value, 4) if math.isfinite(value) else None
    return value


def _clip_table(figures: Figures, about: Mapping[str, object], out: TextIO) -> None:
    print(f"{about['model']} on {about['runtime']}, hop {about['hop_seconds']} s: {figures.clips} clips, "
          f"{about['hours']} hours", file=out)
    print(f"accuracy {figures.accuracy:.1%} ({figures.accuracy_low:.1%} to {figures.accuracy_high:.1%}) over "
          f"{figures.classified} clips of {len(figures.classes)} classes that the model has labels for", file=out)
    print("\na clip is taken for the class that scores highest", file=out)
    print(f"{'class':<16}{'clips':>6}{'others':>7}{'area':>7}{'precision':>18}{'recall':>18}{'F1':>6}", file=out)
    for row in figures.classes:
        print(f"{row.name:<16}{row.clips:>6}{row.negatives:>7}{row.area_under_curve:>7.3f}"
              f"{_interval(row.precision, row.precision_interval):>18}{_interval(row.recall, row.recall_interval):>18}"
              f"{row.f1:>6.2f}", file=out)
    print("\nat the threshold that serves, whatever scores higher; false alarms in the clips without it", file=out)
    print(f"{'class':<16}{'threshold':>10}{'heard':>18}{'false':>7}{'hours':>7}{'false/h':>9}{'at most':>9}", file=out)
    for row in figures.classes:
        if row.alarms is not None:
            alarms = row.alarms
            print(f"{row.name:<16}{alarms.threshold:>10.3f}{_interval(alarms.heard / alarms.of, alarms.heard_interval):>18}"
                  f"{alarms.alarms:>7}{alarms.hours:>7.2f}{alarms.per_hour:>9.1f}{alarms.per_hour_upper:>9.1f}", file=out)
    none = [row.name for row in figures.classes if row.alarms is None]
    if none:
        print(f"no target, and so no threshold: {', '.join(none)}", file=out)


def _interval(share: float, interval: tuple[float, float]) -> str:
    return "" if math.isnan(share) else f"{share:.2f} ({interval[0]:.2f}-{interval[1]:.2f})"


CROSS_COLUMNS = ("class", "clips", "sources", "area_under_curve", "heard", "heard_low", "heard_high", "false_alarms",
                 "hours", "false_alarms_per_hour", "false_alarms_per_hour_upper")


def print_cross_fit(found: Mapping[str, CrossFit], about: Mapping[str, object], form: str, out: TextIO) -> None:
    """Figures of cross-fitted sounds as table, json or csv. about: model, runtime, hop_seconds, alarms_per_hour, clips."""
    rows = {name: _cross_row(name, one) for name, one in found.items()}
    if form == "json":
        print(json.dumps({**about, "classes": {name: {
            **{key: value for key, value in rows[name].items() if key not in ("class", "sources")},
            "sources": one.sources, "mistaken": dict(one.alarms.mistaken), "fitted": one.fitted, "left_out": one.left_out}
            for name, one in found.items()}}), file=out)
    elif form == "csv":
        writer = csv.DictWriter(out, CROSS_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows.values())
    else:
        print(f"{about['model']} on {about['runtime']}, hop {about['hop_seconds']} s: {about['clips']} clips, each judged "
              f"by a row fitted without its source, for {about['alarms_per_hour']:g} false alarms an hour", file=out)
        print(f"{'class':<16}{'clips':>6}{'sources':>8}{'fitted to':>11}{'area':>7}{'heard':>18}{'false':>7}{'hours':>7}"
              f"{'false/h':>9}{'at most':>9}  mistaken", file=out)
        for name, one in found.items():
            alarms = one.alarms
            fitted = f"{min(one.fitted)}-{max(one.fitted)}"
            print(f"{name:<16}{alarms.of:>6}{len(one.sources):>8}{fitted:>11}{one.area_under_curve:>7.3f}"
                  f"{_interval(alarms.heard / alarms.of, alarms.heard_interval):>18}{alarms.alarms:>7}{alarms.hours:>7.2f}"
                  f"{alarms.per_hour:>9.1f}{alarms.per_hour_upper:>9.1f}  "
                  + ", ".join(f"{other} {count}" for other, count in alarms.mistaken[:4]), file=out)


def _cross_row(name: str, one: CrossFit) -> dict[str, object]:
    alarms = one.alarms
    values = (name, alarms.of, len(one.sources), one.area_under_curve, alarms.heard / alarms.of, *alarms.heard_interval,
              alarms.alarms, alarms.hours, alarms.per_hour, alarms.per_hour_upper)
    return {key: _rounded(value) for key, value in zip(CROSS_COLUMNS, values, strict=True)}


def print_scenes(found: Mapping[str, SceneFigures], about: Mapping[str, object], form: str, out: TextIO) -> None:
    """Figures of annotated scenes as table, json or csv: of all of them (""), then of each kind of them."""
    whole, kinds = found[""], {kind: figures for kind, figures in found.items() if kind}
    if form == "json":
        by = {"kinds": {kind: scenes_dict(figures, {}) for kind, figures in kinds.items()}} if kinds else {}
        print(json.dumps({**scenes_dict(whole, about), **by}), file=out)
    elif form == "csv":
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow((*(["scenes"] if kinds else []), *SCENE_COLUMNS))
        for kind, figures in found.items():
            writer.writerows([*([kind or "all"] if kinds else []), *_row(target)] for target in figures.targets)
    else:
        for number, (kind, figures) in enumerate(found.items()):
            if number:
                print(file=out)
            _scene_table(figures, {**about, "kind": kind}, out)


def _row(target: TargetFigures) -> list[object]:
    values = (target.events.precision, target.events.recall, target.events.f1, target.events.error_rate,
              target.segments.f1, target.segments.error_rate, target.onset_median, target.onset_95th, target.onset_on_time)
    return [target.name, "impulsive" if target.impulsive else "lasting", target.sounds, target.found,
            *("" if math.isnan(value) else f"{value:.4f}" for value in values), target.extra, target.alarms,
            f"{target.alarms_per_hour:.2f}", f"{target.alarms_per_hour_upper:.2f}", target.passed_over]


def _scene_table(figures: SceneFigures, about: Mapping[str, object], out: TextIO) -> None:
    kind = f" of {about['kind']}" if about["kind"] else ""
    print(f"{about['model']} on {about['runtime']}, hop {about['hop_seconds']} s: {figures.scenes} scenes{kind}, "
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
          f"impulsive onsets within 50 ms: {_share(figures.onset_on_time)} of the events that have a sound within "
          f"{PAIR_SECONDS:g} s", file=out)


def _share(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.2f}"


def _milliseconds(seconds: float) -> str:
    return "" if math.isnan(seconds) else f"{1000 * seconds:.0f}"
