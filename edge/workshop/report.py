"""What `classify`, `evaluate` and `calibrate` say: tables for people, JSON or CSV for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import TextIO

from edge.control.calibrations import release_too_high
from edge.learn.evaluate import ClassFigures, Figures
from edge.learn.tail import fit_tail
from edge.model.calibration import TargetCalibration
from edge.stream import SAMPLE_RATE
from edge.workshop.classify import Classification
from edge.workshop.rows import Row, alarm_cells, alarm_row, print_csv, print_table, rough, rounded, short, with_interval
from edge.workshop.session import Result, Session


class ClassificationPrinter:
    """Prints one classification after the other in one form."""

    def __init__(self, form: str, out: TextIO, *, top: int = 5, score_threshold: float = 0.0, allow: Sequence[str] = (),
                 deny: Sequence[str] = ()) -> None:
        """form: table, json or csv. The rest chooses labels, as `Classification.best` says."""
        self._form = form
        self._out = out
        self._choice = {"top": top, "score_threshold": score_threshold, "allow": allow, "deny": deny}
        self._first = True

    def print(self, result: Classification) -> None:
        """Print one."""
        if self._form == "json":
            print(json.dumps(result.as_dict(**self._choice), allow_nan=False), file=self._out)
        elif self._form == "csv":
            rows = self._rows(result)
            print_csv(rows, self._out, heading=self._first)
            self._first = self._first and not rows
        else:
            self._table(result)

    def _rows(self, result: Classification) -> list[Row]:
        """One row for each label shown of each patch, and one for each event."""
        def row(kind: str, start: float, end: float, name: str, value: float) -> Row:
            return {"file": result.file, "kind": kind, "start_seconds": f"{start:.3f}", "end_seconds": f"{end:.3f}",
                    "name": name, "value": value}

        patch_seconds = result.patch_samples / SAMPLE_RATE
        rows = [row("score", start, start + patch_seconds, label, score) for patch, start in enumerate(result.starts)
                for label, score in result.best(patch, **self._choice).items()]  # type: ignore[arg-type]
        return rows + [row("event", start, end, event.target, round(event.probability, 4))
                       for event, start, end in result.timed_events()]

    def _table(self, result: Classification) -> None:
        print(f"{result.file}  ({result.duration_seconds:.2f} s, {result.model} on {result.runtime}, "
              f"hop {result.hop_seconds:g} s)", file=self._out)
        for patch, start in enumerate(result.starts):
            best = result.best(patch, **self._choice)  # type: ignore[arg-type]
            shown = "  ".join(f"{label} {score:.2f}" for label, score in best.items())
            top = next(iter(best.values()), 0.0)
            print(f"  {start:7.2f} s  {'#' * round(top * 10):<10}  {shown}", file=self._out)
        if not result.events:
            print("  no event", file=self._out)
        for event, start, end in result.timed_events():
            print(f"  event  {event.target}  {start:.2f} to {end:.2f} s  probability {event.probability:.2f}",
                  file=self._out)
        self._out.flush()


def print_clips(figures: Figures, about: Mapping[str, object], form: str, out: TextIO) -> None:
    """Print figures of labelled clips as table, json or csv.

    about: source, split, model, runtime, hop_seconds, hours.
    """
    rows = {row.name: _clip_row(row) for row in figures.classes}
    if form == "json":
        confusion = figures.confusion
        whole = {**about, "clips": figures.clips, "classified": figures.classified, "accuracy": round(figures.accuracy, 4),
                 "accuracy_interval": [round(figures.accuracy_low, 4), round(figures.accuracy_high, 4)],
                 "classes": {row.name: {**rows[row.name], "mistaken": dict(row.alarms.mistaken) if row.alarms else None}
                             for row in figures.classes},
                 "confusion": {"rows": confusion.rows, "columns": confusion.columns, "counts": confusion.counts.tolist()}}
        print(json.dumps(whole), file=out)
    elif form == "csv":
        print_csv([{"class": name, **row} for name, row in rows.items()], out)
    else:
        _clip_tables(figures, about, out)


def _clip_row(row: ClassFigures) -> Row:
    """One class for programs; None where there is nothing to count."""
    alarms = row.alarms
    return rounded({
        "clips": row.clips, "negatives": row.negatives, "area_under_curve": row.area_under_curve,
        "recall": row.recall, "recall_low": row.recall_interval[0], "recall_high": row.recall_interval[1],
        "precision": row.precision, "precision_low": row.precision_interval[0],
        "precision_high": row.precision_interval[1], "f1": row.f1,
        "target": alarms.target if alarms else None, "threshold": alarms.threshold if alarms else None, **alarm_row(alarms)})


def _clip_tables(figures: Figures, about: Mapping[str, object], out: TextIO) -> None:
    print(f"{about['model']} on {about['runtime']}, hop {about['hop_seconds']} s: {figures.clips} clips, "
          f"{about['hours']} hours", file=out)
    print(f"accuracy {figures.accuracy:.1%} ({figures.accuracy_low:.1%} to {figures.accuracy_high:.1%}) over "
          f"{figures.classified} clips of {len(figures.classes)} classes that the model has labels for", file=out)
    print("\na clip is taken for the class that scores highest", file=out)
    print_table([{"class": row.name, "clips": row.clips, "others": row.negatives, "area": f"{row.area_under_curve:.3f}",
                  "precision": with_interval(row.precision, row.precision_interval),
                  "recall": with_interval(row.recall, row.recall_interval), "F1": f"{row.f1:.2f}"}
                 for row in figures.classes], out)
    print("\nat the threshold that serves, whatever scores higher; false alarms in the clips without it", file=out)
    print_table([{"class": row.name, "threshold": f"{row.alarms.threshold:.3f}", **alarm_cells(row.alarms)}
                 for row in figures.classes if row.alarms is not None], out)
    none = [row.name for row in figures.classes if row.alarms is None]
    if none:
        print(f"no target, and so no threshold: {', '.join(none)}", file=out)


def print_results(session: Session, results: Sequence[Result], form: str, *, dry_run: bool) -> None:
    """The results on standard output, in the form that --format names."""
    if form == "json":
        print(json.dumps({**_about(session), "targets": {one.target: _dict(one) for one in results}}))
    elif form == "csv":
        print_csv([{"target": one.target, **_flat(_dict(one))} for one in results], sys.stdout)
    else:
        _table(session, results, dry_run)


def print_list(session: Session, form: str) -> int:
    """What serves each target now, and what does not fit; the exit code: 1 where something does not."""
    entries, problems = session.served.entries, session.served.problems
    if form == "json":
        print(json.dumps({**_about(session), "targets": {name: _entry(entry) for name, entry in entries.items()},
                          "problems": problems}))
    elif form == "csv":
        print_csv([{"target": name, "made": entry.made, "threshold": f"{entry.threshold:.6g}",
                    "alarms_per_day": f"{entry.expected.alarms_per_day:.3g}",
                    "alarms_upper": f"{entry.expected.alarms_upper:.3g}"} for name, entry in entries.items()], sys.stdout)
    else:
        for target in session.targets:
            entry = entries.get(target.name)
            print(f"{target.name:<16}{_line(entry) if entry else f'threshold {target.threshold:.3f}, not calibrated'}")
    if form != "json":
        for problem in problems:
            print(problem, file=sys.stderr)
    return 1 if problems else 0


def _about(session: Session) -> dict[str, object]:
    return {"model": session.model.manifest.name, "runtime": session.model.runtime_name,
            "budget_per_day": round(session.budget.per_day, 6), "varied_minutes": round(session.budget.varied_hours * 60, 3)}


def _entry(entry: TargetCalibration) -> dict[str, object]:
    expected = entry.expected
    return {"made": entry.made, "labels": entry.labels, "scale": entry.scale, "scale_below": entry.scale_below,
            "offset": entry.offset, "threshold": entry.threshold, "release_threshold": entry.release_threshold,
            "alarms_per_day": short(expected.alarms_per_day), "alarms_upper": short(expected.alarms_upper),
            "extrapolated": expected.extrapolated, "misses": expected.misses,
            "room_hours": entry.room.hours if entry.room else None,
            "error_before": expected.error_before, "error_after": expected.error_after}


def _dict(one: Result) -> dict[str, object]:
    found = _entry(one.entry)
    if one.highest is not None:
        found["highest_logit"], found["highest_at"] = round(one.highest[0], 3), one.highest[1]
    if one.strict is not None:
        found["threshold_for_budget"], found["misses_for_budget"] = one.strict.threshold, one.strict.expected.misses
        found["misses_without_room"] = one.alone.expected.misses if one.alone is not None else None
    if one.worth is not None:
        worth = one.worth
        found |= {"form": worth.form, "recall": [round(value, 4) for value in worth.recall],
                  "alarms": worth.alarms, "hours": round(worth.hours, 3),
                  "alarms_per_hour": short(worth.alarms / worth.hours) if worth.hours else None,
                  "alarms_per_hour_upper": short(worth.upper), "positives": int(worth.present.sum()),
                  "negatives": int((~worth.present).sum()), "positive_groups": worth.groups[0],
                  "negative_groups": worth.groups[1]}
    return found


def _flat(found: dict[str, object]) -> dict[str, object]:
    return {key: " ".join(map(str, value)) if isinstance(value, (list, tuple)) else value for key, value in found.items()}


def _line(entry: TargetCalibration) -> str:
    """One target in a line."""
    expected = entry.expected
    misses = ""
    if expected.misses is not None and entry.positives is not None:
        share, low, high = expected.misses
        misses = f"; misses {share:.0%} ({low:.0%} to {high:.0%} of {entry.positives.count})"
    return (f"{entry.made:<9}threshold {entry.threshold:.4f}; false alarms a day {rough(expected.alarms_per_day)} "
            f"(at most {rough(expected.alarms_upper)}){misses}")


def _table(session: Session, results: Sequence[Result], dry_run: bool) -> None:
    model, budget = session.model, session.budget
    print(f"{model.manifest.name} on {model.runtime_name}; budget {budget.per_day:g} false alarms a day for each target; "
          f"a day is taken to hold {budget.varied_hours * 60:g} minutes of varied sound")
    for one in results:
        was = f"{one.before.threshold:.4f} ({one.before.made})" if one.before else "none"
        print(f"{one.target:<16}{_line(one.entry)}; before: {was}")
        for line in (*_worth(one), *_room(one), *one.listening(budget), *one.deaf()):
            print(f"{'':<16}{line}")
    given = [target.name for target in session.settings.target if target.threshold]
    if set(given) & {one.target for one in results}:
        print(f"The settings' own thresholds of {', '.join(given)} go before these.")
    thresholds = {one.target: one.entry.threshold for one in results}
    for target in session.settings.target:
        if target.name in thresholds and release_too_high(target, thresholds[target.name]):
            print(f"The settings' release_threshold of {target.name}, {target.release_threshold:g}, lies over this "
                  "threshold, which serves for both: take release_threshold out of the settings.")
    if any(one.entry.expected.extrapolated for one in results):
        print("Drawn out: too few such alarms were heard to count them, so the fall of the highest peaks was followed on. "
              "\"At most\" is the upper 95 % bound of that, for days like what was heard.")
    print("nothing was kept" if dry_run else f"kept in {session.path}")


def _worth(one: Result) -> list[str]:
    if one.worth is None:
        return []
    worth, expected = one.worth, one.entry.expected
    share, low, high = worth.recall
    form = {"beta": "beta calibration", "platt": "Platt"}.get(worth.form, "no curve, as the bare score does as well")
    fit = (f"{int(worth.present.sum())} with it ({worth.groups[0]} sources), {int((~worth.present).sum())} without "
           f"({worth.groups[1]}); {form}: calibration error {expected.error_before:.3f} before, "
           f"{expected.error_after:.3f} after")
    alarms = (f"{worth.alarms} false alarms in {worth.hours:.2f} h out of fold: {worth.alarms / worth.hours:.1f} an hour "
              f"(at most {worth.upper:.1f})")
    return [fit, f"recall {share:.2f} ({low:.2f} to {high:.2f}); {alarms}"]


def _room(one: Result) -> list[str]:
    room = one.entry.room
    if room is None or one.worth is not None:
        return []
    tail = fit_tail(room)
    drawn = f"its tail drawn from the highest {tail.over}" if tail.over else "too few to draw a tail from"
    highest = f", the highest {one.highest[0]:.1f} at {one.highest[1]}" if one.highest else ""
    lines = [f"room: {room.hours * 60:.1f} minutes, {room.count} peaks{highest}; {drawn}"]
    entry, strict, alone = one.entry, one.strict, one.alone
    if alone is not None and alone.expected.misses is not None and entry.expected.misses is not None:
        cost = max(entry.expected.misses[0] - alone.expected.misses[0], 0.0)
        lines.append(f"the room costs {cost:.0%} of the recordings of it")
    if strict is not None and strict.expected.misses is not None and strict.threshold > entry.threshold:
        lines.append(f"held back: a whole day of this room within the budget takes {strict.threshold:.4f} and misses "
                     f"{strict.expected.misses[0]:.0%} (--cost 1 does it)")
    return lines
