"""What the journal writes to the disk: for an event (its start and its end), and on a day on which nothing is heard.

    python tests/measure_writes.py [--events 300] [--idle-seconds 120] [--format json] [--write]

The events go through the appliance's own journal and outbox, each message acknowledged as soon as it is offered, as by a
broker that is there. *Bytes* are what the journal's thread handed to the kernel (`wchar` of /proc/self/task/ID/io), which
counts what goes into the write-ahead log and from there into the file; *pages* what the kernel made of it (`write_bytes`:
whole pages of 4,096 bytes). The idle appliance is a process of its own that hears silence. --write puts the figures into
tests/faults/README.md. Linux only.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from edge.cli.demonstration.broker import PrivateBroker
from edge.settings import JournalSettings
from edge.sinks.journal import sink as journal_sink
from edge.sinks.journal.numbering import Numbering
from edge.sinks.journal.sink import JournalSink
from edge.sinks.outbox import Outbox
from edge.stats import Stats
from edge.stream import Event, Scores, new_event_id
from tests.faults.appliance import Appliance
from tests.faults.witness import Witness

README = Path(__file__).resolve().parent / "faults" / "README.md"
MODELS = {"starter": (632, 25), "YAMNet": (1024, 521)}
"""Values of an embedding, and labels."""
BURST = 20
"""Events of a burst: their starts are written at once, then their ends."""
SILENCE = "import os, time\nwhile True:\n    os.write(1, bytes(3200))\n    time.sleep(0.1)\n"
DAY_SECONDS = 86_400
PATIENCE_SECONDS = 60.0


def main() -> None:
    """Arguments in, figures out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=300, help="how many are measured, of each kind")
    parser.add_argument("--idle-seconds", type=float, default=120.0, help="how long an appliance hears silence")
    parser.add_argument("--format", choices=["table", "json"], default="table")
    parser.add_argument("--write", action="store_true", help="put the figures into tests/faults/README.md")
    options = parser.parse_args()
    journal_sink.PAUSE_SECONDS = 0.0  # what is written between two pauses is awaited here
    found = {f"{model}, {kind}": per_event(*MODELS[model], options.events, burst)
             for model in MODELS for kind, burst in (("one at a time", 1), (f"{BURST} at once", BURST))}
    idle = idle_bytes(options.idle_seconds) / options.idle_seconds * DAY_SECONDS
    lines = ["| an event, its start and its end | bytes written | in pages of 4,096 bytes | commits |", "|---|---|---|---|"]
    lines += [f"| {name} | {one[0]:,.0f} | {one[1]:,.0f} | {one[2]:.2g} |" for name, one in found.items()]
    lines += ["", f"A day on which nothing is heard: {idle:,.0f} bytes ({options.idle_seconds:g} s measured).", ""]
    table = "\n".join(lines)
    print(json.dumps({"idle_day_bytes": idle, "events": found}, indent=1) if options.format == "json" else table)
    if options.write:
        text = README.read_text(encoding="utf-8")
        README.write_text(re.sub(r"(<!-- writes -->\n).*?(<!-- /writes -->)", lambda found: found[1] + table + found[2],
                                 text, flags=re.DOTALL), encoding="utf-8")


def per_event(values: int, labels: int, count: int, burst: int) -> tuple[float, float, float]:
    """Bytes, bytes in whole pages, and commits for one of `count` events, `burst` at a time."""
    with tempfile.TemporaryDirectory(prefix="edge-audio-writes-") as folder, _started(Path(folder), values, labels) as one:
        sink, outbox = one
        for _ in range(2):  # the first round makes the file and fills the log for the first time
            before, commits = _written(sink), 0
            for _ in range(count // burst):
                starts = [_event(values, labels) for _ in range(burst)]
                for events in (starts, [_ended(event) for event in starts]):
                    _write(sink, outbox, events)
                    commits += 1
        after, number = _written(sink), count // burst * burst
    return (after[0] - before[0]) / number, (after[1] - before[1]) / number, commits / number


def idle_bytes(seconds: float) -> int:
    """What an appliance writes that hears silence for so long, with a broker there."""
    with tempfile.TemporaryDirectory(prefix="edge-audio-writes-") as folder, PrivateBroker() as broker:
        appliance = Appliance(Path(folder), broker.port, command=(sys.executable, "-c", SILENCE))
        witness = Witness(broker.port, "faults")
        try:
            appliance.start()
            witness.wait_for(lambda: ("status", "online") in witness.said)
            appliance.wait(lambda: "heard" in appliance.said)
            before = _process_bytes(appliance.pid)
            time.sleep(seconds)
            return _process_bytes(appliance.pid) - before
        finally:
            appliance.kill()
            witness.close()


@contextmanager
def _started(folder: Path, values: int, labels: int) -> Iterator[tuple[JournalSink, Outbox]]:
    outbox = Outbox(messages=10_000, size=8_000_000, stats=Stats())
    sink = JournalSink(JournalSettings(), folder / "journal.sqlite3", pack=lambda cells: cells.astype(np.int8),
                       labels=tuple(f"label {number}" for number in range(labels)), backbone="b" * 64,
                       numbering=Numbering(folder / "sequence"), stats=Stats(), outbox=outbox, device="kitchen",
                       boot="b" * 36)
    sink.start()
    try:
        yield sink, outbox
    finally:
        sink.stop()


_NUMBERS = iter(range(1, 1_000_000))


def _event(values: int, labels: int) -> Event:
    scores = Scores(0, np.zeros(labels, np.float32), np.zeros(labels, np.float32), np.zeros(values, np.float32))
    now = datetime.now(UTC)
    return Event(new_event_id(now.timestamp()), next(_NUMBERS), "start", "hand_clap", "hand_clap", 0.9, 0.9, 16_000, None,
                 now, None, -20.0, scores, (scores, scores), time.monotonic())


def _ended(event: Event) -> Event:
    return replace(event, sequence=next(_NUMBERS), phase="end", end=20_000,
                   ended_at=event.started_at + timedelta(seconds=0.25))


def _write(sink: JournalSink, outbox: Outbox, events: list[Event]) -> None:
    """Events of one write; acknowledged once they are made."""
    made = threading.Event()
    outbox.on_news = made.set
    for event in events:
        sink.event(event)
    _await(made.wait)
    while (taken := outbox.take()) is not None:
        outbox.acknowledge(taken)


def _await(wait: Callable[[float], bool]) -> None:
    if not wait(PATIENCE_SECONDS):
        raise SystemExit("measure_writes: found no write; wanted a disk that can be written")


def _written(sink: JournalSink) -> tuple[int, int]:
    """Bytes so far of the journal's thread: handed to the kernel, and in pages."""
    thread = sink._worker.thread
    assert thread is not None
    return _io(Path(f"/proc/self/task/{thread.native_id}/io"))


def _process_bytes(pid: int) -> int:
    return _io(Path(f"/proc/{pid}/io"))[1]


def _io(path: Path) -> tuple[int, int]:
    values = dict(line.split(": ") for line in path.read_text().splitlines())
    return int(values["wchar"]), int(values["write_bytes"])


if __name__ == "__main__":
    main()
