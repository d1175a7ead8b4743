"""Rows of results as a table for people, JSON lines or CSV."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping, Sequence


def print_rows(rows: Sequence[Mapping[str, object]], form: str, *, empty: str = "") -> None:
    """Print rows that share their keys. form: table, json (an object a line) or csv. empty: what a table of none says."""
    if form == "json":
        for row in rows:
            print(json.dumps(row, ensure_ascii=False))
        return
    if not rows:
        if form == "table" and empty:
            print(empty)
        return
    if form == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(rows[0])
        writer.writerows(list(row.values()) for row in rows)
        return
    cells = [[str(key) for key in rows[0]], *([_text(value) for value in row.values()] for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    for line in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _text(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else "" if value is None else str(value)
