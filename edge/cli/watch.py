"""Show what is heard now: the level and the room's noise, the gate, probabilities against thresholds, labels, events as
they come, and why one was not raised. From the appliance that runs with this state directory, or from a recording.

On a terminal a screen (q or Ctrl-C ends it), from 20 columns and 6 lines on; piped, JSON lines.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path

from edge.cli.options import common, log_to_stderr, settings_from, state_dir_from
from edge.cli.screen.feed import ApplianceFeed
from edge.cli.screen.paint import Look, utf8
from edge.cli.screen.recording import RecordingFeed
from edge.cli.screen.show import Feed, print_lines, show, summary
from edge.decision.view import LABELS
from edge.errors import SettingsError
from edge.settings import SourceSettings

EXAMPLES = """Examples:
  edge-audio watch                                  what the appliance of this machine hears (same user, or root)
  edge-audio watch --wait                           stay while it is away
  edge-audio watch --file door.wav                  a recording in real time; --fast: as fast as possible
  edge-audio watch | jq 'select(.kind == "event")'  JSON lines: hearing, event, refusal
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `watch` takes."""
    common(parser)
    parser.add_argument("--file", type=Path, metavar="FILE", help="hear this recording instead of the appliance")
    parser.add_argument("--fast", action="store_true", help="with --file: as fast as possible, not in real time")
    parser.add_argument("--wait", action="store_true", help="wait for the appliance to come, and to come back")
    parser.add_argument("--top", type=int, default=5, metavar="N",
                        help=f"labels to show (default 5, at most {LABELS}; 0: none)")
    parser.add_argument("--width", type=int, default=0, metavar="COLUMNS", help="use no more columns than these")
    parser.add_argument("--no-colour", "--no-color", action="store_true",
                        help="no colours (environment: NO_COLOR, or TERM=dumb)")
    parser.add_argument("--format", choices=("auto", "screen", "json"), default="auto",
                        help="auto: screen on a terminal that can, else json")


def run(options: argparse.Namespace) -> int:
    """Look until told to stop, or until there is nothing more to see."""
    if not 0 <= options.top <= LABELS:
        raise SettingsError("--top", found=str(options.top), wanted=f"0 to {LABELS}")
    if options.width < 0:
        raise SettingsError("--width", found=str(options.width), wanted="a number of columns; 0: the terminal's")
    if options.fast and options.file is None:
        raise SettingsError("--fast", found="no --file", wanted="a recording (--file)")
    if options.wait and options.file is not None:
        raise SettingsError("--wait", found="a recording", wanted="the appliance (no --file)")
    dumb = os.environ.get("TERM", "dumb") in ("", "dumb")
    if options.format == "screen" and not sys.stdout.isatty():
        raise SettingsError("--format screen", found="no terminal", wanted="a terminal, or --format json")
    screen = options.format == "screen" or (options.format == "auto" and sys.stdout.isatty() and not dumb)
    log_to_stderr("warning")
    feed = _feed(options)
    try:
        if not screen:
            print_lines(feed, sys.stdout)
        else:
            colour = not (options.no_colour or os.environ.get("NO_COLOR") or dumb)
            seen = show(feed, sys.stdout, top=options.top, width=options.width, look=Look(utf8(os.environ), colour))
            if feed.ended and feed.note:
                print(f"edge-audio: {feed.note}", file=sys.stderr)
            if not feed.live:
                print("\n".join(summary(seen, options.width or os.get_terminal_size(sys.stdout.fileno()).columns or 80)))
    except KeyboardInterrupt:
        return 0
    finally:
        feed.close()
    return 1 if feed.ended and feed.failed else 0


def _feed(options: argparse.Namespace) -> Feed:
    if options.file is None:
        return ApplianceFeed(state_dir_from(options), wait=options.wait)
    settings = settings_from(options)
    source = SourceSettings(kind="file", path=str(options.file), paced=not options.fast, channel=settings.source.channel)
    return RecordingFeed(replace(settings, source=source), state_dir_from(options))
