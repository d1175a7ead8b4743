"""Text in cells: cut, padded, coloured; bars with a mark. Pure; knows terminals' letters, not terminals."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

STYLES = {"": "", "strong": "1", "dim": "2", "event": "1;32", "near": "33", "warn": "1;31"}
"""SGR numbers of each style. No style says anything that the text does not say without colour."""

Span = tuple[str, str]
"""A text and its style."""


@dataclass(frozen=True, slots=True)
class Look:
    """What the terminal can show. unicode: blocks and lines, else ASCII; colour: SGR sequences may be sent."""

    unicode: bool = True
    colour: bool = True


def utf8(environment: Mapping[str, str]) -> bool:
    """Whether the locale that the variables name is UTF-8. LC_CTYPE=C.UTF-8 under a plain C locale does not count:
    Python itself puts it there (PEP 538), whatever the terminal shows."""
    kind = environment.get("LC_CTYPE", "")
    if kind in ("C.UTF-8", "C.utf8", "UTF-8"):
        kind = ""
    name = environment.get("LC_ALL") or kind or environment.get("LANG", "")
    return name.lower().replace("-", "").endswith("utf8")


def clean(text: str, look: Look) -> str:
    """The text with "?" for what moves a cursor or what the terminal cannot show: labels come from others'
    models."""
    return "".join(letter if letter.isprintable() and (look.unicode or letter.isascii()) else "?" for letter in text)


def cells(text: str) -> int:
    """How many cells a text takes: wide letters two, marks on others none."""
    return sum(_cell(letter) for letter in text)


def _cell(letter: str) -> int:
    if unicodedata.combining(letter) or unicodedata.category(letter) == "Cf":
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def fit(text: str, width: int) -> str:
    """Cut or padded on the right to exactly `width` cells."""
    kept, used = [], 0
    for letter in text:
        used += _cell(letter)
        if used > width:
            used -= _cell(letter)
            break
        kept.append(letter)
    return "".join(kept) + " " * (width - used)


def line(spans: Iterable[Span], width: int, look: Look) -> str:
    """One line of exactly `width` cells, so that nothing of an older line stays; with colours where the look
    has any."""
    painted, room = [], width
    for text, style in spans:
        text = clean(text, look)
        if cells(text) > room:
            text = fit(text, room)
        room -= cells(text)
        painted.append(f"\x1b[{STYLES[style]}m{text}\x1b[0m" if look.colour and style and text else text)
    return "".join(painted) + " " * room


def bar(share: float | None, mark: float | None, width: int, look: Look) -> str:
    """`width` cells: filled up to `share`, with a line at `mark` (both 0 to 1; None: nothing to show)."""
    full, half, empty, stroke = ("█", "▌", "·", "│") if look.unicode else ("#", "", ".", "|")
    if width < 1:
        return ""
    halves = round(min(max(share, 0.0), 1.0) * width * 2) if share is not None else 0
    filled = full * (halves // 2) + (half if halves % 2 and half else "")
    drawn = filled + empty * (width - len(filled))
    if mark is None:
        return drawn
    at = min(int(min(max(mark, 0.0), 1.0) * width), width - 1)
    return drawn[:at] + stroke + drawn[at + 1:]
