"""What `calibrate --expect` says: a table for people, with what it rests on; JSON or CSV for programs."""

from __future__ import annotations

import json
import sys

from edge.control.current import MADE_BY
from edge.learn.calibrate import VARIED_HOURS
from edge.learn.expect import COUNTED, DRAWN, FEWER, MORE, Outlook
from edge.workshop.expect import Prospect, prospects
from edge.workshop.rows import print_csv, print_table, rough, short
from edge.workshop.session import Session, length_in_words

COUNT = {COUNTED: "{}", DRAWN: "{}, drawn out", FEWER: "fewer than {}", MORE: "more than {}"}
FEW = (*range(5, 100, 5), 99)
"""Steps, in hundredths, that people are shown."""


def print_prospects(session: Session, form: str) -> None:
    """All of them on standard output, in the form that --format names; what does not fit on standard error."""
    found = prospects(session)
    if form == "json":
        print(json.dumps({"model": session.model.manifest.name, "targets": {each.target: _dict(each) for each in found},
                          "problems": session.served.problems}))
        return
    if form == "csv":
        print_csv([{"target": each.target, **_flat(one)} for each in found for one in each.outlooks], sys.stdout)
    else:
        for number, each in enumerate(found):
            print("\n" * bool(number) + "\n".join(_about(each)))
            print_table(_rows(each), sys.stdout)
    for problem in session.served.problems:
        print(problem, file=sys.stderr)


def _dict(one: Prospect) -> dict[str, object]:
    entry = one.entry
    return {"threshold": round(one.threshold, 4), "made": one.made or None,
            "varied_hours": entry.negatives.hours if entry is not None and entry.negatives is not None else None,
            "varied_minutes": round(60 * (entry.varied_hours if entry is not None else VARIED_HOURS), 3),
            "room_hours": entry.room.hours if entry is not None and entry.room is not None else None,
            "recordings": _recordings(one), "feedback": one.corrected, "curve": [_row(each) for each in one.outlooks]}


def _recordings(one: Prospect) -> int | None:
    if one.entry is not None:
        return one.entry.positives.count if one.entry.positives is not None else None
    return one.lesson.foreseen.clips if one.lesson is not None and one.outlooks else None


def _row(one: Outlook) -> dict[str, object]:
    return {"threshold": round(one.threshold, 4), "alarms_per_day": short(one.alarms_per_day),
            "alarms_upper": short(one.alarms_upper), "known": one.known, "misses": one.misses}


def _flat(one: Outlook) -> dict[str, object]:
    missed = one.misses or (None, None, None)
    return {**{key: value for key, value in _row(one).items() if key != "misses"},
            **dict(zip(("missed", "missed_low", "missed_high"), missed, strict=True))}


def _rows(one: Prospect) -> list[dict[str, object]]:
    """For people: every fifth step, and the thresholds that were set."""
    return [{"threshold": f"{each.threshold:.{2 if _is_step(each) else 4}f}",
             "false alarms a day": COUNT[each.known].format(rough(each.alarms_per_day)), "at most": rough(each.alarms_upper),
             "missed": "" if each.misses is None else "{:.0%} ({:.0%} to {:.0%})".format(*each.misses),
             "": "serves now" if each.threshold == one.threshold else ""}
            for each in one.outlooks if not _is_step(each) or round(100 * each.threshold) in FEW
            or each.threshold == one.threshold]


def _is_step(one: Outlook) -> bool:
    return round(one.threshold, 4) == round(one.threshold, 2)


def _about(one: Prospect) -> list[str]:
    """What the figures rest on, line by line."""
    calibrate = f"edge-audio calibrate --target {one.target}"
    if not one.outlooks:
        why = "the target is not calibrated" if one.lesson is None else "the room was not heard since you taught more of it"
        return [f"{one.target}: nothing is known, as {why} ({calibrate})"]
    if one.entry is None:
        assert one.lesson is not None  # or there would be no outlook
        return [f"{one.target}: as it was taught, by {_recordings(one)} recordings and the bank of other sounds",
                (f"A day is taken to hold {VARIED_HOURS * 60:g} minutes of such sound. This room was not heard "
                 f"({calibrate}).{' Other thresholds are not known.' * (one.lesson.foreseen.tally is None)}"), *_after(one)]
    entry, room, recordings = one.entry, one.entry.room, _recordings(one)
    holds = [f"{minutes:g} minutes of varied sound, {heard.hours:.1f} hours of it heard"
             for heard, minutes in ((entry.negatives, entry.varied_hours * 60),) if heard is not None and minutes]
    if room is not None:
        holds.append(f"24 hours of this room, {length_in_words(room.hours)} of it heard")
    unheard = f" This room was not heard ({calibrate})." if room is None else ""
    missed = f"Missed: of {recordings} recordings." if recordings else "No recording of it was heard: misses are not known."
    return [f"{one.target}: {MADE_BY[one.made]}", f"A day is taken to hold {' and '.join(holds)}.{unheard}", missed,
            *_after(one)]


def _after(one: Prospect) -> list[str]:
    return ["Feedback has changed this target since. The figures are those of before."] if one.corrected else []
