"""Counts the instructions of `edge-audio run` on emulated ARM processors, for each second of sound, beside the body alone.

Usage: python -m deploy.arm_run ROOT [--write] [--tree FOLDER] [--only WORD], where ROOT is what deploy/arm-root.sh made
(bookworm). Prints a table, and fails where a figure is more than 3 % over the baseline's (deploy/arm-run.json) or has none.
--write makes the baseline anew, and the table in models/README.md; --tree counts another checkout; --only counts the
cases that have the word. The environment's PROCESSORS names others than the baseline's.

A count is taken between two marks in the sound, so that the start drops out. The count is that of the main thread, which
reads, hears and decides: it differs by 0.1 % from run to run. What the other threads do depends on the clock, too, and is
only printed.
The body alone is the int8 backbone, invoked once a hop, nothing else. Instructions are no time.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from deploy.instructions_run import INVOKES
from edge.workshop.bench_sound import quiet_room, test_sound, write_wav

HERE = Path(__file__).resolve().parent
BASELINE = HERE / "arm-run.json"
GUIDE = HERE.parent / "models" / "README.md"
ALLOWED = 1.03
"""So many times the baseline may be counted."""
BEGIN, END = 19.2, 28.8
"""Seconds of the marks: after the gate knows the room, and multiples of each hop, block and burst."""
PROCESSORS = "cortex-a53 cortex-a76"
SOUNDS = {"varied": test_sound, "quiet": quiet_room}
CASES = (("varied", True), ("varied", False), ("quiet", True))
HOPS = (0.24, 0.12)
SETTINGS = """
[source]
kind = "file"
path = "{sound}"
paced = false
[model]
hop_seconds = {hop}
[gate]
enabled = {gate}
[[pin]]
pin = 17
target = "hand_clap"
factory = "simulated"
[log]
events = ""
level = "error"
"""


@dataclass(frozen=True)
class Case:
    """What is run, and where."""

    processor: str
    hop: float
    sound: str
    gate: bool

    @property
    def name(self) -> str:
        """The key in the baseline."""
        return f"{self.processor} hop {self.hop:g} {self.sound} gate {'on' if self.gate else 'off'}"


@dataclass(frozen=True)
class Count:
    """Instructions for one second of sound."""

    run: float
    others: float
    """Of the other threads."""
    body: float


def complaints(found: dict[str, float], known: dict[str, float]) -> list[str]:
    """What is wrong with these figures, a line each: thing, found, wanted."""
    lines = []
    for name, run in found.items():
        if name not in known:
            lines.append(f"{name}: found no figure in {BASELINE.name}; wanted one (--write)")
        elif run > ALLOWED * known[name]:
            more, most = run / known[name] - 1, ALLOWED - 1
            lines.append(f"{name}: found {run / 1e6:.2f} million instructions for a second of sound, {more:.1%} more than "
                         f"{known[name] / 1e6:.2f}; wanted {most:.0%} more at most")
    return lines


def counted(said: str, cases: list[Case]) -> tuple[str, dict[str, Count]]:
    """The versions, and what each case took, as deploy/instructions_run.py said. Raises ValueError where that is not all."""
    lines = [line.split(maxsplit=1) for line in said.splitlines() if line.startswith(("versions ", "instructions "))]
    versions = [rest for word, rest in lines if word == "versions"]
    marks = [tuple(map(int, rest.split())) for word, rest in lines if word == "instructions"]
    if len(versions) != 1 or len(marks) != 2 * len(cases) + 2:
        raise ValueError(f"found {len(marks)} marks; wanted {2 * len(cases) + 2}:\n{said[-2000:]}")
    spent = [(b[0] - a[0], b[1] - a[1]) for a, b in zip(marks[::2], marks[1::2], strict=True)]
    invoke = spent.pop()[0] / INVOKES
    seconds = END - BEGIN
    return versions[0], {case.name: Count(main / seconds, (every - main) / seconds, invoke / case.hop)
                         for case, (main, every) in zip(cases, spent, strict=True)}


def count(root: Path, tree: Path, processor: str, cases: list[Case], folder: Path) -> tuple[str, dict[str, Count]]:
    """Run the cases in one emulated process. folder: for sounds, settings, the plugin."""
    for name, make in SOUNDS.items():
        write_wav(folder / f"{name}.wav", make(END + 1.0))
    files = []
    for case in cases:
        files.append(folder / f"{case.name.replace(' ', '-')}.toml")
        files[-1].write_text(SETTINGS.format(sound=folder / f"{case.sound}.wav", hop=case.hop, gate=str(case.gate).lower()))
    plugin = folder / "instructions.so"
    if not plugin.exists():
        subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-o", plugin, HERE / "instructions.c"], check=True)
    packages = next((root / "opt/v/lib").glob("python3.*/site-packages"))
    # A bare environment at fixed addresses, and never through a shell in the guest: an exec would lose the plugin.
    emulated = ["setarch", "-R", "qemu-aarch64", "-L", root, "-cpu", processor, "-plugin", f"file={plugin}",
                root / "usr/bin" / packages.parent.name, "-P", HERE / "instructions_run.py", folder / "state",
                tree / "models/starter/backbone.tflite", str(BEGIN), str(END), *files]
    inside = f"/{packages.relative_to(root)}"
    done = subprocess.run(emulated, capture_output=True, text=True, check=False, env={
        "PATH": "/usr/bin:/bin", "HOME": "/", "PYTHONHASHSEED": "0", "PYTHONPATH": f"{inside}:{tree}"})
    if done.returncode:
        raise ValueError(f"found exit {done.returncode}:\n{done.stdout[-1000:]}{done.stderr[-2000:]}")
    return counted(done.stdout + done.stderr, cases)


def table(counts: dict[str, Count], known: dict[str, float] | None = None) -> str:
    """Million instructions for a second of sound, a line for each case. known: the baseline, to be compared with."""
    head = ["processor, hop, sound, gate", "`run`, M", "body alone, M", "ratio"]
    if known is not None:
        head += ["other threads, M", "over the baseline"]
    rows = [head]
    for name, one in counts.items():
        rows.append([name, f"{one.run / 1e6:.2f}", f"{one.body / 1e6:.2f}", f"{one.run / one.body:.2f}"])
        if known is not None:
            rows[-1] += [f"{one.others / 1e6:.2f}", f"{one.run / known[name] - 1:+.1%}" if name in known else "none"]
    first, *lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([first, "|---" * len(head) + "|", *lines])


def with_table(text: str, rows: str) -> str:
    """The guide's text with this table between its marks. Raises ValueError where it has none."""
    before, first, rest = text.partition("<!-- arm-run -->\n")
    _, last, after = rest.partition("<!-- /arm-run -->")
    if not last:
        raise ValueError(f"{GUIDE}: found no section arm-run; wanted one")
    return f"{before}{first}{rows}\n{last}{after}"


