"""Measure a model on labelled recordings: accuracy, and the area under the ROC curve for each class.

Takes a folder with one sub-folder for each class, or a CSV manifest with the columns path and class. The score of a
clip is its highest patch. Which labels stand for which class is in a table (--classes); clips of other classes count
as negatives. With --scenes: recordings whose sounds are annotated with onset, offset and label (a .txt or .tsv beside
each, or annotations.csv for all); the appliance's events are scored.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from edge.app import load_calibrations, load_model_for
from edge.classification import classify
from edge.cli.options import common, hop_from, log_to_stderr, settings_from, state_dir_from
from edge.errors import SettingsError, SourceError
from edge.evaluation_output import print_scenes
from edge.learn.classes import load_classes
from edge.learn.evaluate import Figures, as_dict, find_clips, measurable, measure
from edge.model.store import embedded_folder
from edge.progress import bar
from edge.scene_evaluation import evaluate_scenes
from edge.settings import TargetSettings

EXAMPLES = """Examples:
  edge-audio evaluate recordings/
  edge-audio evaluate data/manifest.csv --split eval --model yamnet
  edge-audio evaluate data/manifest.csv --split eval --format json --hop 0.48
  edge-audio evaluate --scenes scenes/truth --target hand_clap --target door_knock
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `evaluate` takes."""
    common(parser, formats=True)
    parser.add_argument("clips", type=Path, nargs="?", metavar="FOLDER|MANIFEST", help="labelled recordings")
    parser.add_argument("--scenes", type=Path, metavar="FOLDER", help="annotated scenes instead: score the events")
    parser.add_argument("--target", action="append", default=[], metavar="NAME",
                        help="scenes: hear this target (repeatable; default: the settings', else the model's standard ones)")
    parser.add_argument("--split", default="", help="rows of the manifest whose column split says this")
    parser.add_argument("--class", dest="only", action="append", default=[], metavar="NAME",
                        help="only clips of this class (repeatable)")
    parser.add_argument("--classes", type=Path, metavar="TOML", help="which labels stand for which class")
    parser.add_argument("--hop", type=float, metavar="SECONDS",
                        help="distance between patches (clips: 0.48; scenes: the settings' own)")


def run(options: argparse.Namespace) -> int:
    """Score every clip, then print the figures. Clips that cannot be heard are an error: figures would be of others."""
    if (options.clips is None) is (options.scenes is None):
        raise SettingsError("what to measure", found="both clips and --scenes" if options.clips else "nothing",
                            wanted="FOLDER or MANIFEST of clips, or --scenes FOLDER")
    if options.scenes is not None:
        return _run_scenes(options)
    hop = hop_from(options.hop, 0.48)
    settings = settings_from(options)
    log_to_stderr("warning")
    classes = load_classes(options.classes or embedded_folder() / "classes.toml")
    clips = find_clips(options.clips, split=options.split, only=options.only)
    model = load_model_for(settings.model, state_dir_from(options))
    measurable(clips, model.labels, classes)  # said before an hour of listening
    scores = np.zeros((len(clips), len(model.labels)), np.float32)
    seconds = 0.0
    with bar("evaluate", "clips") as progress:
        for number, clip in enumerate(clips):
            result = classify(model, clip.path, hop_seconds=hop, embeddings=False, bands=False)
            if not len(result.scores):
                raise SourceError(str(clip.path), found="no sound", wanted="a recording")
            scores[number] = result.scores.max(axis=0)
            seconds += result.duration_seconds
            progress(number + 1, len(clips))
    figures = measure(clips, scores, model.labels, classes)
    about = {"source": options.clips.name, "split": options.split, "model": model.manifest.name,
             "runtime": model.runtime_name, "hop_seconds": hop, "hours": round(seconds / 3600, 3)}
    if options.format == "json":
        print(json.dumps(as_dict(figures, about)))
    elif options.format == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(["class", "clips", "negatives", "area_under_curve", "recall"])
        writer.writerows([row.name, row.clips, row.negatives, f"{row.area_under_curve:.4f}", f"{row.recall:.4f}"]
                         for row in figures.classes)
    else:
        _table(figures, about)
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
    calibrations = load_calibrations(model, settings, state_dir_from(options)).entries
    figures = evaluate_scenes(model, options.scenes, settings.target, classes, hop_seconds=hop, calibrations=calibrations)
    about = {"source": options.scenes.name, "model": model.manifest.name, "runtime": model.runtime_name, "hop_seconds": hop}
    print_scenes(figures, about, options.format, sys.stdout)
    return 0


def _table(figures: Figures, about: dict[str, object]) -> None:
    print(f"{about['model']} on {about['runtime']}, hop {about['hop_seconds']} s: {figures.clips} clips, "
          f"{about['hours']} hours")
    print(f"accuracy {figures.accuracy:.1%} ({figures.accuracy_low:.1%} to {figures.accuracy_high:.1%}) over "
          f"{figures.classified} clips of {len(figures.classes)} classes that the model has labels for")
    print(f"{'class':<16}{'clips':>6}{'negatives':>11}{'area under curve':>18}{'recall':>8}")
    for row in figures.classes:
        print(f"{row.name:<16}{row.clips:>6}{row.negatives:>11}{row.area_under_curve:>18.3f}{row.recall:>8.2f}")
