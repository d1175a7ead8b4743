"""Measure CPU time for each stage, patches per second, memory and start-up, beside a bare interpreter.

The bare interpreter runs a whole published file on the waveform at the same hops: the one kept beside an
installed model, or the one that --bare names. Ratios are of one run on one machine; times in an emulator say
nothing of a board.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from edge.cli.options import common, hop_from, log_to_stderr, settings_from, state_dir_from
from edge.control.loading import find_model
from edge.errors import SettingsError
from edge.model.runtime import open_runtime
from edge.workshop.bench import Cost, measure, whole_file
from edge.workshop.bench_process import bare_peak_bytes, measure_run
from edge.workshop.bench_sound import test_sound

EXAMPLES = """Examples:
  edge-audio bench
  edge-audio bench --model yamnet --hop 0.48 --hop 0.12
  edge-audio bench --bare yamnet_classification.tflite --format json
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `bench` takes."""
    common(parser)
    parser.add_argument("--format", choices=("table", "json"), default="table", help="form of the output")
    parser.add_argument("--hop", type=float, action="append", metavar="SECONDS", help="repeatable (0.48 and 0.12)")
    parser.add_argument("--bare", type=Path, metavar="FILE", help="whole .tflite, waveform in, for the bare interpreter")
    parser.add_argument("--seconds", type=float, default=30.0, help="length of the sound (30)")
    parser.add_argument("--rounds", type=int, default=7, help="rounds to take the median of (7)")


def run(options: argparse.Namespace) -> int:
    """Measure and print; JSON is one object for each hop and line."""
    settings = settings_from(options)
    log_to_stderr("error")
    if options.rounds < 1:
        raise SettingsError("--rounds", found=str(options.rounds), wanted="1 or more")
    if not 2.0 <= options.seconds <= 3600.0:
        raise SettingsError("--seconds", found=str(options.seconds), wanted="2 to 3600")
    hops = [hop_from(hop, hop) for hop in options.hop or (0.48, 0.12)]
    state_dir = state_dir_from(options)
    named = find_model(settings.model.name, state_dir)
    labels = named.ask(settings.target).labels
    # A model without standard targets: all of it, then.
    model = named.open(runtime=settings.model.runtime, threads=settings.model.threads, delegate=settings.model.delegate,
                       rows=labels or None)
    whole = options.bare or whole_file(named.folder)
    bare = open_runtime(whole, runtime=settings.model.runtime) if whole else None
    sound = test_sound(options.seconds)
    costs = [measure(model, sound, hop_seconds=hop, rounds=options.rounds, bare=bare, targets=settings.target)
             for hop in hops]
    peak, startup = measure_run(settings.model, model.labels[:3], sound, state_dir)
    bare_peak = bare_peak_bytes(whole, settings.model.runtime) if whole else None
    for cost in costs:
        about = {"runtime": model.runtime_name, "model": model.manifest.name, "hop_seconds": cost.hop_seconds}
        if options.format == "json":
            print(json.dumps({**about, **_dict(cost), "peak_rss_bytes": peak, "bare_peak_rss_bytes": bare_peak,
                              "startup_seconds": round(startup, 3)}))
        else:
            _table(cost, about)
    if options.format == "table":
        beside = f", {peak / bare_peak:.2f} times the bare interpreter's {bare_peak / 1e6:.0f} MB" if bare_peak else ""
        if whole is None:
            print("no whole file beside this model: --bare FILE names one to compare with")
        print(f"peak memory of run: {peak / 1e6:.0f} MB{beside}\nstart-up: {startup:.2f} s")
    return 0


def _dict(cost: Cost) -> dict[str, object]:
    spent = {**cost.stages, "total": cost.total}
    return {"cpu_seconds_per_audio_second": {name: round(value, 6) for name, value in spent.items()},
            "bare_cpu_seconds_per_audio_second": None if cost.bare is None else round(cost.bare, 6),
            "ratio": None if cost.ratio is None else round(cost.ratio, 3),
            "ratio_without_looks": None if cost.without_looks is None else round(cost.without_looks, 3),
            "patches_per_second": round(cost.patches_per_second, 1)}


def _table(cost: Cost, about: dict[str, object]) -> None:
    print(f"{about['model']} on {about['runtime']}, hop {cost.hop_seconds:g} s: CPU milliseconds per second of sound")
    for name, value in cost.stages.items():
        print(f"  {name:<12}{value * 1000:8.3f}  {value / cost.total:6.1%}")
    print(f"  {'total':<12}{cost.total * 1000:8.3f}  {cost.patches_per_second:.0f} patches per CPU second")
    if cost.without_looks is not None:
        print(f"  {cost.without_looks:.3f} times as much as without looks, with rows made by the hop")
    if cost.bare is not None and cost.ratio is not None:
        print(f"  {'bare':<12}{cost.bare * 1000:8.3f}  the whole file in a bare interpreter; ratio {cost.ratio:.2f}")
