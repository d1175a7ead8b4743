"""Rows of results: a table for people, JSON lines or CSV for programs."""

from __future__ import annotations

import csv
import json
import math
import re
import sys
from collections.abc import Mapping, Sequence
from typing import TextIO

from edge.learn.alarms import Alarms

Row = Mapping[str, object]
"""One line of results by column. The rows of one table share their keys, in the same order."""
_NUMBER = re.compile(r"-?[\d,]*\.?\d+|")


def print_rows(rows: Sequence[Row], form: str, *, empty: str = "") -> None:
    """Print rows on standard output as a table, as json (one object a line) or as csv.

    empty: what a table without rows says instead.
    """
    if form == "json":
        for row in rows:
            print(json.dumps(row, ensure_ascii=False))
    elif form == "csv":
        print_csv(rows, sys.stdout)
    elif empty and not rows:
        print(empty)
    else:
        print_table(rows, sys.stdout)


def print_csv(rows: Sequence[Row], out: TextIO, *, heading: bool = True) -> None:
    """Print rows as CSV, with `heading` under a line of the columns' names. No rows print nothing."""
    writer = csv.writer(out, lineterminator="\n")
    if rows and heading:
        writer.writerow(rows[0])
    writer.writerows(row.values() for row in rows)


def print_table(rows: Sequence[Row], out: TextIO) -> None:
    """Print rows in columns as wide as their cells. Columns of numbers only are aligned to the right."""
    columns = []
    for name in rows[0] if rows else ():
        cells = [_text(row[name]) for row in rows]
        width = max(map(len, (name, *cells)))
        right = all(_NUMBER.fullmatch(cell) for cell in cells)
        columns.append([cell.rjust(width) if right else cell.ljust(width) for cell in (name, *cells)])
    for line in zip(*columns, strict=True):
        print("  ".join(line).rstrip(), file=out)


def _text(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else "" if value is None else str(value)


def rounded(row: Row) -> dict[str, object]:
    """A row for programs: numbers to four digits behind the point, None for those that are not finite."""
    return {name: (round(value, 4) if math.isfinite(value) else None) if isinstance(value, float) else value
            for name, value in row.items()}


def short(value: float) -> float | None:
    """A number for programs with four digits that count; None where it is not finite."""
    return float(f"{value:.4g}") if math.isfinite(value) else None


def rough(value: float) -> str:
    """A number for people with two digits that count, without a power of ten: 0.95, 240, 23,000."""
    return f"{value:.2g}" if value < 10.0 else f"{float(f'{value:.2g}'):,.0f}"


def with_interval(share: float, interval: tuple[float, float]) -> str:
    """A share with its 95 % interval, for people: 0.98 (0.95-1.00). Empty for NaN."""
    return "" if math.isnan(share) else f"{share:.2f} ({interval[0]:.2f}-{interval[1]:.2f})"


ALARM_COLUMNS = ("heard", "heard_low", "heard_high", "false_alarms", "hours", "false_alarms_per_hour",
                 "false_alarms_per_hour_upper")


def alarm_row(alarms: Alarms | None) -> dict[str, object]:
    """Recall and false alarms for programs, by ALARM_COLUMNS; None each where there is no target."""
    if alarms is None:
        return dict.fromkeys(ALARM_COLUMNS)
    values = (alarms.heard / alarms.of, *alarms.heard_interval, alarms.alarms, alarms.hours, alarms.per_hour,
              alarms.per_hour_upper)
    return dict(zip(ALARM_COLUMNS, values, strict=True))


def alarm_cells(alarms: Alarms) -> dict[str, object]:
    """Recall and false alarms for people."""
    return {"heard": with_interval(alarms.heard / alarms.of, alarms.heard_interval), "false": alarms.alarms,
            "hours": f"{alarms.hours:.2f}", "false/h": f"{alarms.per_hour:.1f}", "at most": f"{alarms.per_hour_upper:.1f}"}
