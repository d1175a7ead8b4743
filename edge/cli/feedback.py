"""Say whether an event was right or wrong. Its target is fitted again, so that what was wrong stays silent
and what was right is heard.

For a sound that you taught, its own row is fitted again. For a target of the model's own, rows are added
beside it. The journal has what the fit needs, and no sound is kept for it. The next start hears with the
change, and an appliance that runs with the same state directory does at once. Where the settings keep the
sound of events ([journal] sound), --list says in which file each one lies.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from edge.cli.options import common, log_to_stderr, settings_from, state_dir_from
from edge.errors import SettingsError
from edge.model.taught_file import undo_taught
from edge.workshop.feedback import Judged, counts, journal_rows, take_in
from edge.workshop.rows import print_rows
from edge.workshop.taking_up import take_up

EXAMPLES = """Examples:
  edge-audio feedback --list                 the newest events with their ids
  edge-audio feedback 4f1c9a wrong           the event whose id ends so was none
  edge-audio feedback 4f1c9a right
  edge-audio feedback 4f1c9a right --target typing       it was typing (what it was called is judged by a line of its own)
  edge-audio feedback --undo
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `feedback` takes."""
    common(parser, formats=True)
    parser.add_argument("event", nargs="?", metavar="EVENT-ID",
                        help="the end of an event's id, 4 characters or more (ids of one minute begin alike)")
    parser.add_argument("verdict", nargs="?", choices=("right", "wrong"), help="what it was")
    parser.add_argument("--target", metavar="NAME", help="judge it as this target (default: the event's own)")
    parser.add_argument("--force", action="store_true", help="silence what is wrong, whatever it costs of the target")
    verbs = parser.add_mutually_exclusive_group()
    verbs.add_argument("--list", action="store_true", help="the newest events")
    verbs.add_argument("--undo", action="store_true", help="take the last step back (of teach, too)")
    parser.add_argument("--count", type=int, default=20, metavar="N", help="with --list: how many (20)")


def run(options: argparse.Namespace) -> int:
    """Judge, list or undo."""
    settings, state_dir = settings_from(options), state_dir_from(options)
    log_to_stderr("warning")
    verb = "--list" if options.list else "--undo" if options.undo else ""
    beside = options.event or ("--target" if options.target else "--force" if options.force else "")
    if verb and beside:
        raise SettingsError("feedback", found=f"{beside} beside {verb}", wanted="one")
    if options.count < 1:
        raise SettingsError("--count", found=str(options.count), wanted="1 or more")
    if options.undo:
        return _done(state_dir, {"undone": undo_taught(state_dir, settings.model.name)}, options.format)
    if options.list:
        rows = journal_rows(settings, state_dir, options.count)
        print_rows(rows, options.format, empty="no event in the journal")
        return 0
    if options.event is None or options.verdict is None:
        raise SettingsError("feedback", found="no event" if options.event is None else "no verdict",
                            wanted="EVENT-ID right|wrong, --list or --undo")
    judged = take_in(settings, state_dir, options.event, right=options.verdict == "right", target=options.target,
                     force=options.force)
    return _done(state_dir, counts(judged), options.format, judged)


def _done(state_dir: Path, row: dict[str, object], form: str, judged: Judged | None = None) -> int:
    """Say what was done and have it taken up, in words or in a row; the exit code. judged: None for an undo."""
    if form == "table":
        if judged is None:
            print(f"undone: {row['undone']}")
        else:
            print_rows([row], form)
            _explain(judged)
    taken_up = take_up(state_dir)
    if form != "table":
        print_rows([row | {"reloaded": taken_up.reloaded}], form)
    print(taken_up.words, file=sys.stderr)
    return 0


def _explain(judged: Judged) -> None:
    left = f"{judged.wrong - judged.silenced} of {judged.wrong} wrong ones"
    if judged.silenced < judged.wrong and judged.price is not None:
        print(f"{left} go on being heard: to silence all would cost {judged.price:.0%} of the sounds of the bank that "
              f"{judged.target} hears (--force does it; a higher threshold may cost less)")
    elif judged.silenced < judged.wrong:
        print(f"{left} cannot be told from {judged.target}: a higher threshold may help")
    if judged.supported < judged.right:
        print("not all right ones are heard yet: more judgements of the same kind help")
    print("edge-audio feedback --undo takes the judgement back")
