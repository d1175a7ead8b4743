"""Measure a model on labelled recordings, with how far each figure is to be believed.

Clips: a folder with one sub-folder for each class, or a CSV manifest with the columns path and class. A
clip's score is the highest that any of its patches has. Printed are accuracy and, for each class, the area
under the ROC curve, precision, recall and F1; then, at the threshold that serves, the share heard and the
false alarms in an hour. --plot draws what is taken for what. A table (--classes) says which labels stand for
which class; a clip of a class that is in no row of it counts as one without any of the sounds.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from edge.cli.options import common, hop_from, log_to_stderr, settings_from, state_dir_from
from edge.control.loading import load_model_for
from edge.learn.classes import load_classes
from edge.learn.labelled_clips import find_clips
from edge.model.embedded import embedded_folder
from edge.workshop.evaluate import evaluate_clips
from edge.workshop.picture_path import check_picture_path, plotting
from edge.workshop.report import print_clips

EXAMPLES = """Examples:
  edge-audio evaluate recordings/
  edge-audio evaluate data/manifest.csv --split eval --model yamnet
  edge-audio evaluate data/manifest.csv --split eval --format json --hop 0.48 --plot confusion.png
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `evaluate` takes."""
    common(parser, formats=True)
    parser.add_argument("clips", type=Path, metavar="FOLDER|MANIFEST", help="labelled recordings")
    parser.add_argument("--split", default="", help="rows of the manifest whose column split says this")
    parser.add_argument("--class", dest="only", action="append", default=[], metavar="NAME",
                        help="only clips of this class (repeatable)")
    parser.add_argument("--classes", type=Path, metavar="TOML", help="which labels stand for which class")
    parser.add_argument("--hop", type=float, metavar="SECONDS", help="distance between patches (0.48)")
    parser.add_argument("--plot", type=Path, metavar="PNG", help="draw what is taken for what")


def run(options: argparse.Namespace) -> int:
    """Hear, measure, print."""
    hop = hop_from(options.hop, 0.48)
    settings, state_dir = settings_from(options), state_dir_from(options)
    log_to_stderr("warning")
    draw = None
    if options.plot is not None:  # what keeps it from being drawn is said before an hour of listening
        check_picture_path(options.plot)
        draw = plotting().plot_confusion
    classes = load_classes(options.classes or embedded_folder() / "classes.toml")
    clips = find_clips(options.clips, split=options.split, only=options.only)
    model = load_model_for(settings.model, state_dir)
    figures, hours = evaluate_clips(model, clips, classes, settings, state_dir, hop_seconds=hop)
    about = {"source": options.clips.name, "split": options.split, "model": model.manifest.name,
             "runtime": model.runtime_name, "hop_seconds": hop, "hours": round(hours, 3)}
    print_clips(figures, about, options.format, sys.stdout)
    if draw is not None:
        draw(figures.confusion, f"{model.manifest.name} on {model.runtime_name}, {options.clips.name}", options.plot)
    return 0
