"""What is lost when things go wrong: real processes, a real Mosquitto, real faults at random moments; prints the account.

    make faults                                             all of it, ten minutes
    python -m tests.faults --seed 7 --only broker --only disk
    python -m tests.faults --format json
    python -m tests.faults --write                          puts the table into tests/faults/README.md

The appliance hears claps, 13 messages a second, and tells them to a broker that keeps nothing on disk. *Made* is what its
journal holds, read from a copy after each kill. *Received* is what an independent subscriber got that is subscribed before
the appliance is let in. A tap in between notes each PUBLISH that a PUBACK came back for: what a broker acknowledged and then
lost, because it was killed before its subscriber had it, is the broker's loss, and is counted apart. Exit code 1 if anything
that was made is lost, or a hole in the sequence numbers is not told on `dropped`, or a number came with two ids.
"""

from __future__ import annotations

import argparse
import json
import re
import secrets
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from tests.faults import damages, disks, kills, lines
from tests.faults.account import Account

README = Path(__file__).resolve().parent / "README.md"
FAULTS: dict[str, Callable[[str], Account]] = {
    "appliance": kills.appliance_killed, "broker": kills.broker_killed, "both": kills.both_killed,
    "stopped": kills.appliance_stopped,
    "line": lines.line_stalled, "swallowed": lines.acknowledgements_swallowed, "refused": lines.connections_refused,
    "password": lines.password_refused, "rules": lines.messages_refused,
    "disk-full": disks.disk_full, "disk-full-start": disks.started_full, "disk-full-killed": disks.disk_full_and_killed,
    "disk-refusing": disks.disk_refusing, "disk-read-only": disks.started_read_only,
    "cut-down": damages.cut_while_down, "cut-running": damages.cut_while_running,
    "log-cut-running": damages.log_cut_while_running, "deleted-down": damages.deleted_while_down,
    "deleted-running": damages.deleted_while_running, "log-cut-down": damages.log_cut_while_down,
    "log-index": damages.log_cut_without_index,
}
ROOTS = ("disk-full", "disk-full-start", "disk-full-killed", "disk-read-only")
"""Those that mount a tmpfs."""
HEAD = "| fault | times | made | received | lost | told as dropped | again, same id | longest delay |"


def main(arguments: Sequence[str] | None = None) -> int:
    """Arguments in, exit code out."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", default=secrets.token_hex(4), help="of the random moments; default: a new one")
    parser.add_argument("--only", action="append", choices=[*FAULTS, *{name.split("-")[0] for name in FAULTS}], default=[],
                        help="a fault, or all that begin so; may be repeated")
    parser.add_argument("--format", choices=["table", "json"], default="table")
    parser.add_argument("--write", action="store_true", help="put the table into tests/faults/README.md")
    options = parser.parse_args(arguments)
    began, mounting = time.monotonic(), disks.may_mount()
    print(f"seed {options.seed}", file=sys.stderr)
    accounts = []
    for name, fault in FAULTS.items():
        if options.only and name not in options.only and name.split("-")[0] not in options.only:
            continue
        if name in ROOTS and not mounting:
            print(f"{name}: skipped, for this user may not mount a tmpfs", file=sys.stderr)
            continue
        accounts.append(fault(f"{options.seed} {name}"))
        print(f"{time.monotonic() - began:4.0f} s  {_sentence(accounts[-1])}", file=sys.stderr)
    table = table_of(accounts, options.seed)
    print(json.dumps([asdict(one) for one in accounts], indent=1) if options.format == "json" else table)
    if options.write:
        README.write_text(re.sub(r"(<!-- faults -->\n).*?(<!-- /faults -->)", lambda found: found[1] + table + found[2],
                                 README.read_text(encoding="utf-8"), flags=re.DOTALL), encoding="utf-8")
    return int(any(one.failed for one in accounts))


def table_of(accounts: Sequence[Account], seed: str) -> str:
    """The table of tests/faults/README.md; counts of messages."""
    rows = [HEAD, "|---|---|---|---|---|---|---|---|"]
    for one in accounts:
        rows.append(f"| {one.fault}{' *' if one.excused else ''} | {one.times} | {one.made:,} | {one.received:,} | "
                    f"{one.lost:,} | {one.told:,} | {one.duplicated:,} | {one.delay_seconds:.1f} s |")
    counted = [one for one in accounts if not one.excused]
    holes, two_ids, forgotten = (sum(getattr(one, name) for one in counted) for name in ("holes", "two_ids", "broker_lost"))
    rows.append(f"\nHoles in the sequence that are not told: {holes}; sequence numbers that came with two ids: {two_ids}; "
                f"acknowledged by a broker that was then killed before its subscriber had it: {forgotten}. Seed {seed}.")
    rows += [f"\\* {one.fault}: {one.excused}; {one.two_ids} numbers came with two ids." for one in accounts if one.excused]
    return "\n".join([*rows, ""])


def _sentence(one: Account) -> str:
    return ", ".join([f"{one.fault}: {one.times} times", *(f"{getattr(one, name)} {name}" for name in (
        "made", "received", "lost", "told", "told_numbers", "duplicated", "two_ids", "holes", "early", "broker_lost")),
        f"{one.delay_seconds:.1f} s"]) + (" FAILED" if one.failed else "")


if __name__ == "__main__":
    sys.exit(main())
