"""Put the table of costs together from what `edge-audio bench` measured; --write puts it into models/README.md.

    for NAME of yamnet, starter (yamnet is installed: its published file is what the bare loop runs):
      edge-audio bench --model NAME --format json > WORK/bench-NAME.json
    python models/costs.py WORK/bench-yamnet.json WORK/bench-starter.json [--write]
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

GUIDE = Path(__file__).resolve().parent / "README.md"
TITLES = {"yamnet": "YAMNet"}
PARTS = {"gate_off": "gate off", "gate_on": "gate on", "quiet": "quiet room", "bare": "bare loop"}
"""Of `over_body`."""


def rows(files: Iterable[Path]) -> Iterator[str]:
    """A line for each model and hop: times the body alone; gate on, memory and start-up over the bare loop's."""
    parts = " | ".join(PARTS.values())
    yield f"| model, hop | {parts} | gate on, over bare | peak memory, over bare | start-up, over bare |"
    yield "|---" * (len(PARTS) + 4) + "|"
    told = set()
    for path in files:
        for line in path.read_text(encoding="utf-8").splitlines():
            one: dict[str, Any] = json.loads(line)
            if one["startup_ratio"] is None:
                raise SystemExit(f"{path}: found no bare loop; wanted an installed yamnet, or --bare FILE")
            name = one["model"]
            body = " | ".join(f"{one['over_body'][part]:.2f}" for part in PARTS)
            process = " | " if name in told else f"{one['peak_ratio']:.2f} | {one['startup_ratio']:.2f}"
            told.add(name)
            title = f"{TITLES.get(name, name)}, {one['hop_seconds']:g} s"
            yield f"| {title} | {body} | {one['over_bare']['gate_on']:.2f} | {process} |"


def main() -> None:
    """Arguments in, the table out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+", help="what was measured")
    parser.add_argument("--write", action="store_true", help="put the table into models/README.md")
    options = parser.parse_args()
    table = "\n".join(rows(options.files)) + "\n"
    print(table)
    if options.write:
        text, count = re.subn(r"(<!-- bench -->\n).*?(<!-- /bench -->)", lambda found: found[1] + table + found[2],
                              GUIDE.read_text(encoding="utf-8"), flags=re.DOTALL)
        if not count:
            raise SystemExit(f"{GUIDE}: found no section bench; wanted one")
        GUIDE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
