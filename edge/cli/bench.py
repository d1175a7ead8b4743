"""Measure CPU time, memory and start-up, as ratios to the body alone and to a bare interpreter.

The body is the model's backbone, invoked once a hop and nothing else. The bare interpreter runs a whole published file on
the waveform at the same hops: the one kept beside an installed model, that of an installed yamnet, or the one that --bare
names. --against mediapipe has MediaPipe's audio classifier hear the same, from an environment of its own. Ratios are of one
run on one machine; times in an emulator say nothing of a board.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from edge.cli.options import common, hop_from, log_to_stderr, settings_from, state_dir_from
from edge.errors import SettingsError
from edge.workshop.bench_model import compare
from edge.workshop.bench_peer import PEERS, peer_python
from edge.workshop.bench_report import lines, objects, peer_lines, pictured
from edge.workshop.picture_path import check_picture_path, plotting

EXAMPLES = """Examples:
  edge-audio bench
  edge-audio bench --model yamnet --hop 0.48 --hop 0.12
  edge-audio bench --bare yamnet_classification.tflite --format json
  edge-audio bench --model yamnet --also starter --against mediapipe --plot cost.png
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `bench` takes."""
    common(parser)
    parser.add_argument("--format", choices=("table", "json"), default="table", help="form of the output")
    parser.add_argument("--hop", type=float, action="append", metavar="SECONDS", help="repeatable (0.48, 0.24 and 0.12)")
    parser.add_argument("--bare", type=Path, metavar="FILE", help="whole .tflite, waveform in, for the bare interpreter")
    parser.add_argument("--seconds", type=float, default=30.0, help="length of the sound that counts (30)")
    parser.add_argument("--also", action="append", default=[], metavar="NAME", help="measure this model, too (repeatable)")
    parser.add_argument("--against", choices=PEERS, help="measure another program, too")
    parser.add_argument("--peer-python", type=Path, metavar="FILE",
                        help="its Python (environment: EDGE_AUDIO_MEDIAPIPE_PYTHON; deploy/mediapipe.sh makes one)")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw cost and memory (PNG)")
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
    if options.plot is not None:
        check_picture_path(options.plot)
    draw = plotting() if options.plot is not None else None
    needing = [option for option, given in (("--against", options.against), ("--plot", options.plot)) if given]
    found = compare(settings, list(dict.fromkeys((settings.model.name, *options.also))), state_dir_from(options), hops=hops,
                    seconds=options.seconds, rounds=options.rounds, bare=options.bare,
                    against={options.against: peer_python(options.peer_python)} if options.against else {},
                    needing=needing)
    if draw is not None:
        draw.plot_costs(*pictured(found), options.plot)
    if options.format == "json":
        print("\n".join(json.dumps(one) for each in found.models for one in objects(each, found.peer_peaks)))
        return 0
    print("\n".join([*(line for each in found.models for line in lines(each)), *peer_lines(found)]))
    if any(each.process.bare_peak_bytes is None for each in found.models):
        print("no whole file beside this model: --bare FILE names one to compare with")
    return 0
