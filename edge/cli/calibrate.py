"""Set each target's threshold, and what its scores mean, for this room or by labelled recordings.

From the room (the default): hears the settings' source for some minutes, or recordings of the room, and moves each
threshold so that no more false alarms are to be expected than the budget allows. Make none of the sounds meanwhile:
what is heard counts as a false alarm. No sound is kept, only embeddings (a bounded file in the state directory, for
`teach`). From labelled recordings: fits what a score means (out of fold) too, and says what it is worth.

A day is taken to hold, beside the room's own sound, 12 minutes of sound as varied as the labelled recordings without
the target (--varied-minutes): a quiet room cannot bring a threshold under what those demand.

An appliance that runs with the same state directory has the microphone: the room is heard through it, and it takes the
calibration up at once. Otherwise it serves from the next start on.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from edge.cli.options import add_formats, common, log_to_stderr, settings_from, state_dir_from
from edge.control.loading import load_model_for
from edge.errors import SettingsError
from edge.learn.calibrate import MOST_COST, VARIED_HOURS, parse_budget
from edge.learn.labelled_clips import labelled_by_class, labelled_by_side
from edge.workshop.calibrate import calibrate_by_clips, hear_recordings, hear_room
from edge.workshop.calibrate_report import print_list, print_results
from edge.workshop.calibrate_talk import talk_of_calibrating
from edge.workshop.expect_report import print_prospects
from edge.workshop.picture_path import check_picture_path, plotting
from edge.workshop.session import Result, Session
from edge.workshop.taking_up import take_up
from edge.workshop.talk import Talk, talking

EXAMPLES = """Examples:
  edge-audio calibrate                                        ten minutes of the room, one false alarm a day a target
  edge-audio calibrate --minutes 60 --budget 0.2/week --target hand_clap
  edge-audio calibrate --room kitchen.wav evenings/           recordings of the room instead
  edge-audio calibrate --target hand_clap --positives claps/ --negatives other/ --plot claps.png
  edge-audio calibrate --clips recordings/                    one sub-folder a class, or a CSV manifest (--split)
  edge-audio calibrate --list
  edge-audio calibrate --expect --target hand_clap            false alarms and misses to expect, threshold by threshold
  edge-audio calibrate --reset hand_clap                      back to what came with the model (no name: all)
"""

MINUTES = 10.0


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `calibrate` takes."""
    common(parser)
    add_formats(parser, talk=True)
    parser.add_argument("files", nargs="*", help=argparse.SUPPRESS)  # refused with the option that was meant
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--minutes", type=float, metavar="N", help=f"hear the room so long (default {MINUTES:g})")
    way.add_argument("--room", nargs="+", type=Path, metavar="FILE", help="recordings of the room, or folders of them")
    way.add_argument("--positives", type=Path, metavar="FOLDER", help="recordings of one --target (with --negatives)")
    way.add_argument("--clips", type=Path, metavar="FOLDER|MANIFEST", help="labelled recordings of several classes")
    way.add_argument("--list", action="store_true", help="what is calibrated, and whether it fits")
    way.add_argument("--expect", action="store_true", help="false alarms and misses to expect at other thresholds")
    way.add_argument("--reset", nargs="?", const="", metavar="TARGET", help="forget the owner's calibration")
    parser.add_argument("--negatives", type=Path, metavar="FOLDER", help="recordings without it")
    parser.add_argument("--split", default="", help="with --clips: rows of the manifest whose column split says this")
    parser.add_argument("--classes", type=Path, metavar="TOML", help="with --clips: which labels stand for which class")
    parser.add_argument("--target", action="append", default=[], metavar="NAME", help="only this target (repeatable)")
    parser.add_argument("--budget", default="1/day", metavar="N/TIME", help="false alarms allowed: 1/day, 5/hour, 0.2/week")
    parser.add_argument("--varied-minutes", type=float, default=VARIED_HOURS * 60, metavar="N",
                        help="varied sound that a day holds, in minutes (12)")
    parser.add_argument("--cost", type=float, default=MOST_COST, metavar="SHARE",
                        help=f"of the labelled recordings of a target, what the room may cost ({MOST_COST:g}); "
                             "1: keep the budget whatever it costs")
    parser.add_argument("--dry-run", action="store_true", help="say it, and keep nothing")
    parser.add_argument("--plot", type=Path, metavar="PNG", help="reliability, and misses against false alarms")


