"""Measure CPU time, memory and start-up, as ratios to the body alone and to a bare interpreter.

The body is the model's backbone, invoked once a hop and nothing else. The bare interpreter runs a whole published file on
the waveform at the same hops: the one kept beside an installed model, that of an installed yamnet, or the one that --bare
names. Ratios are of one run on one machine; times in an emulator say nothing of a board.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from edge.cli.options import common, hop_from, log_to_stderr, settings_from, state_dir_from
from edge.errors import SettingsError
from edge.workshop.bench_model import measure_model, whole_for
from edge.workshop.bench_report import lines, objects

EXAMPLES = """Examples:
  edge-audio bench
  edge-audio bench --model yamnet --hop 0.48 --hop 0.12
  edge-audio bench --bare yamnet_classification.tflite --format json
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `bench` takes."""
    common(parser)
    parser.add_argument("--format", choices=("table", "json"), default="table", help="form of the output")
    parser.add_argument("--hop", type=float, action="append", metavar="SECONDS", help="repeatable (0.48, 0.24 and 0.12)")
    parser.add_argument("--bare", type=Path, metavar="FILE", help="whole .tflite, waveform in, for the bare interpreter")
    parser.add_argument("--seconds", type=float, default=30.0, help="length of the sound that counts (30)")
    parser.add_argument("--rounds", type=int, default=7, help="rounds to take the median of (7)")


def run(options: argparse.Namespace) -> int:
    """Measure and print; JSON is one object for each hop and line."""
    settings = settings_from(options)
    log_to_stderr("error")
    if options.rounds < 1:
        raise SettingsError("--rounds", found=str(options.rounds), wanted="1 or more")
    if not 2.0 <= options.seconds <= 3600.0:
        raise SettingsError("--seconds", found=str(options.seconds), wanted="2 to 3600")
    hops = [hop_from(hop, hop) for hop in options.hop or (0.48, 0.24, 0.12)]
    state_dir = state_dir_from(options)
    whole = options.bare or whole_for(settings.model.name, state_dir)
    found = measure_model(settings, settings.model.name, state_dir, hops=hops, seconds=options.seconds,
                          rounds=options.rounds, whole=whole)
    if options.format == "json":
        print("\n".join(map(json.dumps, objects(found))))
        return 0
    print("\n".join(lines(found)))
    if whole is None:
        print("no whole file beside this model: --bare FILE names one to compare with")
    return 0
