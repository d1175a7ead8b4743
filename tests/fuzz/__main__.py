"""Foreign bytes, many of them: `python -m tests.fuzz [TARGET ...] [--inputs N] [--seconds S]`.

Each target runs in a child of its own. Without --inputs each target gets its share of a million.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tests.fuzz.runner import Outcome, run
from tests.fuzz.targets import MILLION, TARGETS

HEADING = f"{'target':<16}{'inputs':>9}{'taken':>8}{'slowest':>10}{'peak':>9}{'took':>8}  {'coverage':<24}findings"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}; none: all")
    parser.add_argument("--inputs", type=int, help=f"for each target (default: its share of {MILLION:,})")
    parser.add_argument("--seconds", type=float, default=7_200.0, help="for each target, at most")
    parser.add_argument("--seed", type=int, default=1, help="of the changes to good inputs")
    parser.add_argument("--plain", action="store_true", help="without coverage, even where atheris is installed")
    parser.add_argument("--folder", type=Path, help="for failing inputs, and to go on where another run ended")
    options = parser.parse_args()
    if unknown := [name for name in options.targets if name not in TARGETS]:
        parser.error(f"found {unknown[0]!r}; wanted of {', '.join(TARGETS)}")
    folder = options.folder or Path(tempfile.mkdtemp(prefix="edge-audio-fuzz-"))
    outcomes = []
    print(HEADING, flush=True)
    for name in options.targets or TARGETS:
        outcomes.append(run(name, folder / name, inputs=options.inputs or TARGETS[name].share, seconds=options.seconds,
                            seed=options.seed, plain=options.plain))
        print(row(outcomes[-1]), flush=True)
    print(f"{'in all':<16}{sum(each.tried for each in outcomes):>9}")
    for each in outcomes:
        for words, path in each.findings.items():
            print(f"{each.name}: {words}\n    {path}")
        if each.unfinished:
            print(f"{each.name}: unfinished: {each.unfinished}")
    return 1 if any(each.findings or each.unfinished for each in outcomes) else 0


def row(found: Outcome) -> str:
    """One line of the table."""
    return (f"{found.name:<16}{found.tried:>9}{found.taken:>8}{found.slowest_seconds * 1000:>7.0f} ms"
            f"{found.peak_megabytes:>6.0f} MB{found.wall_seconds:>6.0f} s  {found.coverage:<24}{len(found.findings)}")


if __name__ == "__main__":
    raise SystemExit(main())
