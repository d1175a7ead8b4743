"""Find out by doing why it does not work, and say what to do: all that `check` looks at, and the board and service around.

`check` asks whether these settings would serve. `doctor` makes the same looks and more: the clock, room, memory,
temperature and power of the board, and the appliance that runs with this state directory. Where one runs, it has the
microphone and the pins, and is asked instead. Pins go to their safe state; --pin NAME does once what an event would make the
pin do. --bundle FILE writes what was found into an archive, without secrets, for whoever helps. Exit code 1 if something is
wrong, 2 if the settings cannot be read.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path

from edge.cli.check import show
from edge.cli.checkup.board import check_board
from edge.cli.checkup.bundle import write_bundle
from edge.cli.checkup.checkup import PARTS, check
from edge.cli.checkup.finding import Finding
from edge.cli.checkup.pins import try_pin
from edge.cli.checkup.running import about_running, check_service
from edge.cli.options import common, log_to_stderr, settings_from, state_dir_from
from edge.settings import Settings

EXAMPLES = """Examples:
  edge-audio doctor --config edge-audio.toml
  edge-audio doctor --config edge-audio.toml --pin 27              switches what is wired to GPIO 27
  edge-audio doctor --config edge-audio.toml --bundle help.tar.gz
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `doctor` takes."""
    common(parser)
    parser.add_argument("--format", choices=("table", "json"), default="table", help="form of the output")
    parser.add_argument("--pin", metavar="NAME",
                        help="do once, for 2 s at most, what an event makes this pin do; or try the LED or a button")
    parser.add_argument("--bundle", type=Path, metavar="FILE",
                        help="write findings, settings, versions, health and log into a new .tar.gz, without secrets")


def run(options: argparse.Namespace) -> int:
    """Print each finding as it comes."""
    settings, state_dir = settings_from(options), state_dir_from(options)
    log_to_stderr("error")
    about = about_running(state_dir)
    findings = []
    for finding in _findings(settings, state_dir, about, options.pin):
        findings.append(finding)
        show(finding, options.format)
    if options.bundle is not None:
        write_bundle(options.bundle, settings, findings, about)
    return 0 if all(finding.ok for finding in findings) else 1


def _findings(settings: Settings, state_dir: Path, about: Mapping[str, object] | None, pin: str | None) -> Iterator[Finding]:
    yield from check_board(state_dir)
    yield from check_service(state_dir, about)
    yield from check(settings, state_dir, PARTS if about is None else [
        part for part in PARTS if part not in ("source", "pins")])
    if pin is not None:
        yield try_pin(settings, pin, running=about is not None)
