"""Measure a model by its events on annotated scenes, or by sounds that are taught to it from clips.

scenes: recordings whose sounds are annotated with onset, offset and label, in a .txt or .tsv beside each
recording, or in one annotations.csv for all. The appliance hears every recording, and its events are scored
by sed_eval (extra `evaluate`).

onsets: single sounds at known ratios over known backgrounds, as models/scenes/build.py lays them (onsets/choose,
onsets/report). Of each target: the share of its sounds that raise it within 80 ms, by ratio; false alarms in an
hour of all scenes; and the share of other sounds that raise it.

lasting: scenes of typing, sirens and others (lasting/choose, lasting/report). Of each target: the share of its
sounds that is told of within 2 s, by ratio, and false alarms in an hour.

cross-fit: what a sound is worth that is taught from labelled clips. For each fold of sources a row is fitted
as `teach` fits it, without any clip of those sources, and then judges their clips: recall, and false alarms
in hours of other sound. The manifest needs a column group, source or source_repo, which says which clips
belong together.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from edge.cli import console
from edge.cli.options import common, hop_from, log_to_stderr, settings_from, state_dir_from
from edge.control.calibrations import Calibrations
from edge.control.loading import load_calibrations, load_model_for, model_folder
from edge.errors import EdgeError
from edge.learn.classes import load_classes
from edge.learn.labelled_clips import labelled_by_class
from edge.model.classifier import Model
from edge.model.embedded import embedded_folder
from edge.settings import Settings, TargetSettings
from models.measuring.cross_fit_clips import cross_fit_clips
from models.measuring.evaluate_onsets import evaluate_lasting, evaluate_onsets, targets_for
from models.measuring.evaluate_scenes import evaluate_scenes
from models.measuring.onset_report import print_lasting, print_onsets
from models.measuring.report import print_cross_fit, print_scenes

EXAMPLES = """Examples:
  python -m models.measuring scenes scenes/truth --target hand_clap --target door_knock
  python -m models.measuring scenes scenes/rooms --by ratio_db --format json
  python -m models.measuring onsets scenes/onsets/report --by source
  python -m models.measuring cross-fit data/manifest.csv hand_clap siren
