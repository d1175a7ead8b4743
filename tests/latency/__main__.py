"""How long a clap takes to the pin and to a subscriber, part by part, in real time.

    make latency                                            500 claps through each source at each hop, 35 minutes
    python -m tests.latency --claps 60 --source command --hop 0.24
    python -m tests.latency --loaded                        beside a busy process for each core, too
    python -m tests.latency --write                         puts the table into deploy/docs/measure.md

The demo's claps are played 10 ms at a time, at moments that no block or hop goes in step with: through the command source,
and through the pipe of a PulseAudio server of our own, PortAudio and ALSA's pulse plugin. The appliance is a process of its
own, with a private Mosquitto and a simulated pin. All moments are of one monotonic clock. Linux only.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import tempfile
from pathlib import Path

from tests.latency.bench import SOURCES, busy, measure
from tests.latency.parts import PARTS, Run, table
from tests.latency.sound import series
from tests.measure_watching import put_into

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "deploy" / "docs" / "measure.md"
HOPS = (0.24, 0.12)


def main() -> None:
    """Arguments in, a table out."""
    parser = argparse.ArgumentParser(prog="python -m tests.latency", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--claps", type=int, default=500, help="how many in each run, about one a second")
    parser.add_argument("--source", choices=SOURCES, action="append", help="of these only")
    parser.add_argument("--hop", type=float, action="append", help="seconds; of these only")
    parser.add_argument("--block", type=float, action="append", help="block_seconds; several are run one after another")
    parser.add_argument("--model", default="starter")
    parser.add_argument("--loaded", action="store_true", help="each run again beside a busy process for each core")
    parser.add_argument("--format", choices=["table", "json"], default="table")
    parser.add_argument("--write", action="store_true", help="put the table into deploy/docs/measure.md")
    options = parser.parse_args()
    claps, runs = series(options.claps), dict[str, Run]()
    for source in options.source or SOURCES:
        for hop in options.hop or HOPS:
            for block in options.block or (None,):
                for load in (0, os.cpu_count() or 1) if options.loaded else (0,):
                    name = f"{source}, hop {hop:g}" + (f", block {block:g}" if block else "") + (", loaded" if load else "")
                    print(f"{name}: {len(claps.samples) / 16_000:.0f} s of sound", flush=True)
                    with tempfile.TemporaryDirectory(prefix="edge-audio-latency-") as folder, \
                            busy(load) if load else contextlib.nullcontext():
                        runs[name] = measure(Path(folder), claps, source=source, hop=hop, model=options.model, block=block)
                    print(table({name: runs[name]}), flush=True)
    found = table(runs)
    print(json.dumps({name: {"parts": PARTS, "ms": run.ms.tolist(), "played": run.played, "lost": run.lost}
                      for name, run in runs.items()}) if options.format == "json" else found)
    if options.write:
        put_into(GUIDE, "latency", found)


if __name__ == "__main__":
    main()
