"""Play the recorded events of many boards into a broker, each board with its own connection, name and last will.

A board keeps every message of an event until the broker has acknowledged it, and sends it again, under its id, after a lost
connection. With --check a subscriber counts what arrives. Afterwards nothing of the boards is retained by the broker.
Exit code 1 if something stayed undelivered, was dropped or refused, or (--check) did not arrive.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from deploy.fleet.check import Check
from deploy.fleet.figures import Figures
from deploy.fleet.fleet import Fleet
from deploy.fleet.nodes import nodes_of, reach, sweep
from deploy.fleet.recording import BUNDLED, load_recording
from deploy.fleet.room import make_room
from edge.cli import console
from edge.cli.options import log_to_stderr
from edge.errors import EdgeError, SettingsError
from edge.settings import MqttSettings, Settings
from edge.settings_file import load_settings
from edge.workshop.rows import print_rows

EXAMPLES = """Examples:
  python -m deploy.fleet --boards 20 --host localhost --check
  python -m deploy.fleet --boards 1000 --host 10.0.0.1,10.0.0.2,10.0.0.3 --protocol 3.1.1 --seconds 300
  edge-audio run | tee events.jsonl                       records events of your own, for --events events.jsonl
"""

QUIET_SECONDS = 20.0
"""The check gives up on what is missing when nothing has come for so long."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("--boards", type=int, required=True, metavar="N", help="how many")
    parser.add_argument("--host", metavar="HOST[:PORT],...", help="the broker, or several nodes of one cluster: a board "
                        "whose node is away tries the next")
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings (TOML) whose [mqtt] names the broker")
    parser.add_argument("--protocol", choices=("auto", "5", "3.1.1"), help="MQTT version (default: the settings')")
    parser.add_argument("--events", type=Path, default=BUNDLED, metavar="FILE",
                        help="event lines of `edge-audio run` (default: the bundled sounds')")
    parser.add_argument("--rate", type=float, default=1.0, metavar="R",
                        help="events per board and minute, a little fewer, for sounds last, too (default 1)")
    parser.add_argument("--seconds", type=float, default=60.0, metavar="S", help="how long they hear (default 60)")
    parser.add_argument("--drain", type=float, default=60.0, metavar="S",
                        help="how long what waits may take afterwards (default 60)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of which board hears what when (default 1)")
    parser.add_argument("--check", action="store_true", help="subscribe, and count what arrives")
    parser.add_argument("--subscribers", type=int, default=1, metavar="N",
                        help="with --check: so many that share the messages between them ($share)")
    parser.add_argument("--format", choices=("table", "json"), default="table", help="form of the output")


def main(given: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m deploy.fleet", description=__doc__, epilog=EXAMPLES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments(parser)
    options = parser.parse_args(given)
    try:
        return run(options)
    except EdgeError as error:
        print(f"deploy.fleet: {error}", file=sys.stderr)
        return error.exit_code


def run(options: argparse.Namespace) -> int:
    """Play, count, say."""
    _refuse(options)
    settings = load_settings(options.config) if options.config is not None else Settings()
    log_to_stderr(settings.log.level)
    nodes = nodes_of(_mqtt(settings.mqtt, options), options.host)
    make_room(options.boards)
    sounds = load_recording(options.events)
    nodes = reach(nodes)
    check = Check(nodes, options.subscribers) if options.check else None
    if check is not None:
        check.start()
    fleet = Fleet(options.boards, nodes, sounds, rate=options.rate, seed=options.seed)
    began, cpu = time.monotonic(), time.process_time()
    try:
        fleet.play(options.seconds, options.drain)
        seconds, cpu = time.monotonic() - began, time.process_time() - cpu
        if check is not None:
            check.await_messages(sum(board.outbox.acknowledged for board in fleet.boards), QUIET_SECONDS)
    finally:
        if check is not None:
            check.stop()
        sweep(nodes, [topic for board in fleet.boards for topic in board.retained()])
    verdict = None if check is None else check.verdict({board.name: board.made for board in fleet.boards})
    figures = Figures(fleet, seconds, cpu, verdict)
    rows = figures.rows()
    print_rows([rows] if options.format == "json" else
               [{"figure": name, "value": value} for name, value in rows.items()], options.format)
    return 0 if figures.good else 1


def _mqtt(settings: MqttSettings, options: argparse.Namespace) -> MqttSettings:
    return settings if options.protocol is None else replace(settings, protocol=options.protocol)


def _refuse(options: argparse.Namespace) -> None:
    for name, least in (("boards", 1), ("subscribers", 1), ("seconds", 1), ("drain", 0)):
        if not getattr(options, name) >= least:
            raise SettingsError(f"--{name}", found=str(getattr(options, name)), wanted=f"{least} or more")
    if not 0.0 < options.rate <= 600.0:
        raise SettingsError("--rate", found=str(options.rate), wanted="more than 0, at most 600")
    if options.subscribers > 1 and not options.check:
        raise SettingsError("--subscribers", found="no --check", wanted="--check, to count what they receive")


if __name__ == "__main__":
    sys.exit(console(main))
