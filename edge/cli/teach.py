"""Teach the model a sound of your own, from 5 to 20 recordings or the microphone; it is heard from the next start on, or
from a reload on (`systemctl reload edge-audio`, SIGHUP).

Says beforehand how well it will be heard: each recording is judged by a row that was fitted without it, and false alarms are
counted on the model's bank of other sounds. A sound that cannot be told apart is refused, with what it sounds like. No sound
is kept: embeddings only.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from edge.cli.options import TAKEN_UP, common, log_to_stderr, settings_from, state_dir_from
from edge.control.loading import load_model, model_folder
from edge.errors import ModelError, SettingsError
from edge.learn.embedding import Embedder
from edge.learn.figures import wilson_interval
from edge.learn.recorder import Recorder
from edge.learn.teach import FEWEST, MOST, Gathered, Recording, gather, learn, negatives_for, refusal
from edge.model.classifier import Model
from edge.model.taught import TaughtSound
from edge.model.taught_file import start_afresh, undo_taught
from edge.settings import Settings
from edge.sources.open import open_source
from edge.stats import Stats
from edge.workshop.lessons import Lessons, check_name, hears
from edge.workshop.progress import bar
from edge.workshop.recordings import read_recordings, record, repeated
from edge.workshop.rows import print_rows

EXAMPLES = """Examples:
  edge-audio teach kettle kettle-*.wav          from recordings, each with the sound in it once or more
  edge-audio teach doorbell --microphone        from the settings' microphone: ring ten times, one after another
  edge-audio teach kettle *.wav --dry-run       says how well it would be heard, keeps nothing
  edge-audio teach our_dog bark*.wav --like dog_bark     the bank's dog barks are no other sound
  edge-audio teach --list
  edge-audio teach --remove kettle
  edge-audio teach --undo                       takes the last step back, exactly
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `teach` takes."""
    common(parser, formats=True)
    parser.add_argument("name", nargs="?", metavar="NAME", help="what to call it: letters, digits, '-' and '_'")
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
    verbs.add_argument("--remove", metavar="NAME", help="forget a sound")
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
        print(TAKEN_UP, file=sys.stderr)
        return 0
    if options.start_afresh:
        print(f"set aside: {start_afresh(state_dir, settings.model.name)}")
        print(TAKEN_UP, file=sys.stderr)
        return 0
    lessons = Lessons(settings.model.name, model_folder(settings.model.name, state_dir), state_dir)
    if options.list:
        print_rows([_row(sound) for sound in lessons.taught.sounds], options.format, empty="nothing was taught")
        return 0
    if options.remove:
        lessons.remove(options.remove)
        print(f"removed {options.remove} (edge-audio teach --undo brings it back)")
        print(TAKEN_UP, file=sys.stderr)
        return 0
    return _teach(options, settings, lessons)


def _teach(options: argparse.Namespace, settings: Settings, lessons: Lessons) -> int:
    check_name(options.name, lessons.manifest)
    if not 0.0 < options.alarms_per_hour <= 1000.0:
        raise SettingsError("--alarms-per-hour", found=str(options.alarms_per_hour), wanted="over 0, at most 1000")
    if bool(options.clips) == options.microphone:
        raise SettingsError("teach", found="recordings and --microphone" if options.clips else "no recording",
                            wanted="recordings of the sound, or --microphone")
    model = load_model(settings.model.name, state_dir=lessons.state_dir, runtime=settings.model.runtime)
    embedder = Embedder(model)
    negatives = negatives_for(embedder, lessons.folder, lessons.manifest, lessons.state_dir, lessons.taught,
                              name=options.name, like=options.like)
    recordings = _recorded(options, settings) if options.microphone else _read(options.clips, settings.source.channel)
    with bar("teach", "recordings") as progress:
        gathered = gather(embedder, recordings, progress)
    impulsive = options.sound == "impulsive" if options.sound else gathered.impulsive
    sound, lesson = learn(
        embedder, options.name, gathered, negatives, alarms_per_hour=options.alarms_per_hour, impulsive=impulsive,
        taught_at=datetime.now(UTC).isoformat(timespec="seconds"), like=options.like, forced=options.force)
    refused = refusal(lesson, hears(model, embedder, gathered, without=options.name))
    print_rows([_row(sound)], options.format)
    if options.format == "table":
        _explain(sound, model, embedder, gathered)
    if refused and not options.force:
        raise ModelError(f"sound {options.name}", found=refused, wanted="one that can be told apart: more and clearer "
                         "recordings, --like for a class that is the same, or --force")
    if refused:
        print(f"edge-audio: taught all the same (--force): {refused}", file=sys.stderr)
    if options.dry_run:
        print("dry run: nothing kept", file=sys.stderr)
        return 0
    lessons.keep(sound)
    print(f"taught {sound.name} to {lessons.manifest.name}; {TAKEN_UP}", file=sys.stderr)
    return 0


def _read(paths: Sequence[Path], channel: int) -> list[Recording]:
    recordings, problems = read_recordings(paths, channel=channel)
    problems += repeated(recordings)
    for problem in problems[:-1]:
        print(f"edge-audio: {problem}", file=sys.stderr)
    if problems:
        raise problems[-1]
    return recordings


def _recorded(options: argparse.Namespace, settings: Settings) -> list[Recording]:
    if not FEWEST <= options.count <= MOST:
        raise SettingsError("--count", found=str(options.count), wanted=f"{FEWEST} to {MOST}")
    print(f"make the sound {options.count} times, a second apart or more; wait for the first second", file=sys.stderr)
    known = 0

    def heard(recorder: Recorder, done: int, problem: tuple[str, str] | None) -> None:
        nonlocal known
        room = "..." if recorder.room_dbfs is None else f"{recorder.room_dbfs:.0f}"
        if sys.stderr.isatty():
            print(f"\r{done} of {options.count}  {recorder.level_dbfs:6.1f} dBFS, room {room}  "
                  f"{'hearing' if recorder.hearing else 'waiting'}\x1b[K", end="", file=sys.stderr, flush=True)
        if problem is not None:
            print(f"\r\x1b[Kagain: found {problem[0]}; wanted {problem[1]}", file=sys.stderr)
        elif done > known:
            known = done
            print(f"\rheard {done} of {options.count}{chr(27) + '[K' if sys.stderr.isatty() else ''}", file=sys.stderr)

    return record(open_source(settings.source, Stats()), options.count, channel=settings.source.channel, heard=heard)


def _row(sound: TaughtSound) -> dict[str, object]:
    foreseen = sound.foreseen
    low, high = wilson_interval(foreseen.heard, foreseen.clips)
    return {"name": sound.name, "sound": "impulsive" if sound.impulsive else "lasting", "recordings": foreseen.clips,
            "recall": round(foreseen.heard / foreseen.clips, 3), "recall_low": round(low, 3), "recall_high": round(high, 3),
            "alarms_per_hour": round(foreseen.alarms_per_hour, 2), "alarms_upper": round(foreseen.alarms_upper, 2),
            "threshold": round(sound.threshold, 4), "forced": sound.forced, "taught_at": sound.taught_at}


def _explain(sound: TaughtSound, model: Model, embedder: Embedder, gathered: Gathered) -> None:
    foreseen = sound.foreseen
    print(f"of {foreseen.clips} recordings, each judged without itself, {foreseen.heard} would be heard; an hour of varied "
          f"sound brings {foreseen.alarms_per_hour:.1f} false alarms (at most {foreseen.alarms_upper:.1f}, with 95 %)")
    if foreseen.collisions:
        print(f"nearest to it: {', '.join(foreseen.collisions)}")
    for name in hears(model, embedder, gathered, without=sound.name):
        print(f"the model hears it as {name} too")
