"""What the names of a message must hold, by its kind, so that whoever listens need not ask. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

Check = Callable[[Any], bool]
Shape = Any
"""A check of one value; names with their shapes; or, in a list, the one shape that each entry has."""
FARTHEST = 1 << 53
"""A whole number from here on is no whole number to everybody who reads JSON."""
DEEPEST = 12
"""Lists and objects in one another: ours are four deep, and what is hundreds deep cannot be handed on."""


def text(value: Any) -> bool:
    """A text."""
    return isinstance(value, str)


def flag(value: Any) -> bool:
    """true or false."""
    return isinstance(value, bool)


def number(value: Any) -> bool:
    """A number that is finite, and of a size that floats tell apart."""
    return type(value) in (int, float) and -FARTHEST < value < FARTHEST


def whole(value: Any) -> bool:
    """A whole number."""
    return type(value) is int and -FARTHEST < value < FARTHEST


def date(value: Any) -> bool:
    """A date and time with its offset from UTC."""
    try:
        return datetime.fromisoformat(value).tzinfo is not None and bool(datetime.fromisoformat(value).astimezone(UTC))
    except (TypeError, ValueError, OverflowError):
        return False


def phase(value: Any) -> bool:
    """A phase of an event."""
    return value in ("start", "end")


def or_null(check: Check) -> Check:
    """What the check takes, or null."""
    return lambda value: value is None or check(value)


def of_any(check: Check) -> Check:
    """An object of any names, each of whose values the check takes."""
    return lambda value: isinstance(value, dict) and all(map(check, value.values()))


SHAPES: Mapping[str, Shape] = {
    "about": {"device": text, "about": lambda value: isinstance(value, dict)},
    "hearing": {
        "start": whole, "end": whole, "level_dbfs": number, "noise_dbfs": number, "gate_open": flag,
        "top": [{"label": text, "score": number}],
        "targets": [{"target": text, "label": text, "probability": or_null(number), "threshold": number, "running": flag,
                     "refused": text}]},
    "event": {
        "start": whole, "end": or_null(whole),
        "event": {"id": text, "sequence": whole, "phase": phase, "target": text, "label": text, "probability": number,
                  "score": number, "started_at": date, "ended_at": or_null(date), "level_dbfs": number}},
    "answer": {"command": text, "request": or_null(text), "ok": flag, "error": or_null(text)},
    "pins": {"pins": of_any(flag)},
    "health": {"health": of_any(number)},
    "lost": {"messages": whole},
    "refused": {"reason": text},
}
"""By kind. Names beside these are as they are; bands and sound are looked at where they are unpacked."""
ABOUT: Mapping[str, Shape] = {
    "source": text, "source_live": flag, "source_trouble": text, "muted": flag, "model": text, "version": text, "pace": text,
    "delegate": text, "update": text, "sinks": of_any(text), "waiting_messages": whole}
"""Names of `about` that somebody looks at; each may be missing."""


def misfit(told: Mapping[str, Any]) -> str:
    """Which name of a message holds what it must not, or is missing; empty: none."""
    if too_deep(told):
        return "lists or objects in one another"
    for name, check in (("kind", text), ("at", or_null(date))):
        if not check(told.get(name)):
            return name
    found = _misfit(told, SHAPES.get(told["kind"], {}))
    if not found and told["kind"] == "about":
        found = next((name for name, check in ABOUT.items() if name in told["about"] and not check(told["about"][name])), "")
    return found


def too_deep(value: Any) -> bool:
    """Whether lists and objects are in one another, more than DEEPEST of them."""
    level = [value]
    for _ in range(DEEPEST):
        level = [inner for each in level for inner in (each.values() if isinstance(each, dict) else each)
                 if isinstance(inner, dict | list)]
        if not level:
            return False
    return True


def _misfit(value: Any, shape: Shape) -> str:
    if isinstance(shape, list):
        if not isinstance(value, list):
            return "a list"
        return next((found for each in value if (found := _misfit(each, shape[0]))), "")
    if not isinstance(value, dict):
        return "an object"
    for name, inner in shape.items():
        if name not in value or (callable(inner) and not inner(value[name])):
            return str(name)
        if not callable(inner) and (found := _misfit(value[name], inner)):
            return f"{name}: {found}"
    return ""
