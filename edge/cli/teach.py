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

from edge.cli.options import common, log_to_stderr, settings_from, state_dir_from
from edge.cli.taking_up import taken_up
from edge.control.loading import model_folder
from edge.errors import ModelError, SettingsError
from edge.learn.figures import wilson_interval
from edge.learn.recorder import Recorder
from edge.learn.teach import FEWEST, MOST, Recording
from edge.model.taught import TaughtSound
from edge.model.taught_file import start_afresh, undo_taught
from edge.model.taught_look import TaughtLook
from edge.settings import Settings
from edge.workshop.lessons import Lessons
from edge.workshop.recordings import all_recordings, record
from edge.workshop.rows import print_rows
from edge.workshop.running import open_heard
from edge.workshop.teach import Outcome, Wanted, teach

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


KINDS = {True: "heard as a sound without length: one event for each onset (--sound lasting: one from its start to its end)",
         False: "heard as a sound with length: one event from its start to its end (--sound impulsive: one for each onset)"}


LOOKED = ("heard as a sound without length: one event for each onset, by looks at it, over a room's noise too (--sound "
          "lasting: one event from its start to its end)")


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `teach` takes."""
    common(parser, formats=True)
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
    settings, state_dir = settings_from(options), state_dir_from(options)
    log_to_stderr("warning")
    verb = options.list or options.remove or options.undo or options.start_afresh
    if verb and options.name is not None:
        raise SettingsError("teach", found=f"{options.name} beside --list, --remove, --undo or --start-afresh", wanted="one")
    if not verb and options.name is None:
        raise SettingsError("teach", found="no name", wanted="NAME and recordings, or --list, --remove, --undo")
    if options.undo:
        print(f"undone: {undo_taught(state_dir, settings.model.name)}")
    elif options.start_afresh:
        print(f"set aside: {start_afresh(state_dir, settings.model.name)}")
    else:
        lessons = Lessons(settings.model.name, model_folder(settings.model.name, state_dir), state_dir)
        if options.list:
            print_rows([*map(_row, lessons.taught.sounds), *map(_row, lessons.taught.looks)], options.format,
                       empty="nothing was taught")
            return 0
        if not options.remove:
            return _teach(options, settings, lessons)
        lessons.remove(options.remove)
        print(f"removed {options.remove} (edge-audio teach --undo brings it back)")
    print(taken_up(state_dir), file=sys.stderr)
    return 0


def _teach(options: argparse.Namespace, settings: Settings, lessons: Lessons) -> int:
    if bool(options.clips) == options.microphone:
        raise SettingsError("teach", found="recordings and --microphone" if options.clips else "no recording",
                            wanted="recordings of the sound, or --microphone")
    wanted = Wanted(options.name, None if options.sound is None else options.sound == "impulsive", options.like,
                    options.alarms_per_hour, options.force)

    def recordings() -> list[Recording]:
        if options.microphone:
            return _recorded(options.count, settings, lessons.state_dir)
        return all_recordings(options.clips, channel=settings.source.channel)

    outcome = teach(lessons, settings, wanted, recordings, keep=not options.dry_run)
    print_rows([_row(outcome.sound)], options.format)
    if options.format == "table":
        _explain(outcome)
    if outcome.refused and not options.force:
        raise ModelError(f"sound {options.name}", found=outcome.refused, wanted="one that can be told apart: more and "
                         f"clearer recordings, {same_as(outcome.sound.foreseen.collisions)}, or --force")
    if outcome.refused:
        print(f"edge-audio: taught all the same (--force): {outcome.refused}", file=sys.stderr)
    if outcome.kept:
        said = taken_up(lessons.state_dir, options.name)
        print(f"taught {options.name} to {lessons.manifest.name}; {said}", file=sys.stderr)
    else:
        print("dry run: nothing kept", file=sys.stderr)
    return 0


def _recorded(count: int, settings: Settings, state_dir: Path) -> list[Recording]:
    """Recordings from the settings' source, or through the appliance that has it; a line follows them on a terminal."""
    if not FEWEST <= count <= MOST:
        raise SettingsError("--count", found=str(count), wanted=f"{FEWEST} to {MOST}")
    opened = open_heard(settings.source, state_dir)
    print(f"make the sound {count} times, a second apart or more; wait for the first second", file=sys.stderr)
    known, clear = 0, "\x1b[K" if sys.stderr.isatty() else ""

    def heard(recorder: Recorder, done: int, problem: tuple[str, str] | None) -> None:
        nonlocal known
        room = "..." if recorder.room_dbfs is None else f"{recorder.room_dbfs:.0f}"
        if clear:
            print(f"\r{done} of {count}  {recorder.level_dbfs:6.1f} dBFS, room {room}  "
                  f"{'hearing' if recorder.hearing else 'waiting'}{clear}", end="", file=sys.stderr, flush=True)
        if problem is not None:
            print(f"\r{clear}again: found {problem[0]}; wanted {problem[1]}", file=sys.stderr)
        elif done > known:
            known = done
            print(f"\rheard {done} of {count}{clear}", file=sys.stderr)

    return record(opened.source, count, channel=opened.channel, heard=heard)


