"""What fits: the rows of one frame, for a terminal of any size. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from edge.cli.screen.paint import Look, Span, cells, line
from edge.cli.screen.rows import NAME_CELLS, ago, event_row, into, label_row, level_rows, refusal_row, target_row
from edge.cli.screen.seen import KEPT, Seen
from edge.stream import Hearing, TargetHearing

HEADINGS_FROM = 16
"""Lines from which each part has a heading, and there is a last line that explains."""

TWO_COLUMNS_FROM = 72
"""Cells from which targets and labels that do not fit beneath each other stand in two columns."""

SILENT_SECONDS = 3.0
"""After so long without a hearing it is said."""

Row = list[Span]


def frame(seen: Seen, *, width: int, height: int, top: int, look: Look, now: datetime | None, note: str = "") -> list[str]:
    """`height` lines of `width` cells.

    top: labels to show at most; now: UTC, for ages; None: a recording, where positions are told; note: what there is to
    say of the connection.
    """
    def when(at: str | None, position: int) -> str:
        return into(position) if now is None else ago(at, now)

    hearing = seen.hearing
    targets = hearing.targets if hearing is not None else ()
    roomy = height >= HEADINGS_FROM
    top = top if roomy else 0
    head = [_title(seen, note, now), *level_rows(hearing, width, look)]
    rows = height - len(head) - ((5 if top else 4) if roomy else 0)
    columns, shares = 1, _share(rows, len(targets), top)
    if width >= TWO_COLUMNS_FROM and (shares[0] < len(targets) or shares[3] < top):
        columns, shares = 2, _share(rows, -(-len(targets) // 2), -(-top // 2))
    name = min(max((cells(target.target) for target in targets), default=8), NAME_CELLS, max(width * 3 // 10, 8))
    wide = width if columns == 1 else (width - 2) // 2
    parts: list[tuple[str, int, list[Row]]] = [
        ("targets: E an event goes on; the line in a bar is the threshold", shares[0],
         _grid([target_row(target, wide, name, look) for target in _nearest(targets, shares[0] * columns)], columns)),
        ("labels: the highest scores", shares[3], _labels(hearing, min(top, shares[3] * columns), columns, wide, look)),
        ("events", shares[1],
         [event_row(event, width, name, when, cut_off=event.id in seen.cut_off) for event in seen.events]
         or [_nothing("no event yet")]),
        ("not raised: highest probability/threshold, and why", shares[2],
         [refusal_row(refusal, width, name, when) for refusal in seen.refused] or [_nothing("nothing refused yet")])]
    body: list[Row] = []
    for heading, share, lines in parts:
        if roomy and (top or not heading.startswith("labels")):
            body.append([(heading, "dim")])
        body += (lines + [[]] * share)[:share]  # what comes and goes moves nothing below it
    if roomy:
        lost = f"; {seen.lost} messages lost: this terminal is slow" if seen.lost else ""
        body.append([(f"q quits{lost}", "dim")])
    rows_all = [*head, *body, *([[]] * height)][:height]
    return [line(row, width, look) for row in rows_all]


def _nothing(text: str) -> Row:
    return [(f"  {text}", "dim")]


def _title(seen: Seen, note: str, now: datetime | None) -> Row:
    device = "" if seen.device == "edge-audio" else f" {seen.device}"
    place = f"  {seen.about.get('file', '')} {into(seen.end)}" if now is None else ""
    source = str(seen.about.get("source", "ok"))
    said = note or "; ".join(["muted by a command"] * (seen.about.get("muted") is True)
                             + [f"source: {source}"] * (source != "ok"))
    if not said and now is not None and seen.told_at is not None:
        silent = (now - datetime.fromisoformat(seen.told_at)).total_seconds()
        said = f"nothing heard for {silent:.0f} s" if silent >= SILENT_SECONDS else ""
    return [(f"edge-audio{device}", "strong"), (f"  {seen.about.get('model', '')}{place}", ""),
            (f"  {said}" if said else "", "warn")]


def _share(rows: int, targets: int, labels: int) -> list[int]:
    """Rows for targets, events, refusals and labels: dealt round by round until the first and last have what they want."""
    wanted, given = [targets, KEPT, KEPT, labels], [0, 0, 0, 0]
    while rows > 0 and given != wanted:
        for part in (0, 1, 2, 0, 3, 0):
            if rows > 0 and given[part] < wanted[part]:
                given[part] += 1
                rows -= 1
    return given


def _nearest(targets: Sequence[TargetHearing], room: int) -> list[TargetHearing]:
    """Those nearest to an event if not all fit, in their own order."""
    def near(number: int) -> float:
        target = targets[number]
        return 2.0 if target.running else (target.probability or 0.0) / max(target.threshold, 1e-6)

    chosen = sorted(range(len(targets)), key=near, reverse=True)[:room]
    return [targets[number] for number in sorted(chosen)]


def _labels(hearing: Hearing | None, room: int, columns: int, width: int, look: Look) -> list[Row]:
    if hearing is None or not hearing.top:
        return [_nothing("the gate is closed: nothing is louder than the room")] if hearing is not None else []
    name = min(NAME_CELLS + 8, max(width * 2 // 5, 8))
    return _grid([label_row(label, score, width, name, look) for label, score in hearing.top[:room]], columns)


def _grid(rows: Sequence[Row], columns: int) -> list[Row]:
    """Down the first column, then down the second."""
    down = -(-len(rows) // columns)
    return [[*left, ("  ", ""), *rows[number + down]] if number + down < len(rows) else left
            for number, left in enumerate(rows[:down])]
