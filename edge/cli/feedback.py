"""Say whether an event was right or wrong: a wrong one becomes a hard negative, a right one an example, and its target is
fitted again. The next start hears with it; a running appliance takes it up at `systemctl reload edge-audio` (SIGHUP). For
a sound that you taught its own row is refitted; for a target of the model's own rows are added, which veto or support it.
The journal has what is needed; no sound is kept for it. Who asked for the sound of events ([journal] sound) finds it with
--list.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from edge.cli.options import TAKEN_UP, common, log_to_stderr, settings_from, state_dir_from
from edge.control.loading import taught_to
from edge.errors import SettingsError
from edge.model.taught import Judgement
from edge.model.taught_file import undo_taught
from edge.sinks.journal.entries import Entry, recent
from edge.sinks.journal.event_sounds import FOLDER, sound_path
from edge.sinks.journal.file import journal_path
from edge.workshop.feedback import Judged, counts, take_in
from edge.workshop.rows import print_rows

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
        print(f"undone: {undo_taught(state_dir, settings.model.name)}")
        print(TAKEN_UP, file=sys.stderr)
        return 0
    if options.list:
        taught = taught_to(settings.model.name, state_dir)
        judgements = taught.judgements if taught is not None else ()
        entries = recent(journal_path(settings.journal, state_dir), options.count)
        rows = [_row(entry, [one for one in judgements if one.event == entry.id]) for entry in entries]
        paths = [sound_path(state_dir / FOLDER, entry.id) for entry in entries]
        if settings.journal.sound or any(path.exists() for path in paths):
            rows = [row | {"sound": str(path) if path.exists() else ""} for row, path in zip(rows, paths, strict=True)]
        print_rows(rows, options.format, empty="no event in the journal")
        return 0
    if options.event is None or options.verdict is None:
        raise SettingsError("feedback", found="no event" if options.event is None else "no verdict",
                            wanted="EVENT-ID right|wrong, --list or --undo")
    judged = take_in(settings, state_dir, options.event, right=options.verdict == "right", target=options.target,
                     force=options.force)
    print_rows([counts(judged)], options.format)
    if options.format == "table":
        _explain(judged)
    return 0


def _row(entry: Entry, judgements: Sequence[Judgement]) -> dict[str, object]:
    said = ", ".join(("right" if one.right else "wrong") + (f" as {one.target}" if one.target != entry.target else "")
                     for one in judgements)
    return {"id": entry.id, "started_at": entry.started_at.isoformat(timespec="seconds"), "target": entry.target,
            "label": entry.label, "probability": round(entry.probability, 3), "level_dbfs": round(entry.level_dbfs, 1),
            "judged": said if entry.cells is not None else "cannot be"}


def _explain(judged: Judged) -> None:
    left = f"{judged.wrong - judged.silenced} of {judged.wrong} wrong ones"
    if judged.silenced < judged.wrong and judged.price is not None:
        print(f"{left} go on being heard: to silence all would cost {judged.price:.0%} of the sounds of the bank that "
              f"{judged.target} hears (--force does it; a higher threshold may cost less)")
    elif judged.silenced < judged.wrong:
        print(f"{left} cannot be told from {judged.target}: a higher threshold may help")
    if judged.supported < judged.right:
        print("not all right ones are heard yet: more judgements of the same kind help")
    print(f"{TAKEN_UP}; edge-audio feedback --undo takes it back")
