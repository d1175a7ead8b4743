"""Say what is in recordings: the highest labels of every patch, and the events that they raise.

Folders are searched for recordings. The tail of a recording, and one shorter than a patch (0.975 s), are
padded with silence. WAV needs nothing extra; FLAC, Ogg and the rest need the extra `files` (soundfile), which
`make` installs.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from edge.cli.options import common, hop_from, log_to_stderr, settings_from, state_dir_from
from edge.control.loading import load_calibrations, load_model_for
from edge.control.plan import plan_for
from edge.errors import SettingsError, SourceError
from edge.learn.recording_files import recordings_of
from edge.workshop.classify import check_labels, classify
from edge.workshop.picture_path import check_picture_path, plotting
from edge.workshop.progress import bar
from edge.workshop.report import ClassificationPrinter

EXAMPLES = """Examples:
  edge-audio classify door.wav                           a time line of the five highest labels, then the events
  edge-audio classify --top 1 --hop 0.48 recordings/     every recording in a folder
  edge-audio classify --format json --top 0 door.wav     one JSON object a file and line, all labels
  edge-audio classify --plot door.png door.wav           spectrogram, events and scores
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `classify` takes."""
    common(parser, formats=True)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="recordings, or folders of them")
    parser.add_argument("--top", type=int, default=5, metavar="N", help="labels per patch (default 5; 0: all)")
    parser.add_argument("--hop", type=float, metavar="SECONDS", help="distance between patches (default: the settings')")
    parser.add_argument("--score-threshold", type=float, default=0.0, metavar="SCORE", help="leave out lower scores")
    parser.add_argument("--allow", action="append", default=[], metavar="LABEL", help="only this label (repeatable)")
    parser.add_argument("--deny", action="append", default=[], metavar="LABEL", help="never this label (repeatable)")
    parser.add_argument("--plot", type=Path, metavar="PNG", help="draw spectrogram, events and scores (one file)")


def run(options: argparse.Namespace) -> int:
    """Classify every file. A file that cannot be heard is named, and the others are classified."""
    settings = settings_from(options)
    log_to_stderr(settings.log.level if settings.log.level != "info" else "warning")
    if options.top < 0:
        raise SettingsError("--top", found=str(options.top), wanted="0 (all) or more")
    if not 0.0 <= options.score_threshold <= 1.0:
        raise SettingsError("--score-threshold", found=str(options.score_threshold), wanted="0 to 1")
    files = recordings_of(options.files)
    if options.plot is not None:
        if len(files) != 1:
            raise SettingsError("--plot", found=f"{len(files)} recordings", wanted="one recording")
        check_picture_path(options.plot)
        draw = plotting().plot_classification  # what is missing for it is said before the sound is heard
    model = load_model_for(settings.model, state_dir_from(options))
    hop = hop_from(options.hop, settings.model.hop_seconds)
    printer = ClassificationPrinter(options.format, sys.stdout, top=options.top, allow=options.allow, deny=options.deny,
                                    score_threshold=options.score_threshold)
    check_labels((*options.allow, *options.deny), model.labels, model.manifest.name)
    # Checked before the first file: a wrong hop or target is no fault of a file.
    plan_for(model, settings.target, hop_seconds=hop)
    calibrations = load_calibrations(model, settings, state_dir_from(options))
    worst = 0
    for file in files:
        try:
            with bar(file.name, "s") as progress:
                result = classify(model, file, hop_seconds=hop, channel=settings.source.channel,
                                  targets=settings.target, calibrations=calibrations.serving,
                                  corrections=calibrations.corrections, embeddings=False,
                                  bands=options.plot is not None, progress=progress)
        except (SourceError, SettingsError) as error:
            about = "" if str(file) in str(error) else f"{file}: "
            print(f"edge-audio: {about}{error}", file=sys.stderr)
            worst = max(worst, error.exit_code)
            continue
        printer.print(result)
        if options.plot is not None:
            labels = [label for label in options.allow or result.labels if label not in options.deny]
            draw(result, options.plot, top=options.top or 10, labels=labels)
    return worst
