"""The report for the owner, beside the files that it speaks of. It never holds a secret."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field

from .errors import Refused

HEAD = """\
edge-audio: what the board took from this partition
===================================================

The board writes this file at its start, when something changed. To change a setting: switch the board off, put the card
into a computer, edit a file here, put the card back and switch on.
"""
WIDTH = 110


@dataclass
class Page:
    """What is said of one file. Who writes a line shows no secret in it: `errors.hidden` says how long one is."""

    taken: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    def take(self, line: str) -> None:
        self.taken.append(line)

    def refuse(self, refused: Refused) -> None:
        self.refused.append(str(refused))

    def ignore(self, line: int, key: str, why: str) -> None:
        self.ignored.append(f"line {line}, {key}: {why}" if line else f"{key}: {why}")

    def lines(self) -> dict[str, list[str]]:
        """The three lists, as the record keeps them for the next report."""
        return {"taken": self.taken, "refused": self.refused, "ignored": self.ignored}


def text(version: str, pages: dict[str, dict[str, list[str]]], remarks: list[str]) -> str:
    """The whole report. pages: `Page.lines` of each file, by its name; remarks: what belongs to no file."""
    out = [HEAD, f"Image: {version}", ""]
    refused = sum(len(page.get("refused", [])) for page in pages.values())
    out += [f"{refused} thing{'s' * (refused > 1)} could not be taken; look for NOT TAKEN." if refused
            else "Everything that was understood was taken.", ""]
    for name, page in pages.items():
        out.append(name)
        out += _points("", page.get("taken", [])) + _points("NOT TAKEN: ", page.get("refused", []))
        out += _points("not used: ", page.get("ignored", []))
        if not any(page.values()):
            out.append("  nothing is set here")
        if page.get("refused"):
            out += _points("", ["What was not taken stays as it was before."])
        out.append("")
    return "\n".join([*out, *_points("", remarks), *[""] * bool(remarks)])


def _points(word: str, lines: list[str]) -> list[str]:
    wrapper = textwrap.TextWrapper(WIDTH, initial_indent="  ", subsequent_indent="    ", break_long_words=False,
                                   break_on_hyphens=False)
    return [part for line in lines for part in wrapper.wrap(f"{word}{line}")]
