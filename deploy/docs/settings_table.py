"""Print the tables of settings.md from edge/settings/; --write puts them into the guide.

    python deploy/docs/settings_table.py [--write]
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from dataclasses import Field
from pathlib import Path
from typing import Any

from edge.settings_file import REPEATED, TABLES, keys

GUIDE = Path(__file__).resolve().parent / "settings.md"
MARKED = re.compile(r"(<!-- settings -->\n).*?(<!-- /settings -->)", re.DOTALL)


def main() -> None:
    """Arguments in, tables out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the tables into settings.md")
    options = parser.parse_args()
    made = "\n".join(lines()) + "\n"
    print(made, end="")
    if options.write:
        text = GUIDE.read_text(encoding="utf-8")
        GUIDE.write_text(MARKED.sub(lambda found: found[1] + made + found[2], text), encoding="utf-8")


def lines() -> Iterator[str]:
    """One heading, one sentence and one Markdown table for each table of the settings file."""
    for name, kind in TABLES.items():
        title, _, meaning = (kind.__doc__ or "").partition(": ")
        assert title == (f"[[{name}]]" if name in REPEATED else f"[{name}]"), f"{kind.__name__}: found {title!r}"
        yield from (f"### `{title}`", "", meaning[:1].upper() + meaning[1:], "",
                    "| key | default | range | meaning |", "|---|---|---|---|")
        for key, _, default in keys(kind):
            meaning = key.metadata["help"].replace("|", "&#124;")
            yield f"| `{title} {key.name}` | {shown(default)} | {limits(key)} | {meaning} |"
        yield ""


def shown(default: object) -> str:
    """A default as TOML writes it."""
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, tuple):
        return f"`[{', '.join(map(repr, default))}]`"
    return '`""`' if default == "" else f"`{default}`"


def limits(key: Field[Any]) -> str:
    """What values a key takes: a range with both its ends, or a choice of words; nothing for free text."""
    low, high, choices = (key.metadata[name] for name in ("low", "high", "choices"))
    if choices is not None:
        return ", ".join(f"`{choice}`" if choice else '`""`' for choice in choices)
    return "" if low is None else f"{plain(low)} to {plain(high)}"


def plain(number: float) -> str:
    """A number without a needless fraction."""
    return f"{int(number):,}" if number == int(number) else f"{number:g}"


if __name__ == "__main__":
    main()