"""


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m models.measuring", description=__doc__, epilog=EXAMPLES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    ways = parser.add_subparsers(dest="way", metavar="scenes|onsets|lasting|cross-fit", required=True)
    scenes = ways.add_parser("scenes", help="score the events on annotated scenes")
    scenes.add_argument("folder", type=Path, metavar="FOLDER", help="recordings with their annotations")
    scenes.add_argument("--by", default="", metavar="COLUMN",
                        help="also give figures for each value of this column of the folder's scenes.csv")
    scenes.set_defaults(run=_run_scenes)
    onsets = ways.add_parser("onsets", help="count the events on scenes of single sounds")
    onsets.add_argument("folder", type=Path, metavar="FOLDER", help="scenes, with scenes.csv and placed.csv")
    onsets.add_argument("--by", default="", choices=("source", "background"), help="also give the recall for each of these")
    onsets.set_defaults(run=_run_onsets)
    lasting = ways.add_parser("lasting", help="count the events on scenes of lasting sounds")
    lasting.add_argument("folder", type=Path, metavar="FOLDER", help="scenes, with scenes.csv and placed.csv")
    lasting.set_defaults(run=_run_lasting)
    beside = " and those that scenes are for"
    for way, more in ((scenes, ""), (onsets, beside), (lasting, beside)):
        way.add_argument("--target", action="append", default=[], metavar="NAME",
                         help=f"hear this target (repeatable; default: the settings', else the model's standard ones{more})")
    fit = ways.add_parser("cross-fit", help="teach classes of clips, and judge every clip by a row without its source")
    fit.add_argument("clips", type=Path, metavar="FOLDER|MANIFEST", help="labelled recordings")
    fit.add_argument("names", nargs="+", metavar="CLASS", help="a class to teach")
    fit.add_argument("--alarms-per-hour", type=float, default=2.0, metavar="N",
                     help="false alarms to allow in an hour of varied sound (2, as teach does)")
    fit.add_argument("--split", default="", help="only rows of the manifest whose column split says this")
    fit.set_defaults(run=_run_cross_fit)
    for way in (scenes, fit):
        way.add_argument("--classes", type=Path, metavar="TOML", help="which labels stand for which class")
    for way, hop in ((scenes, "the settings'"), (onsets, "the settings'"), (lasting, "the settings'"),
                     (fit, "0.48")):
        common(way, formats=True)
        way.add_argument("--hop", type=float, metavar="SECONDS", help=f"distance between patches (default: {hop})")
    return parser


def main(given: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    options = _arguments().parse_args(given)
    log_to_stderr("warning")
    try:
        return int(options.run(options))
    except EdgeError as error:
        print(f"models.measuring: {error}", file=sys.stderr)
        return error.exit_code


def _run_scenes(options: argparse.Namespace) -> int:
    settings, state_dir = _settings(options), state_dir_from(options)
    hop = hop_from(options.hop, settings.model.hop_seconds)
    classes = load_classes(options.classes or embedded_folder() / "classes.toml")
    model = load_model_for(settings.model, state_dir)
    served = load_calibrations(model, settings, state_dir)
    found = evaluate_scenes(model, options.folder, settings.target, classes, hop_seconds=hop, by=options.by,
                            calibrations=served.serving, corrections=served.corrections)
    about = {"source": options.folder.name, "model": model.manifest.name, "runtime": model.runtime_name, "hop_seconds": hop}
    print_scenes(found, about, options.format, sys.stdout)
    return 0


def _run_onsets(options: argparse.Namespace) -> int:
    laid = _laid(options)
    found = evaluate_onsets(laid.model, options.folder, laid.targets, hop_seconds=laid.hop, by=options.by,
                            calibrations=laid.served.serving, corrections=laid.served.corrections)
    print_onsets(found, laid.about, options.format, sys.stdout)
    return 0


def _run_lasting(options: argparse.Namespace) -> int:
    laid = _laid(options)
    found = evaluate_lasting(laid.model, options.folder, laid.targets, hop_seconds=laid.hop,
                             calibrations=laid.served.serving, corrections=laid.served.corrections)
    print_lasting(found, laid.about, options.format, sys.stdout)
    return 0


class _Laid(NamedTuple):
    """What hears scenes that build.py laid, and what the figures are about."""

    model: Model
    targets: tuple[TargetSettings, ...]
    served: Calibrations
    hop: float
    about: dict[str, object]


def _laid(options: argparse.Namespace) -> _Laid:
    settings, state_dir = _settings(options), state_dir_from(options)
    hop = hop_from(options.hop, settings.model.hop_seconds)
    model = load_model_for(settings.model, state_dir)
    settings = replace(settings, target=targets_for(model, options.folder, settings.target))
    about = {"source": options.folder.name, "model": model.manifest.name, "runtime": model.runtime_name, "hop_seconds": hop}
    return _Laid(model, settings.target, load_calibrations(model, settings, state_dir), hop, about)


def _settings(options: argparse.Namespace) -> Settings:
    """The settings, with the targets that --target names."""
    settings = settings_from(options)
    if not options.target:
        return settings
    known = {target.name: target for target in settings.target}
    targets = tuple(known.get(name, TargetSettings(name=name)) for name in dict.fromkeys(options.target))
    return replace(settings, target=targets)


def _run_cross_fit(options: argparse.Namespace) -> int:
    settings, state_dir = settings_from(options), state_dir_from(options)
    hop = hop_from(options.hop, 0.48)
    labelled = labelled_by_class(options.clips, split=options.split, classes=options.classes)
    model = load_model_for(settings.model, state_dir)
    found = cross_fit_clips(model, model_folder(settings.model.name, state_dir), state_dir, labelled,
                            list(dict.fromkeys(options.names)), hop_seconds=hop, alarms_per_hour=options.alarms_per_hour)
    about = {"source": options.clips.name, "split": options.split, "model": model.manifest.name,
             "runtime": model.runtime_name, "hop_seconds": hop, "alarms_per_hour": options.alarms_per_hour,
             "clips": len(labelled.clips)}
    print_cross_fit(found, about, options.format, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(console(main))
