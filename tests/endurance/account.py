"""What hours of sound did to the appliance, and what of it must not be. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.endurance.vitals import Vitals

SETTLED_HOURS = 2
"""After so many hours memory is as it stays."""
GROWTH_KILOBYTES = 1_024
NONE_OF = ("gaps", "lost_samples", "dropped_samples", "passed_patches", "dropped_events")
"""Counters of health that stay 0: else what was fed is not what was heard."""

HEAD = "| after hours of sound | memory, MB | its own | threads | descriptors | events | written, MB | journal, MB |"

Heard = tuple[str, str, int, int | None, float]
"""Target, phase, start and end (samples from the hour's beginning), probability."""


@dataclass(frozen=True)
class Hour:
    """One hour of sound: its messages as the watcher had them, how many of them the broker's subscriber lacks, how the
    process was at its end, and the journal's size then in bytes."""

    heard: tuple[Heard, ...]
    missing: int
    vitals: Vitals
    journal: int


def findings(hours: Sequence[Hour], counters: Mapping[str, float], lost: int) -> list[str]:
    """What must not be, in words; empty where all is well. counters: of health, at the end; lost: a watcher's messages."""
    found = [f"hour {number}: {hour.missing} messages did not reach the subscriber"
             for number, hour in enumerate(hours, 1) if hour.missing]
    first = hours[0]
    if not first.heard:
        found.append("hour 1: no event")
    for number, hour in enumerate(hours[1:], 2):
        if (words := difference(first.heard, hour.heard)) is not None:
            found.append(f"hour {number}: not the events of hour 1: {words}")
        for what in ("threads", "descriptors"):
            before, now = (getattr(each.vitals, what) for each in (first, hour))
            if now > before:
                found.append(f"hour {number}: {now} {what}; after hour 1 {before}")
    if (grown := growth(hours)) is not None and grown > GROWTH_KILOBYTES:
        found.append(f"memory grew by {grown} kB after hour {SETTLED_HOURS}; wanted {GROWTH_KILOBYTES} at most")
    found += [f"{name}: {counters[name]:g}; wanted none" for name in NONE_OF if counters[name]]
    return found + ([f"the watcher lost {lost} messages"] if lost else [])


def growth(hours: Sequence[Hour]) -> int | None:
    """By how many kB resident memory rose at most after hour 2; below 0 where it only fell; None of fewer than 3 hours."""
    later = [hour.vitals.rss for hour in hours[SETTLED_HOURS:]]
    return max(later) - hours[SETTLED_HOURS - 1].vitals.rss if later else None


def difference(wanted: Sequence[Heard], found: Sequence[Heard]) -> str | None:
    """The first message that differs, in words; None where all are the same."""
    for one, other in zip(wanted, found, strict=False):
        if one != other:
            return f"{other}; wanted {one}"
    return None if len(wanted) == len(found) else f"{len(found)} messages; wanted {len(wanted)}"


def summary(hours: Sequence[Hour]) -> str:
    """What the table does not say, in words for the guide."""
    grown = growth(hours)
    same = sum(difference(hours[0].heard, hour.heard) is None for hour in hours[1:])
    words = [f"{len(hours)} hours, {len(hours) - 1} of them the first one's sound again: {same} had the first one's events."]
    if grown is not None:
        words.append(f"Memory after hour {SETTLED_HOURS}: {grown:+d} kB at most. Written in an hour: "
                     f"{(hours[-1].vitals.wrote - hours[0].vitals.wrote) / (len(hours) - 1) / 1e6:.1f} MB.")
    return " ".join(words)


def table(hours: Sequence[Hour]) -> str:
    """The guide's table: the first hours, then each after twice as many, and the last."""
    rows = [HEAD, "|---|---|---|---|---|---|---|---|"]
    shown = sorted({number for number in (1, 2, 3, 6, 12, 24) if number < len(hours)} | {len(hours)})
    for number in shown:
        hour = hours[number - 1]
        starts = sum(one[1] == "start" for each in hours[:number] for one in each.heard)
        rows.append(f"| {number} | {hour.vitals.rss / 1_000:.1f} | {hour.vitals.anonymous / 1_000:.1f} | "
                    f"{hour.vitals.threads} | {hour.vitals.descriptors} | {starts:,} | {hour.vitals.wrote / 1e6:.1f} | "
                    f"{hour.journal / 1e6:.1f} |")
    return "\n".join(rows)
