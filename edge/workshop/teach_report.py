"""What `teach` says of a sound: a row for programs, sentences for people."""

from __future__ import annotations

from collections.abc import Sequence

from edge.errors import ModelError
from edge.learn.figures import wilson_interval
from edge.model.taught import TaughtSound
from edge.model.taught_look import TaughtLook
from edge.workshop.teach import Outcome

KINDS = {True: "heard as a sound without length: one event for each onset (--sound lasting: one from its start to its end)",
         False: "heard as a sound with length: one event from its start to its end (--sound impulsive: one for each onset)"}
LOOKED = ("heard as a sound without length: one event for each onset, by looks at it, over a room's noise too (--sound "
          "lasting: one event from its start to its end)")


def taught_row(sound: TaughtSound | TaughtLook) -> dict[str, object]:
    """One sound that was taught, or is to be, for tables and programs."""
    foreseen, looked = sound.foreseen, isinstance(sound, TaughtLook)
    low, high = wilson_interval(foreseen.heard, foreseen.clips)
    impulsive = isinstance(sound, TaughtLook) or sound.impulsive
    return {"name": sound.name, "sound": "impulsive" if impulsive else "lasting", "by": "looks" if looked else "patches",
            "recordings": foreseen.clips,
            "groups": foreseen.groups or None,
            "recall": round(foreseen.heard / foreseen.clips, 3), "recall_low": round(low, 3), "recall_high": round(high, 3),
            "alarms_per_hour": round(foreseen.alarms_per_hour, 2), "alarms_upper": round(foreseen.alarms_upper, 2),
            "threshold": round(sound.threshold, 4), "forced": sound.forced, "taught_at": sound.taught_at}


def same_as(collisions: Sequence[str]) -> str:
    """Advice on --like for a sound that is refused. collisions: what the sound is nearest to, the nearest first."""
    near = [name for name in collisions if "taught" not in name and not name.startswith("neg_")]
    return f"--like {near[0]} if that is the same sound" if near else "--like for a class that is the same"


def cannot_be_told_apart(outcome: Outcome) -> ModelError:
    """The error that a refused sound ends in."""
    return ModelError(f"sound {outcome.sound.name}", found=outcome.refused, wanted="one that can be told apart: more and "
                      f"clearer recordings, {same_as(outcome.sound.foreseen.collisions)}, or --force")


def print_outcome(outcome: Outcome) -> None:
    """How it came out, in sentences on standard output."""
    sound, foreseen, looked = outcome.sound, outcome.sound.foreseen, isinstance(outcome.sound, TaughtLook)
    clips, groups = foreseen.clips, foreseen.groups
    judged = "itself" if groups in (1, clips) else f"those that sound like it ({groups} groups)"
    print(f"of {clips} recordings, each judged without {judged}, {foreseen.heard} would be heard; an hour of "
          f"{'talk, music and machines' if looked else 'varied sound'} brings {foreseen.alarms_per_hour:.1f} false alarms "
          f"(at most {foreseen.alarms_upper:.1f}, with 95 %)")
    if groups == 1:
        print(f"these {clips} sound alike, so this covers one recording session: teach it from another day, distance or "
              "room too, to know more")
    if outcome.own is not None:
        print(f"adds to the model's own {sound.name}, which hears {outcome.own} of them by looks alone (edge-audio teach "
              f"--remove {sound.name} leaves the model's own)")
    if isinstance(sound, TaughtLook):
        print(LOOKED)
    else:
        print(KINDS[sound.impulsive])
    if outcome.other is not None:
        other = outcome.other
        print(f"patches would hear {other.heard} of {other.clips}, and less in noise" if looked else
              f"patches decide it, and hear little in noise: looks at onsets would hear {other.heard} of {other.clips}")
    if foreseen.collisions:
        print(f"nearest to it: {', '.join(foreseen.collisions)}")
    for name in outcome.hears:
        print(f"the model hears it as {name} too")
