"""Teach the model a sound of your own, from 5 to 20 recordings or the microphone; it is heard from the next start on. An
appliance that runs with the same state directory has the microphone: recordings come through it, and it hears the sound at
once.

Says beforehand how well it will be heard: each recording is judged by a row that was fitted without it and without those
that sound like it, and false alarms are counted on the model's bank of other sounds. A sound that cannot be told apart is
refused, with what it sounds like. No sound is kept: embeddings only.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from edge.cli.options import add_formats, common, log_to_stderr, settings_from, state_dir_from
from edge.control.loading import model_folder
from edge.errors import SettingsError
from edge.learn.recorder import Recorder
from edge.learn.teach import FEWEST, MOST, Recording
from edge.model.taught_file import start_afresh, undo_taught
from edge.settings import Settings
from edge.workshop.lessons import Lessons
from edge.workshop.recordings import all_recordings, check_count, record
from edge.workshop.rows import print_rows
from edge.workshop.running import open_heard
from edge.workshop.taking_up import take_up
from edge.workshop.talk import Talk, talking
from edge.workshop.teach import Wanted, prepare
from edge.workshop.teach_report import cannot_be_told_apart, print_outcome, taught_row
from edge.workshop.teach_talk import talk_of_teaching

EXAMPLES = """Examples:
  edge-audio teach kettle kettle-*.wav          from recordings, each with the sound in it once or more
  edge-audio teach doorbell --microphone        from the settings' microphone: ring ten times, one after another
  edge-audio teach hand_clap --microphone       your claps, beside what the model hears as one
  edge-audio teach kettle *.wav --dry-run       says how well it would be heard, keeps nothing
  edge-audio teach our_dog bark*.wav --like dog_bark     the bank's dog barks are no other sound
  edge-audio teach --list
  edge-audio teach --remove kettle
  edge-audio teach --undo                       takes the last step back, exactly
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `teach` takes."""
    common(parser)
    add_formats(parser, talk=True)
    parser.add_argument("name", nargs="?", metavar="NAME", help="what to call it: letters, digits, '-' and '_'; "
                        "or a sound without length that the model hears, which yours then add to")
    parser.add_argument("clips", nargs="*", type=Path, metavar="CLIP", help=f"{FEWEST} to {MOST} recordings of the sound")
    parser.add_argument("--microphone", action="store_true", help="record examples from the settings' source")
    parser.add_argument("--count", type=int, default=10, metavar="N", help="with --microphone: how many (10)")
    parser.add_argument("--sound", choices=("impulsive", "lasting"), help="an event for each onset, or one from start to "
                                                                        "end (measured from the recordings)")
    parser.add_argument("--like", action="append", default=[], metavar="CLASS",
                        help="a class of the bank that is this sound too (repeatable)")
    parser.add_argument("--alarms-per-hour", type=float, default=2.0, metavar="N",
                        help="false alarms to allow in an hour of varied sound (2)")
    parser.add_argument("--force", action="store_true", help="keep a sound that cannot be told apart, saying so")
    parser.add_argument("--dry-run", action="store_true", help="keep nothing")
    verbs = parser.add_mutually_exclusive_group()
    verbs.add_argument("--list", action="store_true", help="what was taught")
    verbs.add_argument("--remove", metavar="NAME", help="forget a sound, or what was said of a target")
    verbs.add_argument("--undo", action="store_true", help="take the last step back (of feedback, too)")
    verbs.add_argument("--start-afresh", action="store_true", help="set aside all that was taught this model")


def run(options: argparse.Namespace) -> int:
    """Teach, list, remove, undo."""
    with talking(options.format) as talk:
        return _run(options, talk)


def _run(options: argparse.Namespace, talk: Talk | None) -> int:
    settings, state_dir = settings_from(options), state_dir_from(options)
    log_to_stderr("warning")
    verb = options.list or options.remove or options.undo or options.start_afresh
    if verb and options.name is not None:
        raise SettingsError("teach", found=f"{options.name} beside --list, --remove, --undo or --start-afresh", wanted="one")
    if not verb and options.name is None:
        raise SettingsError("teach", found="no name", wanted="NAME and recordings, or --list, --remove, --undo")
    if talk is not None and (verb or not options.microphone or options.dry_run or options.force):
        raise SettingsError("--format jsonl", found="no --microphone, or --dry-run or --force",
                            wanted="--microphone; what is kept is answered on standard input")
    if options.undo:
        return _done(state_dir, "undone", undo_taught(state_dir, settings.model.name), options.format)
    if options.start_afresh:
        return _done(state_dir, "set aside", str(start_afresh(state_dir, settings.model.name)), options.format)
    lessons = Lessons(settings.model.name, model_folder(settings.model.name, state_dir), state_dir)
    if options.list:
        print_rows([*map(taught_row, lessons.taught.sounds), *map(taught_row, lessons.taught.looks)], options.format,
                   empty="nothing was taught")
        return 0
    if not options.remove:
        return _teach(options, settings, lessons, talk)
    lessons.remove(options.remove)
    return _done(state_dir, "removed", options.remove, options.format, " (edge-audio teach --undo brings it back)")


def _done(state_dir: Path, what: str, which: str, form: str, then: str = "") -> int:
    """Say what was done and have it taken up, in words or in a row; the exit code."""
    if form == "table":
        print(f"{what} {which}{then}" if then else f"{what}: {which}")
    taken_up = take_up(state_dir)
    if form != "table":
        print_rows([{what.replace(" ", "_"): which, "reloaded": taken_up.reloaded}], form)
    print(taken_up.words, file=sys.stderr)
    return 0


def _teach(options: argparse.Namespace, settings: Settings, lessons: Lessons, talk: Talk | None) -> int:
    if bool(options.clips) == options.microphone:
        raise SettingsError("teach", found="recordings and --microphone" if options.clips else "no recording",
                            wanted="recordings of the sound, or --microphone")
    wanted = Wanted(options.name, None if options.sound is None else options.sound == "impulsive", options.like,
                    options.alarms_per_hour, options.force)
    if talk is not None:
        talk_of_teaching(talk, lessons, settings, wanted, options.count)
        return 0

    def recordings() -> Sequence[Recording]:
        if options.microphone:
            return _recorded(options.count, settings, lessons.state_dir)
        return all_recordings(options.clips, channel=settings.source.channel)

    prepared = prepare(lessons, settings, wanted, recordings)
    outcome = prepared.outcome() if options.dry_run else prepared.keep()
    print_rows([taught_row(outcome.sound)], options.format)
    if options.format == "table":
        print_outcome(outcome)
    if outcome.refused and not options.force:
        raise cannot_be_told_apart(outcome)
    if outcome.refused:
        print(f"edge-audio: taught all the same (--force): {outcome.refused}", file=sys.stderr)
    if outcome.kept:
        said = take_up(lessons.state_dir, options.name).words
        print(f"taught {options.name} to {lessons.manifest.name}; {said}", file=sys.stderr)
    else:
        print("dry run: nothing kept", file=sys.stderr)
    return 0


def _recorded(count: int, settings: Settings, state_dir: Path) -> Sequence[Recording]:
    """Recordings from the settings' source, or through the appliance that has it; a line follows them on a terminal."""
    check_count(count)
    opened = open_heard(settings.source, state_dir)
    print(f"make the sound {count} times, a second apart or more; wait for the first second", file=sys.stderr)
    known, clear = 0, "\x1b[K" if sys.stderr.isatty() else ""

    def heard(recorder: Recorder, recordings: Sequence[Recording], problem: tuple[str, str] | None) -> None:
        nonlocal known
        done, room = len(recordings), "..." if recorder.room_dbfs is None else f"{recorder.room_dbfs:.0f}"
        if clear:
            print(f"\r{done} of {count}  {recorder.level_dbfs:6.1f} dBFS, room {room}  "
                  f"{'hearing' if recorder.hearing else 'waiting'}{clear}", end="", file=sys.stderr, flush=True)
        if problem is not None:
            print(f"\r{clear}again: found {problem[0]}; wanted {problem[1]}", file=sys.stderr)
        elif done > known:
            known = done
            print(f"\rheard {done} of {count}{clear}", file=sys.stderr)

    return record(opened.source, count, channel=opened.channel, heard=heard)