def run(options: argparse.Namespace) -> int:
    """Calibrate, or list, or reset."""
    with talking(options.format) as talk:
        return _run(options, talk)


def _run(options: argparse.Namespace, talk: Talk | None) -> int:
    settings = settings_from(options)
    log_to_stderr(settings.log.level if settings.log.level != "info" else "warning")
    budget = parse_budget(options.budget, options.varied_minutes, options.cost)
    _check_way(options)
    if options.plot is not None:
        check_picture_path(options.plot)
        plotting()  # said before an hour of hearing
    state_dir = state_dir_from(options)
    model = load_model_for(settings.model, state_dir)
    session = Session.open(model, settings, state_dir, budget, options.target)
    if options.list:
        return print_list(session, options.format)
    if options.expect:
        print_prospects(session, options.format)
        return 0
    if options.reset is not None:
        print(f"forgot {', '.join(session.reset(options.reset))}")
        print(take_up(state_dir).words, file=sys.stderr)
        return 0
    if not options.dry_run:
        session.check_writable()
    minutes = MINUTES if options.minutes is None else options.minutes
    try:
        if talk is not None:
            talk_of_calibrating(talk, session, minutes)
            return 0
        results = _calibrated(options, session, minutes)
    except KeyboardInterrupt:
        print("edge-audio: stopped; nothing was kept or changed", file=sys.stderr)
        return 130
    print_results(session, results, options.format, dry_run=options.dry_run)
    if not options.dry_run:
        print(take_up(state_dir).words, file=sys.stderr)
    if options.plot is not None:
        plotting().plot_calibration([(result.target, result.entry, result.worth) for result in results], options.plot)
    return 0


def _calibrated(options: argparse.Namespace, session: Session, minutes: float) -> list[Result]:
    """The way that the options name."""
    if options.positives is not None:
        labelled = labelled_by_side(options.positives, options.negatives)
        return calibrate_by_clips(session, labelled, keep=not options.dry_run)
    if options.clips is not None:
        labelled = labelled_by_class(options.clips, split=options.split, classes=options.classes)
        return calibrate_by_clips(session, labelled, keep=not options.dry_run)
    if options.room is None and session.settings.source.kind != "file":
        print(f"hearing the room for {minutes:g} minutes; make none of the sounds meanwhile "
              "(Ctrl-C stops, and keeps nothing)", file=sys.stderr)
    heard = hear_room(session, minutes) if options.room is None else hear_recordings(session, options.room)
    return heard.results() if options.dry_run else heard.keep()


def _check_way(options: argparse.Namespace) -> None:
    """See that the options go together."""
    if options.files:
        raise SettingsError("calibrate", found=" ".join(options.files),
                            wanted=f"--room {' '.join(options.files)} (recordings of the room), --positives or --clips")
    if options.format == "jsonl" and (options.list or options.expect or options.dry_run or any(
            way is not None for way in (options.room, options.positives, options.clips, options.reset, options.plot))):
        raise SettingsError("--format jsonl", found="more than the room to be heard (--minutes, --target, --budget)",
                            wanted="the room alone; what is kept is answered on standard input")
    if options.minutes is not None and not 0.0 < options.minutes <= 10_080.0:
        raise SettingsError("--minutes", found=f"{options.minutes:g}", wanted="more than 0, 10080 (a week) at most")
    if (options.positives is None) != (options.negatives is None):
        raise SettingsError("--positives and --negatives", found="one of them", wanted="both")
    if options.positives is not None and len(options.target) != 1:
        raise SettingsError("--positives", found=f"{len(options.target)} targets",
                            wanted="the one that they hold (--target NAME)")
    if (options.split or options.classes) and options.clips is None:
        raise SettingsError("--split and --classes", found="no --clips", wanted="labelled recordings (--clips)")
