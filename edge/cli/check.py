"""Look at settings, model, targets, microphone, broker and pins as `run` would use them.

Each finding comes with what to do about it. The microphone is heard for a moment; nothing of it is kept. Pins go to
their safe state. `edge-audio doctor` looks at the board and the running service too. Exit code 1 if something is wrong,
2 if the settings cannot be read.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from edge.cli.checkup.checkup import PARTS, SERVICE, check
from edge.cli.checkup.finding import Finding
from edge.cli.options import common, log_to_stderr, settings_from, state_dir_from

EXAMPLES = """Examples:
  edge-audio check
  edge-audio check --config edge-audio.toml
  edge-audio check --config edge-audio.toml --format json
  edge-audio check --config edge-audio.toml --only pins      puts the pins into their safe state
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `check` takes."""
    common(parser)
    parser.add_argument("--format", choices=("table", "json"), default="table", help="form of the output")
    parser.add_argument("--only", choices=(*PARTS, SERVICE), action="append", metavar="PART",
                        help=f"look at this part only; may be given again: {', '.join(PARTS)}; or {SERVICE}, the "
                             "appliance that runs")


def run(options: argparse.Namespace) -> int:
    """Print each finding as it comes."""
    settings = settings_from(options)
    log_to_stderr("error")
    where = str(options.config) if options.config else "none given: every key has its default"
    wrong = 0
    if options.format == "table":
        print(f"ok     settings    {where}")
    for finding in check(settings, state_dir_from(options), options.only or PARTS):
        wrong += not finding.ok
        show(finding, options.format)
    return 1 if wrong else 0


def show(finding: Finding, form: str) -> None:
    """Print one finding, as a line or two for people ("table") or as JSON ("json")."""
    if form == "json":
        print(json.dumps(asdict(finding)), flush=True)
        return
    print(f"{'ok' if finding.ok else 'WRONG':<7}{finding.part:<12}{finding.text}", flush=True)
    if finding.advice and not finding.ok:
        print(f"{'':<19}what to do: {finding.advice}", flush=True)
