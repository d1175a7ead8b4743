"""The recordings that tests sample: which, and in an order that serves as recordings are added."""

from __future__ import annotations

import csv
import hashlib
from itertools import chain, zip_longest
from pathlib import Path

Row = dict[str, str]
"""One recording: a row of `manifest.csv`."""

FIRST = 2_536
"""Recordings until 2026-11-28, the first rows of the manifest. Older bounds were measured on them."""
_FIRST_DIGEST = "803b53b7b84ac222e4a541e1e141153efd6a883868e119e416aac1ce2213cfb6"
"""SHA-256 of their SHA-256s: they still stand first, and still are what they were."""


def recordings(shared: Path) -> list[Row]:
    """Every recording of a sound, in the manifest's order. A room's response (`rir`) is no sound."""
    return [row for row in _manifest(shared) if row["class"] != "rir"]


def first_and_later(shared: Path) -> tuple[list[Row], list[Row]]:
    """The recordings there were until 2026-11-28, and those of sounds that were added since."""
    rows = _manifest(shared)
    digest = hashlib.sha256("".join(row["sha256"] for row in rows[:FIRST]).encode()).hexdigest()
    assert digest == _FIRST_DIGEST, "the first recordings of the manifest are not those that bounds were measured on"
    return rows[:FIRST], [row for row in rows[FIRST:] if row["class"] != "rir"]


def classes_in_turn(rows: list[Row]) -> list[Row]:
    """The same rows: one of each class, then the next of each, by their digests."""
    by_class: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda row: (row["class"], row["sha256"])):
        by_class.setdefault(row["class"], []).append(row)
    return [row for row in chain.from_iterable(zip_longest(*by_class.values())) if row is not None]


def _manifest(shared: Path) -> list[Row]:
    with (shared / "data" / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
