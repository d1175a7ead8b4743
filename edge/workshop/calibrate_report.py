"""What `calibrate` says: sentences for people, JSON or CSV for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from edge.control.calibrations import release_too_high
from edge.learn.tail import fit_tail
from edge.model.calibration import TargetCalibration
from edge.workshop.rows import print_csv, rough, short
from edge.workshop.session import Result, Session


def print_results(session: Session, results: Sequence[Result], form: str, *, dry_run: bool) -> None:
    """The results on standard output, in the form that --format names."""
    if form == "json":
        print(json.dumps({**_about(session), "targets": {one.target: _dict(one) for one in results}}))
    elif form == "csv":
        print_csv([{"target": one.target, **_flat(_dict(one))} for one in results], sys.stdout)
    else:
        _table(session, results, dry_run)


def result_rows(results: Sequence[Result]) -> list[dict[str, object]]:
    """One row for each target, as --format json has it, with its name and the threshold until now."""
    return [{"target": one.target, "before": one.before.threshold if one.before else None, **_dict(one)} for one in results]


def print_list(session: Session, form: str) -> int:
    """What serves each target now, and what does not fit; the exit code: 1 where something does not."""
    entries, problems = session.served.entries, session.served.problems
    if form == "json":
        print(json.dumps({**_about(session), "targets": {name: _entry(entry) for name, entry in entries.items()},
                          "problems": problems}))
    elif form == "csv":
        print_csv([{"target": name, "made": entry.made, "threshold": f"{entry.threshold:.6g}",
                    "alarms_per_day": f"{entry.expected.alarms_per_day:.3g}",
                    "alarms_upper": f"{entry.expected.alarms_upper:.3g}"} for name, entry in entries.items()], sys.stdout)
    else:
        for target in session.targets:
            entry = entries.get(target.name)
            print(f"{target.name:<16}{_line(entry) if entry else f'threshold {target.threshold:.3f}, not calibrated'}")
    if form != "json":
        for problem in problems:
            print(problem, file=sys.stderr)
    return 1 if problems else 0


def _about(session: Session) -> dict[str, object]:
    return {"model": session.model.manifest.name, "runtime": session.model.runtime_name,
            "budget_per_day": round(session.budget.per_day, 6), "varied_minutes": round(session.budget.varied_hours * 60, 3)}


def _entry(entry: TargetCalibration) -> dict[str, object]:
    expected = entry.expected
    return {"made": entry.made, "labels": entry.labels, "scale": entry.scale, "scale_below": entry.scale_below,
            "offset": entry.offset, "threshold": entry.threshold, "release_threshold": entry.release_threshold,
            "alarms_per_day": short(expected.alarms_per_day), "alarms_upper": short(expected.alarms_upper),
            "extrapolated": expected.extrapolated, "misses": expected.misses,
            "room_hours": entry.room.hours if entry.room else None,
            "error_before": expected.error_before, "error_after": expected.error_after}


def _dict(one: Result) -> dict[str, object]:
    found = _entry(one.entry)
    if one.highest is not None:
        found["highest_logit"], found["highest_at"] = round(one.highest[0], 3), one.highest[1]
    if one.strict is not None:
        found["threshold_for_budget"], found["misses_for_budget"] = one.strict.threshold, one.strict.expected.misses
        found["misses_without_room"] = one.alone.expected.misses if one.alone is not None else None
    if one.worth is not None:
        worth = one.worth
        found |= {"form": worth.form, "recall": [round(value, 4) for value in worth.recall],
                  "alarms": worth.alarms, "hours": round(worth.hours, 3),
                  "alarms_per_hour": short(worth.alarms / worth.hours) if worth.hours else None,
                  "alarms_per_hour_upper": short(worth.upper), "positives": int(worth.present.sum()),
                  "negatives": int((~worth.present).sum()), "positive_groups": worth.groups[0],
                  "negative_groups": worth.groups[1]}
    return found


def _flat(found: dict[str, object]) -> dict[str, object]:
    return {key: " ".join(map(str, value)) if isinstance(value, (list, tuple)) else value for key, value in found.items()}


def _line(entry: TargetCalibration) -> str:
    """One target in a line."""
    expected = entry.expected
    misses = ""
    if expected.misses is not None and entry.positives is not None:
        share, low, high = expected.misses
        misses = f"; misses {share:.0%} ({low:.0%} to {high:.0%} of {entry.positives.count})"
    return (f"{entry.made:<9}threshold {entry.threshold:.4f}; false alarms a day {rough(expected.alarms_per_day)} "
            f"(at most {rough(expected.alarms_upper)}){misses}")


def _table(session: Session, results: Sequence[Result], dry_run: bool) -> None:
    for line in sentences(session, results):
        print(line)
    print("nothing was kept" if dry_run else f"kept in {session.path}")


def sentences(session: Session, results: Sequence[Result]) -> list[str]:
    """What was found, for people, line by line."""
    model, budget = session.model, session.budget
    said = [(f"{model.manifest.name} on {model.runtime_name}; budget {budget.per_day:g} false alarms a day for each target; "
             f"a day is taken to hold {budget.varied_hours * 60:g} minutes of varied sound")]
    for one in results:
        was = f"{one.before.threshold:.4f} ({one.before.made})" if one.before else "none"
        said.append(f"{one.target:<16}{_line(one.entry)}; before: {was}")
        said += [f"{'':<16}{line}" for line in (*_worth(one), *_room(one), *one.listening(budget), *one.deaf())]
    given = [target.name for target in session.settings.target if target.threshold]
    if set(given) & {one.target for one in results}:
        said.append(f"The settings' own thresholds of {', '.join(given)} go before these.")
    thresholds = {one.target: one.entry.threshold for one in results}
    for target in session.settings.target:
        if target.name in thresholds and release_too_high(target, thresholds[target.name]):
            said.append(f"The settings' release_threshold of {target.name}, {target.release_threshold:g}, lies over this "
                        "threshold, which serves for both: take release_threshold out of the settings.")
    if any(one.entry.expected.extrapolated for one in results):
        said.append("Drawn out: too few such alarms were heard to count them, so the fall of the highest peaks was followed "
                    "on. \"At most\" is the upper 95 % bound of that, for days like what was heard.")
    return said


def _worth(one: Result) -> list[str]:
    if one.worth is None:
        return []
    worth, expected = one.worth, one.entry.expected
    share, low, high = worth.recall
    form = {"beta": "beta calibration", "platt": "Platt"}.get(worth.form, "no curve, as the bare score does as well")
    fit = (f"{int(worth.present.sum())} with it ({worth.groups[0]} sources), {int((~worth.present).sum())} without "
           f"({worth.groups[1]}); {form}: calibration error {expected.error_before:.3f} before, "
           f"{expected.error_after:.3f} after")
    alarms = (f"{worth.alarms} false alarms in {worth.hours:.2f} h out of fold: {worth.alarms / worth.hours:.1f} an hour "
              f"(at most {worth.upper:.1f})")
    return [fit, f"recall {share:.2f} ({low:.2f} to {high:.2f}); {alarms}"]


def _room(one: Result) -> list[str]:
    room = one.entry.room
    if room is None or one.worth is not None:
        return []
    tail = fit_tail(room)
    drawn = f"its tail drawn from the highest {tail.over}" if tail.over else "too few to draw a tail from"
    highest = f", the highest {one.highest[0]:.1f} at {one.highest[1]}" if one.highest else ""
    lines = [f"room: {room.hours * 60:.1f} minutes, {room.count} peaks{highest}; {drawn}"]
    entry, strict, alone = one.entry, one.strict, one.alone
    if alone is not None and alone.expected.misses is not None and entry.expected.misses is not None:
        cost = max(entry.expected.misses[0] - alone.expected.misses[0], 0.0)
        lines.append(f"the room costs {cost:.0%} of the recordings of it")
    if strict is not None and strict.expected.misses is not None and strict.threshold > entry.threshold:
        lines.append(f"held back: a whole day of this room within the budget takes {strict.threshold:.4f} and misses "
                     f"{strict.expected.misses[0]:.0%} (--cost 1 does it)")
    return lines
