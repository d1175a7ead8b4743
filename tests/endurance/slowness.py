"""What a board did that had too little processor, and what of it must not be. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

HEAD = ("| has of what it wants | hop, s | says | patches left out | sound dropped, s | claps, and how late at the median "
        "and at most, s: at first | with too little | afterwards | `ok` again after, s |")
LITTLE_SECONDS = 6.0
"""So much sound of a minute may be dropped where a longer hop is enough: a busy machine has pauses of its own."""


@dataclass(frozen=True)
class Left:
    """A trial: which share of what it wants it has, whether a longer hop is enough, and how late a clap may be."""

    name: str
    hop_seconds: float
    share: float
    stretches_only: bool
    latest_seconds: float


LEFT = {one.name: one for one in (Left("stretched", 0.03, 0.6, True, 2.0), Left("starved", 0.24, 0.5, False, 3.5))}
"""Two seconds is what is asked of both. A board that has half of what it wants keeps that for most claps, so far."""


@dataclass(frozen=True)
class Trial:
    """need: share of a core that the appliance took at first. stops: how often it was stopped. late: seconds that each clap
    was late, of the claps at first, of those while it had too little, and of those afterwards. said: `pace` of health over
    MQTT while it had too little, each once; passed_patches, dropped_seconds: left out meanwhile. recovered_seconds: until
    the watch socket said `ok`; at_last: what health said in the end."""

    left: Left
    need: float
    stops: int
    late: tuple[tuple[float, ...], ...]
    said: tuple[str, ...]
    passed_patches: int
    dropped_seconds: float
    recovered_seconds: float
    at_last: str


def findings(trial: Trial) -> list[str]:
    """What must not be, in words; empty where all is well."""
    found = []
    for when, late in zip(("at first", "with too little", "afterwards"), trial.late, strict=True):
        if not late:
            found.append(f"no clap {when}")
        elif max(late) >= trial.left.latest_seconds:
            found.append(f"a clap {when} was {max(late):.2f} s late; wanted less than {trial.left.latest_seconds:g}")
    if not any(words.startswith("too slow") for words in trial.said):
        found.append(f"health said {', '.join(trial.said)} with too little; wanted too slow")
    if not trial.passed_patches:
        found.append("no patch was passed over")
    if trial.left.stretches_only and trial.dropped_seconds > LITTLE_SECONDS:
        found.append(f"{trial.dropped_seconds:.1f} s of sound were dropped; wanted {LITTLE_SECONDS:g} at most")
    if not (trial.left.stretches_only or trial.dropped_seconds):
        found.append("no sound was dropped: the board had enough")
    if trial.at_last != "ok":
        found.append(f"health says {trial.at_last} in the end; wanted ok")
    return [f"{trial.left.name}: {words}" for words in found]


def table(trials: Sequence[Trial]) -> str:
    """The guide's table."""
    rows = [HEAD, "|---|---|---|---|---|---|---|---|---|"]
    for one in trials:
        first, little, after = (f"{len(late)}: {statistics.median(late):.2f}, {max(late):.2f}" if late else "none"
                                for late in one.late)
        rows.append(f"| {one.left.share:.0%} | {one.left.hop_seconds:g} | {'; '.join(one.said)} | {one.passed_patches:,} | "
                    f"{one.dropped_seconds:.1f} | {first} | {little} | {after} | {one.recovered_seconds:.0f} |")
    return "\n".join([*rows, ""])
