"""Measure a model on labelled recordings, with what is to be believed of each figure.

Clips: a folder with one sub-folder for each class, or a CSV manifest with the columns path and class. A clip's score is
that of its highest patch: accuracy, confusion matrix (--plot draws it), and for each class the area under the ROC curve,
precision, recall and F1; and, at the threshold that serves, the share heard and false alarms an hour. Which labels stand
for which class is in a table (--classes); clips of other classes count as negatives.
With --cross-fit CLASS: what a sound taught from these clips would be worth. For each fold of sources a row is fitted as
`teach` does, without anything of them, and judges their clips: recall, and false alarms on hours of other sound. The
manifest needs a column group, source or source_repo, which says what belongs together.
With --scenes: recordings whose sounds are annotated with onset, offset and label (a .txt or .tsv beside each, or
annotations.csv for all); the appliance's events are scored.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from edge.cli.options import common, hop_from, log_to_stderr, settings_from, state_dir_from
from edge.control.loading import load_calibrations, load_model_for, model_folder
from edge.errors import SettingsError
from edge.learn.classes import load_classes
from edge.learn.evaluate import find_clips
from edge.learn.labelled_clips import labelled_by_class
from edge.model.embedded import embedded_folder
from edge.settings import TargetSettings
from edge.workshop.cross_fitting import cross_fit_clips
from edge.workshop.evaluate import evaluate_clips
from edge.workshop.evaluation_report import print_clips, print_cross_fit, print_scenes
from edge.workshop.picture_path import check_picture_path, plotting
from edge.workshop.scene_evaluation import evaluate_scenes

EXAMPLES = """Examples:
  edge-audio evaluate recordings/
  edge-audio evaluate data/manifest.csv --split eval --model yamnet
  edge-audio evaluate data/manifest.csv --split eval --format json --hop 0.48 --plot confusion.png
  edge-audio evaluate data/manifest.csv --cross-fit hand_clap --cross-fit siren
  edge-audio evaluate --scenes scenes/truth --target hand_clap --target door_knock
  edge-audio evaluate --scenes scenes/rooms --by ratio_db
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `evaluate` takes."""
    common(parser, formats=True)
    parser.add_argument("clips", type=Path, nargs="?", metavar="FOLDER|MANIFEST", help="labelled recordings")
    parser.add_argument("--scenes", type=Path, metavar="FOLDER", help="annotated scenes instead: score the events")
    parser.add_argument("--cross-fit", action="append", default=[], metavar="CLASS",
                        help="teach this class from the clips, and judge it source by source (repeatable)")
    parser.add_argument("--alarms-per-hour", type=float, metavar="N",
                        help="cross-fit: false alarms to allow in an hour of varied sound (2, as teach does)")
    parser.add_argument("--target", action="append", default=[], metavar="NAME",
                        help="scenes: hear this target (repeatable; default: the settings', else the model's standard ones)")
    parser.add_argument("--by", default="", metavar="COLUMN",
                        help="scenes: figures for each value of this column of the folder's scenes.csv, too")
    parser.add_argument("--split", default="", help="rows of the manifest whose column split says this")
    parser.add_argument("--class", dest="only", action="append", default=[], metavar="NAME",
                        help="only clips of this class (repeatable)")
    parser.add_argument("--classes", type=Path, metavar="TOML", help="which labels stand for which class")
    parser.add_argument("--hop", type=float, metavar="SECONDS",
                        help="distance between patches (clips: 0.48; scenes: the settings' own)")
    parser.add_argument("--plot", type=Path, metavar="PNG", help="clips: draw what is taken for what")


def run(options: argparse.Namespace) -> int:
    """Hear, measure, print."""
    if (options.clips is None) is (options.scenes is None):
        raise SettingsError("what to measure", found="both clips and --scenes" if options.clips else "nothing",
                            wanted="FOLDER or MANIFEST of clips, or --scenes FOLDER")
    way = "--scenes" if options.scenes is not None else "--cross-fit" if options.cross_fit else "clips"
    for given, option, wanted in ((options.cross_fit, "--cross-fit", ("--cross-fit",)), (options.plot, "--plot", ("clips",)),
                                  (options.only, "--class", ("clips",)), (options.by, "--by", ("--scenes",)),
                                  (options.target, "--target", ("--scenes",)),
                                  (options.alarms_per_hour is not None, "--alarms-per-hour", ("--cross-fit",)),
                                  (options.split, "--split", ("clips", "--cross-fit"))):
        if given and way not in wanted:
            raise SettingsError(option, found=f"beside {way}", wanted=f"{option} with {' or '.join(wanted)} only")
    if options.scenes is not None:
        return _run_scenes(options)
    return _run_cross_fit(options) if options.cross_fit else _run_clips(options)


def _run_clips(options: argparse.Namespace) -> int:
    hop = hop_from(options.hop, 0.48)
    settings = settings_from(options)
    log_to_stderr("warning")
    draw = None
    if options.plot is not None:  # said before an hour of listening
        check_picture_path(options.plot)
        draw = plotting().plot_confusion
    classes = load_classes(options.classes or embedded_folder() / "classes.toml")
    clips = find_clips(options.clips, split=options.split, only=options.only)
    model = load_model_for(settings.model, state_dir_from(options))
    figures, hours = evaluate_clips(model, clips, classes, settings, state_dir_from(options), hop_seconds=hop)
    about = {"source": options.clips.name, "split": options.split, "model": model.manifest.name,
             "runtime": model.runtime_name, "hop_seconds": hop, "hours": round(hours, 3)}
    print_clips(figures, about, options.format, sys.stdout)
    if draw is not None:
        draw(figures.confusion, f"{model.manifest.name} on {model.runtime_name}, {options.clips.name}", options.plot)
    return 0


def _run_cross_fit(options: argparse.Namespace) -> int:
    hop = hop_from(options.hop, 0.48)
    settings, state_dir = settings_from(options), state_dir_from(options)
    log_to_stderr("warning")
    labelled = labelled_by_class(options.clips, split=options.split, classes=options.classes)
    model = load_model_for(settings.model, state_dir)
    alarms_per_hour = 2.0 if options.alarms_per_hour is None else options.alarms_per_hour
    found = cross_fit_clips(model, model_folder(settings.model.name, state_dir), state_dir, labelled,
                            list(dict.fromkeys(options.cross_fit)), hop_seconds=hop, alarms_per_hour=alarms_per_hour)
    about = {"source": options.clips.name, "split": options.split, "model": model.manifest.name,
             "runtime": model.runtime_name, "hop_seconds": hop, "alarms_per_hour": alarms_per_hour,
             "clips": len(labelled.clips)}
    print_cross_fit(found, about, options.format, sys.stdout)
    return 0


def _run_scenes(options: argparse.Namespace) -> int:
    settings = settings_from(options)
    if options.target:
        known = {target.name: target for target in settings.target}
        targets = tuple(known.get(name, TargetSettings(name=name)) for name in dict.fromkeys(options.target))
        settings = replace(settings, target=targets)
    hop = hop_from(options.hop, settings.model.hop_seconds)
    log_to_stderr("warning")
    classes = load_classes(options.classes or embedded_folder() / "classes.toml")
    model = load_model_for(settings.model, state_dir_from(options))
    served = load_calibrations(model, settings, state_dir_from(options))
    found = evaluate_scenes(model, options.scenes, settings.target, classes, hop_seconds=hop, by=options.by,
                            calibrations=served.serving, corrections=served.corrections)
    about = {"source": options.scenes.name, "model": model.manifest.name, "runtime": model.runtime_name, "hop_seconds": hop}
    print_scenes(found, about, options.format, sys.stdout)
    return 0
