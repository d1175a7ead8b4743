"""The rows of one frame, one below the other, for a terminal of any size: as many as fit. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from edge.cli.screen.paint import Look, Span, cells, line
from edge.cli.screen.rows import NAME_CELLS, ago, event_row, into, label_row, level_rows, refusal_row, target_row
from edge.cli.screen.seen import Seen
from edge.stream import TargetHearing

HEADINGS_FROM = 16
"""Lines from which each part has a heading, labels are shown, and there is a last line that explains."""

SILENT_SECONDS = 3.0
"""After so long without a hearing the title says that nothing is heard."""

Row = list[Span]


def frame(seen: Seen, *, width: int, height: int, top: int, look: Look, now: datetime | None, note: str = "") -> list[str]:
    """`height` lines of `width` cells.

    top: labels to show at most. now: UTC, for ages; None for a recording, where positions are shown. note:
    what there is to say of the connection.
    """
    def when(at: str | None, position: int) -> str:
        return into(position) if now is None else ago(at, now)

    hearing = seen.hearing
    targets = hearing.targets if hearing is not None else ()
    names = [target.target for target in targets] + [event.target for event in seen.events]
    name = min(max(map(cells, names), default=8), NAME_CELLS, max(width * 3 // 10, 8))
    roomy = height >= HEADINGS_FROM
    head = [_title(seen, note, now), *level_rows(hearing, width, look)]
    # Targets come first. Of what they leave, events and refusals get a line each, then labels. The rest goes
    # to more events and refusals.
    room = max(height - len(head) - 5 * roomy, 0)
    for_targets = min(len(targets), max(room - 2, min(room, 1)))
    for_labels = min(top, max(room - for_targets - 2, 0)) if roomy else 0
    left = room - for_targets - for_labels
    labels = hearing.top if hearing is not None else ()
    parts: list[tuple[str, int, list[Row]]] = [
        ("targets: E an event goes on; the line in a bar is the threshold", for_targets,
         [target_row(target, width, name, look) for target in _nearest(targets, for_targets)]),
        ("labels: the highest scores", for_labels, [label_row(label, score, width, look) for label, score in labels]
         or [_dim("the gate is closed: nothing is louder than the room" if hearing is not None else "")]),
        ("events", left - left // 2,
         [event_row(event, width, name, when, cut_off=event.id in seen.cut_off) for event in seen.events]
         or [_dim("no event yet")]),
        ("not raised: highest probability/threshold, and why", left // 2,
         [refusal_row(refusal, width, name, when) for refusal in seen.refused] or [_dim("nothing refused yet")])]
    body: list[Row] = []
    for heading, share, rows in parts:
        body += [[(heading, "dim")]] * roomy
        body += (rows + [[]] * share)[:share]  # always `share` lines, so that the parts below do not move
    lost = f"; {seen.lost} messages lost: this terminal is slow" if seen.lost else ""
    body += [[(f"q quits{lost}", "dim")]] * roomy
    return [line(row, width, look) for row in [*head, *body, *([[]] * height)][:height]]


def _dim(text: str) -> Row:
    return [(f"  {text}", "dim")]


def _title(seen: Seen, note: str, now: datetime | None) -> Row:
    device = "" if seen.device == "edge-audio" else f" {seen.device}"
    place = f"  {seen.about.get('file', '')} {into(seen.end)}" if now is None else ""
    source = str(seen.about.get("source", "ok"))
    said = note or "; ".join(["muted"] * (seen.about.get("muted") is True)
                             + [f"source: {source}"] * (source != "ok"))
    if not said and now is not None and seen.told_at is not None:
        silent = (now - datetime.fromisoformat(seen.told_at)).total_seconds()
        said = f"nothing heard for {silent:.0f} s" if silent >= SILENT_SECONDS else ""
    return [(f"edge-audio{device}", "strong"), (f"  {seen.about.get('model', '')}{place}", ""),
            (f"  {said}" if said else "", "warn")]


def _nearest(targets: Sequence[TargetHearing], room: int) -> list[TargetHearing]:
    """The `room` targets that are nearest to an event, in their own order."""
    def near(number: int) -> float:
        target = targets[number]
        return 2.0 if target.running else (target.probability or 0.0) / max(target.threshold, 1e-6)

    chosen = sorted(range(len(targets)), key=near, reverse=True)[:room]
    return [targets[number] for number in sorted(chosen)]
