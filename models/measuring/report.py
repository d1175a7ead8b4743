"""What the commands of this package print: tables for people, CSV and JSON for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import TextIO

from edge.workshop.rows import Row, alarm_cells, alarm_row, print_csv, print_table, rounded
from models.measuring.cross_fit import CrossFit
from models.measuring.matching import PAIR_SECONDS
from models.measuring.scenes import SceneFigures, TargetFigures


def print_cross_fit(found: Mapping[str, CrossFit], about: Mapping[str, object], form: str, out: TextIO) -> None:
    """Print figures of cross-fitted sounds, by class, as table, json or csv.

    about: source, split, model, runtime, hop_seconds, alarms_per_hour, clips.
    """
    rows = {name: _cross_row(name, one) for name, one in found.items()}
    if form == "json":
        print(json.dumps({**about, "classes": {name: {
            **{key: value for key, value in rows[name].items() if key != "class"}, "sources": one.sources,
            "mistaken": dict(one.alarms.mistaken), "fitted": one.fitted, "left_out": one.left_out}
            for name, one in found.items()}}), file=out)
    elif form == "csv":
        print_csv(list(rows.values()), out)
    else:
        print(f"{about['model']} on {about['runtime']}, hop {about['hop_seconds']} s: {about['clips']} clips, each judged "
              f"by a row fitted without its source, for {about['alarms_per_hour']:g} false alarms an hour", file=out)
        print_table([{
            "class": name, "clips": one.alarms.of, "sources": len(one.sources),
            "fitted to": f"{min(one.fitted)}-{max(one.fitted)}", "area": f"{one.area_under_curve:.3f}",
            **alarm_cells(one.alarms), "mistaken": ", ".join(f"{other} {count}" for other, count in one.alarms.mistaken[:4])}
            for name, one in found.items()], out)


def _cross_row(name: str, one: CrossFit) -> Row:
    return rounded({"class": name, "clips": one.alarms.of, "sources": len(one.sources),
                    "area_under_curve": one.area_under_curve, **alarm_row(one.alarms)})


def print_scenes(found: Mapping[str, SceneFigures], about: Mapping[str, object], form: str, out: TextIO) -> None:
    """Print figures of annotated scenes as table, json or csv: of all, then of each kind.

    about: source, model, runtime, hop_seconds.
    """
    kinds = {kind: figures for kind, figures in found.items() if kind}
    if form == "json":
        by = {"kinds": {kind: _as_dict(figures) for kind, figures in kinds.items()}} if kinds else {}
        print(json.dumps({**about, **_as_dict(found[""]), **by}), file=out)
    elif form == "csv":
        print_csv([{**({"scenes": kind or "all"} if kinds else {}), **_row(target)}
                   for kind, figures in found.items() for target in figures.targets], out)
    else:
        for number, (kind, figures) in enumerate(found.items()):
            if number:
                print(file=out)
            _table(figures, f"{about['model']} on {about['runtime']}, hop {about['hop_seconds']} s: {figures.scenes} scenes"
                            f"{f' of {kind}' if kind else ''}, {figures.hours:.2f} hours", out)


def _as_dict(figures: SceneFigures) -> dict[str, object]:
    """For JSON: seconds, and null where there is nothing to count."""
    return {"scenes": figures.scenes, **rounded({"hours": figures.hours, "onset_on_time": figures.onset_on_time}),
            "events": {kind: rounded(asdict(counted)) for kind, counted in figures.together.items()},
            "segments": rounded(asdict(figures.segments)),
            "targets": {target.name: _target_dict(target) for target in figures.targets}}


def _target_dict(target: TargetFigures) -> Row:
    plain = {key: value for key, value in asdict(target).items() if key not in ("name", "events", "segments")}
    return {**rounded(plain), "events": rounded(asdict(target.events)), "segments": rounded(asdict(target.segments))}


def _row(target: TargetFigures) -> Row:
    """For CSV: empty where there is nothing to count."""
    events, segments = target.events, target.segments
    return rounded({
        "target": target.name, "kind": _kind(target), "sounds": target.sounds, "found": target.found,
        "precision": events.precision, "recall": events.recall, "f1": events.f1, "error_rate": events.error_rate,
        "segment_f1": segments.f1, "segment_error_rate": segments.error_rate, "onset_median": target.onset_median,
        "onset_95th": target.onset_95th, "onset_on_time": target.onset_on_time, "extra": target.extra,
        "alarms": target.alarms, "alarms_per_hour": target.alarms_per_hour,
        "alarms_per_hour_upper": target.alarms_per_hour_upper, "passed_over": target.passed_over})


def _kind(target: TargetFigures) -> str:
    return "impulsive" if target.impulsive else "lasting"


def _table(figures: SceneFigures, heading: str, out: TextIO) -> None:
    print(heading, file=out)
    print_table([{
        "target": target.name, "kind": _kind(target), "sounds": target.sounds, "events": target.found,
        "precis.": _share(target.events.precision), "recall": _share(target.events.recall),
        "F1": _share(target.events.f1), "error": _share(target.events.error_rate),
        "F1 1s": _share(target.segments.f1), "error 1s": _share(target.segments.error_rate),
        "onset ms": _milliseconds(target.onset_median), "95 %": _milliseconds(target.onset_95th),
        "<=50 ms": _share(target.onset_on_time), "extra": target.extra, "false/h": f"{target.alarms_per_hour:.1f}",
        "at most": f"{target.alarms_per_hour_upper:.1f}"} for target in figures.targets], out)
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
