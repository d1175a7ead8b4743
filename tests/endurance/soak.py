"""Days of sound, faster than real time, through the real appliance; prints what they did to it.

    make soak                                       48 hours of sound
    make soak HOURS=6
    python -m tests.endurance.soak --hours 6 --format json
    python -m tests.endurance.soak --write          puts the table into tests/endurance/README.md

The appliance is a process of its own, with the starter, a private Mosquitto, the journal on the disk, simulated pins, and a
watcher that wants what the page wants. Its source is a command that prints what this program hands it. This program sees
by the watcher's bands how far the sound was heard, and stays half a second ahead. So nothing is dropped, no hop stretches,
and the sound is as fast as the machine. Hours are counted in samples. An event is dated when its sound came, as with a
microphone.

Each hour is the same sound: a quiet room, in which the bundled recordings are heard every third minute. In the middle of
each hour the settings change, a target more or less, and are reloaded. After each hour, when all messages have come, the
kernel is asked how the process is.

Exit code 1 unless memory stays within 1 MB after the first two hours, no hour has a thread or a descriptor more than the
first, each hour has the events of the first to the sample and to four digits of their probability, the subscriber has
each message, and nothing was lost, dropped or left out. Linux only.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from tests.endurance.account import Hour, findings, summary, table
from tests.endurance.feeding import feeding
from tests.measure_watching import put_into

README = Path(__file__).resolve().parent / "README.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Arguments in, exit code out."""
    parser = argparse.ArgumentParser(prog="python -m tests.endurance.soak", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=int, default=48, help="of sound; from 3 on memory is judged (default 48)")
    parser.add_argument("--format", choices=["table", "json"], default="table")
    parser.add_argument("--write", action="store_true", help="put the table into tests/endurance/README.md")
    options = parser.parse_args(arguments)
    began, hours = time.monotonic(), list[Hour]()
    with tempfile.TemporaryDirectory(prefix="edge-audio-soak-", dir="/var/tmp") as folder, feeding(Path(folder)) as one:
        for number in range(1, options.hours + 1):
            hours.append(one.hour())
            print(f"{time.monotonic() - began:6.0f} s  hour {number}: {len(hours[-1].heard)} messages, {hours[-1].vitals}",
                  file=sys.stderr, flush=True)
        counters, lost = one.board.fresh_health(), one.board.lost
    found = findings(hours, counters, lost)
    text = f"{table(hours)}\n\n{summary(hours)}\n"
    print(json.dumps({"hours": [asdict(hour) for hour in hours], "counters": counters, "findings": found}, indent=1)
          if options.format == "json" else text)
    for words in found:
        print(f"found: {words}", file=sys.stderr)
    if options.write:
        put_into(README, "soak", text)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