def write(versions: str, counts: dict[str, Count]) -> None:
    """The baseline, and the guide's table."""
    rounded = {name: round(one.run) for name, one in counts.items()}
    guide = with_table(GUIDE.read_text(encoding="utf-8"), table(counts))
    BASELINE.write_text(json.dumps({"versions": versions, "instructions": rounded}, indent=2) + "\n")
    GUIDE.write_text(guide, encoding="utf-8")


def main() -> int:
    """0; 1 where a figure is over the baseline's; 2 where nothing can be counted."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("root", type=Path)
    parser.add_argument("--write", action="store_true", help="make the baseline anew")
    parser.add_argument("--tree", type=Path, default=HERE.parent, help="the checkout whose `edge` is counted")
    parser.add_argument("--only", default="", metavar="WORD", help="cases with this word, such as 'hop 0.24 varied'")
    options = parser.parse_args()
    named = os.environ.get("PROCESSORS", PROCESSORS).split()
    cases = [Case(processor, hop, *case) for processor in named for hop in HOPS for case in CASES]
    cases = [case for case in cases if options.only in case.name]
    if not cases:
        print(f"--only: found '{options.only}'; wanted a word of a case, such as 'hop 0.24'", file=sys.stderr)
        return 2
    if options.write and (options.only or named != PROCESSORS.split()):
        print("--write: found a part of the cases; wanted all, without --only and PROCESSORS", file=sys.stderr)
        return 2
    baseline = json.loads(BASELINE.read_text()) if BASELINE.exists() else {"versions": "", "instructions": {}}
    counts: dict[str, Count] = {}
    versions = ""
    try:
        for processor in dict.fromkeys(case.processor for case in cases):
            with tempfile.TemporaryDirectory() as folder:
                mine = [case for case in cases if case.processor == processor]
                versions, some = count(options.root, options.tree.resolve(), processor, mine, Path(folder))
                counts |= some
    except (ValueError, OSError, StopIteration, subprocess.CalledProcessError) as error:
        print(f"{options.root}: {str(error) or 'found no wheels'}; wanted what deploy/arm-root.sh makes", file=sys.stderr)
        return 2
    known = baseline["instructions"]
    print(table(counts, known))
    if options.write:
        write(versions, counts)
        return 0
    wrong = complaints({name: one.run for name, one in counts.items()}, known)
    if versions != baseline["versions"]:
        wanted = baseline["versions"] or "a baseline"
        wrong.append(f"libraries in {options.root}: found {versions}; wanted {wanted} (--write)")
    print("\n".join(wrong), file=sys.stderr, end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
