"""What `edge-audio update` says: of the slots, and of an update while it goes in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from edge.cli.updating.board import Board
from edge.cli.updating.install import newer, offer, on_trial, place_of, take, waits_for_restart
from edge.cli.updating.trial import told
from edge.errors import UpdateError
from edge.topics import encode


def update_now(board: Board, where: str, *, allow_downgrade: bool, restart: bool) -> None:
    """Take an update, and say what happens next. Raises SettingsError or UpdateError."""
    place = place_of(where)
    offered = offer(board, place)
    version, runs = offered.bundle.version, offered.boot.version
    print(f"{place}: version {version}, signed with a key that this board trusts; version {runs} runs", flush=True)
    if not newer(offered) and not allow_downgrade:
        raise UpdateError(place, found=f"version {version}", wanted=f"one newer than {runs}, or --allow-downgrade")
    take(board, place, offered, lambda line: print(line, flush=True))
    print(f"Version {version} is in slot {offered.slot}. The next start is from there. Where its self-check fails in three "
          f"starts, version {runs} comes back by itself.")
    print("Starting anew now." if restart else "Start anew when it suits: systemctl reboot", flush=True)
    if restart:
        board.restart()


def status(board: Board) -> dict[str, object]:
    """The slots, what is on trial and what was taken back, as JSON has them. Raises UpdateError."""
    boot, system, record = board.boot(), board.system(), board.load()
    slots = [{"slot": slot.bootname, "booted": slot.booted, "good": slot.good, "next": slot.bootname == system.primary,
              "version": boot.version if slot.booted else record.proven.get(slot.bootname) or slot.version}
             for slot in system.slots]
    trial = record.trial
    state = ("" if trial is None else "on trial" if on_trial(record, boot)
             else "waits for the next start" if waits_for_restart(record, boot) else "not complete")
    told_trial = None if trial is None else {"slot": trial.slot, "version": trial.version, "state": state,
                                             "starts": trial.boots, "reason": trial.reason}
    return {"slots": slots, "trial": told_trial, "update": told(record, boot) or "ok",
            "failure": None if record.failure is None else asdict(record.failure)}


def lines(found: Mapping[str, Any]) -> Iterator[str]:
    """What `status` found, for people."""
    for slot in found["slots"]:
        words = ["runs" * slot["booted"], "good" if slot["good"] else "given up", "next start" * slot["next"]]
        yield f"slot {slot['slot']}  version {slot['version'] or 'unknown':<16} {', '.join(filter(None, words))}"
    if trial := found["trial"]:
        yield (f"version {trial['version']} in slot {trial['slot']}: {trial['state']}"
               + (f"; its last self-check failed: {trial['reason']}" if trial["reason"] else ""))
    if failure := found["failure"]:
        yield f"version {failure['version']} in slot {failure['slot']} was taken back: {failure['reason']} ({failure['at']})"


def print_status(board: Board, form: str) -> None:
    """As a table, or as one JSON object. Raises UpdateError."""
    found = status(board)
    print(encode(found) if form == "json" else "\n".join(lines(found)))
