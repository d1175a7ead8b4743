"""The two ways to look: a screen that is drawn anew, or one JSON object a line."""

from __future__ import annotations

import contextlib
import logging
import select
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from logging.handlers import MemoryHandler
from typing import TextIO

from edge.cli.screen.feed import RETRY_SECONDS, ApplianceFeed
from edge.cli.screen.layout import frame
from edge.cli.screen.paint import Look, line
from edge.cli.screen.recording import RecordingFeed
from edge.cli.screen.rows import NAME_CELLS, event_row, into, refusal_row
from edge.cli.screen.seen import Seen
from edge.cli.screen.terminal import Terminal
from edge.sinks.watching.messages import to_line

Feed = ApplianceFeed | RecordingFeed

FRAME_SECONDS = 0.1
"""The least time between two frames, so that a slow line (ssh) is not flooded."""

NOTED_EVERY = 1.0
"""Seconds after which a frame is drawn though nothing came: ages go on."""


def show(feed: Feed, output: TextIO, *, top: int, width: int, look: Look) -> Seen:
    """Draw until the feed ends, or q or Ctrl-C. width: 0 for the terminal's own. The terminal is given back always."""
    seen = Seen()
    with _held_log(), Terminal(output) as terminal:
        drawn = -NOTED_EVERY
        fresh = True
        while not terminal.quit and not feed.ended:
            now = time.monotonic()
            if now - drawn >= (FRAME_SECONDS if fresh else NOTED_EVERY):
                columns, lines = terminal.size()
                terminal.draw(frame(seen, width=min(width, columns) or columns, height=lines, top=top, look=look,
                                    now=datetime.now(UTC) if feed.live else None, note=feed.note))
                drawn, fresh = now, False
            due = drawn + (FRAME_SECONDS if fresh else NOTED_EVERY if feed.descriptors() else RETRY_SECONDS)
            ready, _, _ = select.select([*terminal.descriptors(), *feed.descriptors()], [], [],
                                        max(due - time.monotonic(), 0.0))
            if any(descriptor in ready for descriptor in terminal.descriptors()):
                terminal.read()
                fresh = True
            before = feed.note
            for told in feed.take():
                seen.take(told)
                fresh = True
            if feed.note != before:
                fresh = True
                if feed.note:  # the appliance is away: nothing is heard now
                    seen.finish()
    seen.finish()
    return seen


def print_lines(feed: Feed, output: TextIO) -> None:
    """Print each message as it comes, and refusals as one of their own, until the feed ends.

    Raises BrokenPipeError where the reader went away; KeyboardInterrupt passes through.
    """
    seen, note = Seen(), ""
    while not feed.ended:
        select.select(feed.descriptors(), [], [], NOTED_EVERY if feed.descriptors() else RETRY_SECONDS)
        text = b""
        for told in feed.take():
            text += to_line(told)
            text += b"".join(to_line(refusal.message()) for refusal in seen.take(told))
        if feed.ended:
            text += b"".join(to_line(refusal.message()) for refusal in seen.finish())
        if text:
            output.write(text.decode("utf-8"))
            output.flush()
        if feed.note != note:
            note = feed.note
            if note:
                print(f"edge-audio: {note}", file=sys.stderr)


def summary(seen: Seen, width: int) -> Iterator[str]:
    """Lines with the events and refusals of a recording, oldest first, to print after the screen is gone."""
    def when(_at: str | None, position: int) -> str:
        return into(position)

    events = [event_row(event, width, NAME_CELLS, when, cut_off=event.id in seen.cut_off) for event in reversed(seen.events)]
    refused = [refusal_row(refusal, width, NAME_CELLS, when) for refusal in reversed(seen.refused)]
    for heading, rows in (("events", events), ("not raised", refused)):
        yield f"{heading}: {len(rows) or 'none'}"
        yield from (line(row, width, Look(colour=False)).rstrip() for row in rows)


@contextlib.contextmanager
def _held_log() -> Iterator[None]:
    """Hold back what is logged while the screen is drawn, and log it afterwards: it would spoil the
    screen."""
    root, held = logging.getLogger(), MemoryHandler(1, flushLevel=logging.CRITICAL + 1)  # without a target
    before, root.handlers[:] = list(root.handlers), [held]
    try:
        yield
    finally:
        root.handlers[:] = before
        for record in held.buffer:
            root.handle(record)
