"""What stands at a boot: a proven slot, one on trial, or a return to the slot before. Pure: no clock, no file, no process.

A slot's version is on trial from its first boot until it has passed its self-check once. The boot loader counts the boots;
a slot that is not marked good in three of them is given up, and the other slot boots. So a trial ends by itself:

    begun       written down before the slot is touched
    installed   the slot is complete, and is booted next
    passed      marked good: proven
    fell back   the other slot boots, and the boot loader has given this one up: a failure, to be told

A proven slot is marked good at each boot, whatever the microphone does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

ALL_LOOKS = ("service", "samples", "delegate", "broker")
"""What a self-check can look at: the unit is active, samples flow, the delegate took the graph, the broker is reached."""
UNTOLD_LOOKS = ("service", "samples", "delegate")
"""What a version must pass of which nobody wrote down what worked before (`rauc install` by hand)."""
SILENT = "it did not come up in three starts"


@dataclass(frozen=True, slots=True)
class Trial:
    """A version that is not proven. wanted: the looks that passed before the update. boot: the boot that it was begun in.

    reason: why the last self-check failed; empty: none ended.
    """

    slot: str
    version: str
    wanted: tuple[str, ...] = UNTOLD_LOOKS
    boot: str = ""
    installed: bool = False
    boots: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """A version that was taken back. proven: this version had passed before, and a card or the power failed."""

    slot: str
    version: str
    reason: str
    at: str
    proven: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """What is kept on the data partition. proven: version by slot; serving: the slot that was proven last."""

    proven: Mapping[str, str] = field(default_factory=dict)
    serving: str = ""
    trial: Trial | None = None
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Boot:
    """This boot. slot: "A" or "B"; id: the kernel's; given_up: slots that the boot loader does not boot any more."""

    slot: str
    version: str
    id: str
    given_up: frozenset[str] = frozenset()


class Verdict(Enum):
    """What to do at a boot."""

    PROVEN = "mark it good at once"
    TRIAL = "look whether it works"
    FELL_BACK = "make it the slot to boot, mark it good, and tell what happened"


def at_boot(record: Record, boot: Boot, now: str) -> tuple[Record, Verdict]:
    """The record as it is from this boot on, and what to do. now: UTC, RFC 3339."""
    trial = record.trial
    if trial is not None and trial.boot == boot.id:
        return record, Verdict.PROVEN  # the start that begins the trial is still to come
    if trial is not None and trial.slot == boot.slot:
        trial = replace(trial, version=boot.version, installed=True, boots=trial.boots + 1)
        return replace(record, trial=trial), Verdict.TRIAL
    if trial is not None:
        others = {slot: version for slot, version in record.proven.items() if slot != trial.slot}
        done = replace(record, proven={**others, boot.slot: boot.version}, serving=boot.slot, trial=None)
        if trial.installed and trial.slot in boot.given_up:
            return replace(done, failure=Failure(trial.slot, trial.version, trial.reason or SILENT, now)), Verdict.FELL_BACK
        return done, Verdict.PROVEN  # the power went away before the other slot was complete, or before the boot loader knew
    if record.proven and record.proven.get(boot.slot) != boot.version:
        return replace(record, trial=Trial(boot.slot, boot.version, installed=True, boots=1)), Verdict.TRIAL
    done = replace(record, proven={**record.proven, boot.slot: boot.version}, serving=boot.slot)
    if record.serving in ("", boot.slot):
        return done, Verdict.PROVEN
    lost = Failure(record.serving, record.proven.get(record.serving, ""), SILENT, now, proven=True)
    return replace(done, failure=lost), Verdict.FELL_BACK


def begun(record: Record, *, slot: str, version: str, wanted: tuple[str, ...], boot: str) -> Record:
    """Before `slot` is written: whatever it held is gone."""
    others = {each: held for each, held in record.proven.items() if each != slot}
    return replace(record, proven=others, trial=Trial(slot, version, wanted, boot))


def installed(record: Record) -> Record:
    """The slot is complete and is booted next."""
    return record if record.trial is None else replace(record, trial=replace(record.trial, installed=True))


def abandoned(record: Record) -> Record:
    """The slot could not be written."""
    return replace(record, trial=None)


def passed(record: Record, boot: Boot) -> Record:
    """The self-check has passed, and the slot is marked good. What failed before is past."""
    return Record(proven={**record.proven, boot.slot: boot.version}, serving=boot.slot)


def failing(record: Record, reason: str) -> Record:
    """This boot's self-check has failed; the next start tries again, until the boot loader gives the slot up."""
    return record if record.trial is None else replace(record, trial=replace(record.trial, reason=reason))


def refused(record: Record, version: str) -> bool:
    """Whether the timer leaves this version alone: it was taken back. A command of the owner's may try again."""
    return record.failure is not None and not record.failure.proven and record.failure.version == version


def told(record: Record, boot: Boot) -> str:
    """What health says: "" where all is well."""
    trial, failure = record.trial, record.failure
    if trial is not None and trial.slot == boot.slot and trial.boot != boot.id:
        return f"version {boot.version} is on trial"
    if failure is not None:
        return f"version {failure.version} was taken back: {failure.reason}; version {boot.version} runs"
    return ""
