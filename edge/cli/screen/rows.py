"""The rows of the screen: one for the level, a target, a label, an event, a refusal. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from edge.cli.screen.paint import Look, Span, bar, fit
from edge.cli.screen.refusals import Refusal
from edge.stream import SAMPLE_RATE, Event, Hearing, TargetHearing

NARROW = 60
"""Cells under which rows say less."""

QUIETEST_DBFS = -90.0
"""The left end of the level bar; its right end is full scale."""

NAME_CELLS = 20
"""The most that a name takes."""

When = Callable[[str | None, int], str]
"""Words for a moment, given as UTC in RFC 3339 (None in a recording) and as a position."""


def level_rows(hearing: Hearing | None, width: int, look: Look) -> list[list[Span]]:
    """The level with the noise floor as a mark, and the gate: one row, or two where it is narrow."""
    if hearing is None:
        return [[("level  nothing is heard", "dim")]] + ([[]] if width < NARROW else [])
    gate: Span = ("gate open", "event") if hearing.gate_open else ("gate closed", "dim")
    level, noise = f"{hearing.level_dbfs:6.1f} dBFS", f"noise {hearing.noise_dbfs:.1f}"
    room = width - (46 if width >= NARROW else 19)
    drawn = bar(_share(hearing.level_dbfs), _share(hearing.noise_dbfs), room, look)
    if width >= NARROW:
        return [[("level ", ""), (level, "strong"), (f" {drawn} {noise:<12}  ", ""), gate]]
    return [[("level ", ""), (level, "strong"), (f" {drawn}", "")], [(f"{noise} dBFS, ", ""), gate]]


def _share(dbfs: float) -> float:
    return 1.0 - dbfs / QUIETEST_DBFS


def target_row(target: TargetHearing, width: int, name: int, look: Look) -> list[Span]:
    """E where an event goes on, the name, the probability as a bar with the threshold as its mark, both in figures."""
    if target.running:
        style = "event"
    else:
        style = "near" if target.probability is not None and target.probability >= target.threshold / 2 else ""
    figures = f"{_figure(target.probability)}/{_figure(target.threshold)}"
    drawn = bar(target.probability, target.threshold, width - name - len(figures) - 4, look)
    return [(f"{'E' if target.running else ' '} {fit(target.target, name)} {drawn} {figures}", style)]


def label_row(label: str, score: float, width: int, look: Look) -> list[Span]:
    """The label and its score as a bar."""
    name = min(NAME_CELLS + 8, max(width * 2 // 5, 8))
    drawn = bar(score, None, width - name - 8, look)
    return [(f"  {fit(label, name)} {drawn} {_figure(score)}", "")]


def event_row(event: Event, width: int, name: int, when: When, *, cut_off: bool = False) -> list[Span]:
    """E while the event goes on; when, what, how sure, and how long. cut_off: nobody will tell the event's
    end."""
    running = event.end is None and not cut_off
    lasted = "goes on" if running else "end not heard" if cut_off else f"lasted {event.duration_seconds:.2f} s"
    told = _when(when(event.started_at.astimezone(UTC).isoformat(), event.start), width)
    text = f"{told} {fit(event.target, name)} {_figure(event.probability)} {lasted}"
    return [(f"E {text}", "event") if running else (f"  {text}", "")]


def refusal_row(refusal: Refusal, width: int, name: int, when: When) -> list[Span]:
    """x; when, what, the highest probability against the threshold where there is room, and the reason."""
    figures = f"{_figure(refusal.probability)}/{_figure(refusal.threshold)} " if width >= NARROW else ""
    told = _when(when(refusal.at, refusal.position), width)
    return [(f"x {told} {fit(refusal.target, name)} {figures}{refusal.reason}", "")]


def _when(words: str, width: int) -> str:
    """The words at the right of ten cells; in a narrow row of seven cells, without "ago"."""
    return f"{words:>10}" if width >= NARROW else f"{words.removesuffix(' ago'):>7}"


def ago(at: str | None, now: datetime) -> str:
    """How long ago a moment was, shortly: "3 s", "12 min", "2 h"."""
    if at is None:
        return ""
    seconds = max((now - datetime.fromisoformat(at)).total_seconds(), 0.0)
    if seconds < 100:
        return f"{seconds:.0f} s ago"
    return f"{seconds / 60:.0f} min ago" if seconds < 6000 else f"{seconds / 3600:.0f} h ago"


def into(position: int) -> str:
    """A position as time since the recording's start: "1:02.35"."""
    minutes, seconds = divmod(max(position, 0) / SAMPLE_RATE, 60)
    return f"{minutes:.0f}:{seconds:05.2f}"


def _figure(value: float | None) -> str:
    """Four cells."""
    return "  - " if value is None else f"{min(value, 9.99):.2f}"
