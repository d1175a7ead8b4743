"""What `classify` and `evaluate` say: tables for people, JSON or CSV for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TextIO

from edge.learn.evaluate import ClassFigures, Figures
from edge.stream import SAMPLE_RATE
from edge.workshop.classify import Classification
from edge.workshop.rows import Row, alarm_cells, alarm_row, print_csv, print_table, rounded, with_interval


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
