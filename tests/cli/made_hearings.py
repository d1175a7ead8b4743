"""Made-up hearings and events, for what is shown of them; and the project's own screen to show them on."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from edge.sinks.watching.messages import Message, event_message, hearing_message
from edge.stream import SAMPLE_RATE, Event, Hearing, TargetHearing

HOP = 3_840
PATCH = 15_600
NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


def target(name: str = "hand_clap", probability: float | None = 0.1, *, threshold: float = 0.5, running: bool = False,
           refused: str = "") -> TargetHearing:
    return TargetHearing(name, name, probability, threshold, running, refused)


def hearing(*targets: TargetHearing, position: int = 0, level: float = -40.0, noise: float = -60.0, gate_open: bool = True,
            top: tuple[tuple[str, float], ...] = (("hand_clap", 0.1),)) -> Hearing:
    return Hearing(position, level, noise, gate_open, top if gate_open else (), targets)


def hearing_told(*targets: TargetHearing, at: str | None = None, **others: object) -> Message:
    return hearing_message(hearing(*targets, **others), PATCH, at)  # type: ignore[arg-type]


def event(name: str = "hand_clap", *, seconds: float = 1.0, lasted: float | None = None, number: int = 1) -> Event:
    start = round(seconds * SAMPLE_RATE)
    end = None if lasted is None else start + round(lasted * SAMPLE_RATE)
    started = NOON + timedelta(seconds=seconds)
    ended = None if lasted is None else started + timedelta(seconds=lasted)
    return Event(f"id-{name}-{seconds}", number, "start" if end is None else "end", name, name, 0.9, 0.8, start, end,
                 started, ended, -20.0)


def event_told(*arguments: object, **others: object) -> Message:
    return event_message(event(*arguments, **others), "kitchen", None)  # type: ignore[arg-type]


class Screen:
    """A small VT100: what `feed` was given, as a person sees it. Strict: a sequence that it does not know is an error."""

    def __init__(self, columns: int, lines: int) -> None:
        self.resize(columns, lines)
        self.modes: dict[str, bool] = {"?7": True, "?25": True, "?1049": False}
        self.styles: set[str] = set()
        self.other = ""
        """What went to the ordinary screen (text, line breaks)."""
        self._rest = ""

    def resize(self, columns: int, lines: int) -> None:
        """Another size, blank."""
        self.columns, self.lines = columns, lines
        self.cells = [[" "] * columns for _ in range(lines)]
        self.row = self.column = 0

    def text(self) -> list[str]:
        """The lines, without the blanks at their ends."""
        return ["".join(row).rstrip() for row in self.cells]

    def feed(self, data: str) -> None:
        """Take output, cut anywhere."""
        data, self._rest = self._rest + data, ""
        while data:
            if data[0] != "\x1b":
                self._letter(data[0])
                data = data[1:]
                continue
            found = re.match(r"\x1b\[(\??[\d;]*)([A-Za-z])", data)
            if found is None:
                assert len(data) < 12 and re.fullmatch(r"\x1b(\[\??[\d;]*)?", data), f"unknown sequence {data[:12]!r}"
                self._rest = data
                return
            self._sequence(*found.groups())
            data = data[found.end():]

    def _letter(self, letter: str) -> None:
        if not self.modes["?1049"]:
            self.other += letter
            return
        assert letter.isprintable(), f"{letter!r} on the screen"
        assert self.row < self.lines and self.column < self.columns, f"{letter!r} off the screen"
        self.cells[self.row][self.column] = letter
        self.column += 1

    def _sequence(self, numbers: str, kind: str) -> None:
        if kind in "hl":
            assert numbers in self.modes, numbers
            self.modes[numbers] = kind == "h"
        elif kind == "m":
            self.styles.add(numbers)
        elif kind == "H":
            row, _, column = numbers.partition(";")
            self.row, self.column = int(row or 1) - 1, int(column or 1) - 1
            assert self.row < self.lines
        elif kind == "J" and numbers == "2":
            self.cells = [[" "] * self.columns for _ in range(self.lines)]
        else:
            raise AssertionError(f"unknown sequence {numbers}{kind}")
