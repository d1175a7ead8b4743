"""A board with too little processor: what it leaves out, how late its claps come, and that it recovers; prints the table.

    make overload
    python -m tests.endurance.overload --only starved --format json
    python -m tests.endurance.overload --write      puts the table into tests/endurance/README.md

The appliance is a process of its own that hears the bundled claps in real time, with a private Mosquitto and a watcher. At
first it has all that it wants, and how much that is, is measured. Then it is stopped (SIGSTOP) whenever it has had more
than a share of that, and goes on (SIGCONT) when it has the right to more: a duty cycle by its own processor time, so that
the share is the same on a fast machine and on a busy one. At last it has all again.

*Late* is from a clap's onset in the sound, by the clock of the program that plays it, to the message at the broker's
subscriber.

Exit code 1 unless, while it has too little, it says `too slow` over MQTT, claps come, and none is later than the trial
allows (`slowness.py`); where a longer hop is enough, little sound is dropped; and afterwards watch socket and MQTT say
`ok` by themselves. Linux only.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path

from tests.endurance.board import Board, board
from tests.endurance.slowness import LEFT, Left, Trial, findings, table
from tests.endurance.starve import Starved
from tests.measure_watching import busy_seconds, put_into
from tests.page.chromium import player

ROOT = Path(__file__).resolve().parents[2]
README = Path(__file__).resolve().parent / "README.md"
CLAPS = ROOT / "models" / "demo" / "claps.wav"
TARGET = "hand_clap"
CALM_SECONDS, SLOW_SECONDS, AFTER_SECONDS = 20.0, 60.0, 20.0
RECOVERED_SECONDS = 180.0
"""Longest wait for `ok`: the hop is halved every 10 s of sound at best."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Arguments in, exit code out."""
    parser = argparse.ArgumentParser(prog="python -m tests.endurance.overload", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=sorted(LEFT), help="one trial")
    parser.add_argument("--format", choices=["table", "json"], default="table")
    parser.add_argument("--write", action="store_true", help="put the table into tests/endurance/README.md")
    options = parser.parse_args(arguments)
    trials = [trial(left) for name, left in LEFT.items() if options.only in (None, name)]
    text = table(trials)
    print(json.dumps([asdict(one) for one in trials], indent=1) if options.format == "json" else text)
    found = [words for one in trials for words in findings(one)]
    for words in found:
        print(f"found: {words}", file=sys.stderr)
    if options.write:
        put_into(README, "overload", text)
    return int(bool(found))


def trial(left: Left) -> Trial:
    """One board's day: enough, too little, enough."""
    with tempfile.TemporaryDirectory(prefix="edge-audio-overload-") as name:
        folder = Path(name)
        begun = folder / "begun"
        command = (sys.executable, player.__file__, "--begun", str(begun), str(CLAPS))
        with board(folder, command, hop_seconds=left.hop_seconds, health_seconds=1.0) as one:
            one.wait(lambda: bool(one.health) and one.heard > 0)
            borders, busy = [time.time()], busy_seconds(one.pid)
            look(one, CALM_SECONDS)
            need = (busy_seconds(one.pid) - busy) / (time.time() - borders[0])
            before = one.fresh_health()
            borders.append(time.time())
            with Starved(one.pid, left.share * need) as starved:
                look(one, SLOW_SECONDS)
            borders.append(time.time())
            said = one.witness.said[:]
            after = one.fresh_health()
            one.wait(lambda: one.about["pace"] == "ok", RECOVERED_SECONDS)
            recovered = time.time() - borders[-1]
            look(one, AFTER_SECONDS)
            borders.append(time.time())
            paces = [json.loads(payload)["pace"] for topic, payload in one.witness.said if topic == "health"]
            return Trial(left, need, starved.stops, lateness(one, json.loads(begun.read_text())[1], borders),
                         tuple(dict.fromkeys(json.loads(payload)["pace"] for topic, payload in said if topic == "health")),
                         after["passed_patches"] - before["passed_patches"],
                         (after["dropped_samples"] - before["dropped_samples"]) / 16_000, recovered, paces[-1])


def look(one: Board, seconds: float) -> None:
    """Take what is told for so long."""
    until = time.monotonic() + seconds
    while (remaining := until - time.monotonic()) > 0:
        one.take(remaining)


def lateness(one: Board, begun: float, borders: Sequence[float]) -> tuple[tuple[float, ...], ...]:
    """Seconds from each clap's onset to its message, in order of the sound, for each stretch between two borders.

    begun, borders: seconds since 1970.
    """
    onsets = {told["event"]["id"]: begun + told["start"] / 16_000 for told in one.events}
    came = {payload["id"]: at for payload, at in reversed(one.witness.received)
            if payload["phase"] == "start" and payload["target"] == TARGET}
    return tuple(tuple(round(at - onsets[clap], 3) for clap, at in sorted(came.items(), key=lambda each: onsets[each[0]])
                       if since <= onsets[clap] < until) for since, until in pairwise(borders))


if __name__ == "__main__":
    sys.exit(main())
