"""Print figures of scenes of single sounds: tables for people, CSV and JSON for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TextIO

from edge.workshop.rows import Row, print_csv, print_table, rounded
from models.measuring.lasting import LastingFigures
from models.measuring.onsets import OnsetFigures, Share


def print_onsets(found: Sequence[OnsetFigures], about: Mapping[str, object], form: str, out: TextIO) -> None:
    """Print figures by target as table, json or csv. about: source, model, runtime, hop_seconds."""
    if form == "json":
        _print_json(found, about, out)
        return
    rows = [_row(one, "", one.recall) for one in found]
    rows += [_row(one, value, shares) for one in found for value, shares in one.recall_by.items()]
    if not any(row["of"] for row in rows):
        rows = [{name: value for name, value in row.items() if name != "of"} for row in rows]
    if form == "csv":
        print_csv(rows, out)
        return
    _print_table(found, about, rows, out)
    print("\nsounds that raise another target", file=out)
    print_table([{"target": one.target, "sound": label, "raise it": share.count, "of": share.of, "share": _share(share)}
                 for one in found for label, share in one.taken.items() if share.count], out)
    print("\nfalse alarms by background", file=out)
    print_table([{"target": one.target, "background": kind, "false alarms": alarms.count, "hours": f"{alarms.hours:.2f}",
                  "an hour": f"{alarms.per_hour:.1f}", "at most": f"{alarms.per_hour_upper:.1f}"}
                 for one in found for kind, alarms in one.alarms_by.items()], out)


def print_lasting(found: Sequence[LastingFigures], about: Mapping[str, object], form: str, out: TextIO) -> None:
    """Print figures of lasting sounds by target as table, json or csv. about: source, model, runtime, hop_seconds."""
    if form == "json":
        _print_json(found, about, out)
        return
    rows: list[Row] = [{
        "target": one.target, "ratio": ratio, "within 2 s": _share(one.soon[ratio]), "in all": _share(one.found[ratio]),
        "sounds": one.soon[ratio].of, "told after s": _seconds(one.delay_median),
        "false/h": f"{one.alarms.per_hour:.1f}", "at most": f"{one.alarms.per_hour_upper:.1f}"}
        for one in found for ratio in one.soon]
    if form == "csv":
        print_csv(rows, out)
        return
    _print_table(found, about, rows, out)


def _print_json(found: Sequence[OnsetFigures | LastingFigures], about: Mapping[str, object], out: TextIO) -> None:
    print(json.dumps({**about, "targets": {one.target: _plain(asdict(one)) for one in found}}), file=out)


def _print_table(found: Sequence[OnsetFigures | LastingFigures], about: Mapping[str, object], rows: Sequence[Row],
                 out: TextIO) -> None:
    hours = found[0].alarms.hours
    print(f"{about['model']} on {about['runtime']}, hop {about['hop_seconds']} s: {hours:.2f} hours of scenes", file=out)
    print_table(rows, out)


def _row(one: OnsetFigures, value: str, shares: Mapping[str, Share]) -> Row:
    cells = {ratio: _share(shares[ratio]) if ratio in shares else "" for ratio in one.recall}
    if value:
        return {"target": one.target, "of": value, **cells, "sounds": max(share.of for share in shares.values()),
                "false/h": "", "at most": "", "extra": "", "hard taken": "", "told after s": "", "95 %": ""}
    return {"target": one.target, "of": "", **cells, "sounds": max(share.of for share in shares.values()),
            "false/h": f"{one.alarms.per_hour:.1f}", "at most": f"{one.alarms.per_hour_upper:.1f}",
            "extra": str(one.extra), "hard taken": f"{_share(one.hard)} of {one.hard.of}",
            "told after s": _seconds(one.delay_median), "95 %": _seconds(one.delay_95th)}


def _seconds(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.2f}"


def _share(share: Share) -> str:
    return f"{share.share:.2f} ({share.low:.2f}-{share.high:.2f})"


def _plain(value: object) -> object:
    """For JSON: numbers rounded, null where there is nothing to count."""
    if isinstance(value, Mapping):
        own = rounded({key: one for key, one in value.items() if not isinstance(one, Mapping)})
        return {key: _plain(one) if isinstance(one, Mapping) else own[key] for key, one in value.items()}
    return value