def _row(sound: TaughtSound | TaughtLook) -> dict[str, object]:
    foreseen, looked = sound.foreseen, isinstance(sound, TaughtLook)
    low, high = wilson_interval(foreseen.heard, foreseen.clips)
    impulsive = isinstance(sound, TaughtLook) or sound.impulsive
    return {"name": sound.name, "sound": "impulsive" if impulsive else "lasting", "by": "looks" if looked else "patches",
            "recordings": foreseen.clips,
            "groups": foreseen.groups or None,
            "recall": round(foreseen.heard / foreseen.clips, 3), "recall_low": round(low, 3), "recall_high": round(high, 3),
            "alarms_per_hour": round(foreseen.alarms_per_hour, 2), "alarms_upper": round(foreseen.alarms_upper, 2),
            "threshold": round(sound.threshold, 4), "forced": sound.forced, "taught_at": sound.taught_at}


def same_as(collisions: Sequence[str]) -> str:
    """Advice on --like for a sound that is refused. collisions: what the sound is nearest to, the nearest first."""
    near = [name for name in collisions if "taught" not in name and not name.startswith("neg_")]
    return f"--like {near[0]} if that is the same sound" if near else "--like for a class that is the same"


def _explain(outcome: Outcome) -> None:
    sound, foreseen, looked = outcome.sound, outcome.sound.foreseen, isinstance(outcome.sound, TaughtLook)
    clips, groups = foreseen.clips, foreseen.groups
    judged = "itself" if groups in (1, clips) else f"those that sound like it ({groups} groups)"
    print(f"of {clips} recordings, each judged without {judged}, {foreseen.heard} would be heard; an hour of "
          f"{'talk, music and machines' if looked else 'varied sound'} brings {foreseen.alarms_per_hour:.1f} false alarms "
          f"(at most {foreseen.alarms_upper:.1f}, with 95 %)")
    if groups == 1:
        print(f"these {clips} sound alike, so this covers one recording session: teach it from another day, distance or "
              "room too, to know more")
    if outcome.own is not None:
        print(f"adds to the model's own {sound.name}, which hears {outcome.own} of them by looks alone (edge-audio teach "
              f"--remove {sound.name} leaves the model's own)")
    if isinstance(sound, TaughtLook):
        print(LOOKED)
    else:
        print(KINDS[sound.impulsive])
    if outcome.other is not None:
        other = outcome.other
        print(f"patches would hear {other.heard} of {other.clips}, and less in noise" if looked else
              f"patches decide it, and hear little in noise: looks at onsets would hear {other.heard} of {other.clips}")
    if foreseen.collisions:
        print(f"nearest to it: {', '.join(foreseen.collisions)}")
    for name in outcome.hears:
        print(f"the model hears it as {name} too")
